"""LSTMs are found in files of every format, and bad files are refused in one line."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.judgement.files import arrays
from conformance.judgement.files.finding import find, one_of
from conformance.judgement.files.found import Found
from conformance.judgement.files.given import lstms
from conformance.judgement.files.layouts import by_names
from reference import Array
from tests.support.kernels import made

ran = False


class Touches:
    """Sets :data:`ran` when it is unpickled."""

    def __reduce__(self) -> tuple:
        return touch, ()


def touch() -> None:
    global ran
    ran = True


def numbers(module: nn.Module) -> dict[str, Array]:
    return {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def assert_holds(found: Found, module: nn.LSTM) -> None:
    for name, array in numbers(module).items():
        assert np.array_equal(found.parameters[name], array), name
    for name in ("input_size", "hidden_size", "num_layers", "bias", "bidirectional", "proj_size"):
        assert getattr(found.configuration, name) == getattr(module, name)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 5)
        self.gru = nn.GRU(5, 6)
        self.rnn = nn.LSTM(5, 6, 2, bidirectional=True, proj_size=3)
        self.head = nn.Linear(6, 2)


def save_safetensors(content: dict[str, Array], path: Path) -> None:
    """Write the format by its own description."""
    header, data = {}, b""
    for name, array in content.items():
        kind = {"float32": "F32", "float64": "F64"}[array.dtype.name]
        place = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def prefixed(module: nn.Module) -> dict[str, Any]:
    return {f"encoder.rnn.{name}": array for name, array in numbers(module).items()}


WRITERS: dict[str, tuple[str, Callable[[Any, Path], object]]] = {
    "state_dict": ("w.pt", lambda m, path: torch.save(Encoder.state_dict(m), path)),
    "checkpoint": ("w.ckpt", lambda m, path: torch.save({"step": 3, "m": m.state_dict()}, path)),
    "whole module": ("w.pt", lambda m, path: torch.save(m, path)),
    "without zip": (
        "w.pt",
        lambda m, path: torch.save(m.state_dict(), path, _use_new_zipfile_serialization=False),
    ),
    "TorchScript": ("w.pt", lambda m, path: torch.jit.script(m.rnn).save(str(path))),
    "npz": ("w.npz", lambda m, path: np.savez(path, **prefixed(m.rnn))),
    "safetensors": ("w.safetensors", lambda m, path: save_safetensors(prefixed(m.rnn), path)),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", WRITERS)
def test_lstm_is_found_in_each_format(way: str, tmp_path: Path) -> None:
    """Bit for bit, with its sizes; layers of other kinds are not taken for one."""
    torch.manual_seed(0)
    module = Encoder()
    name, write = WRITERS[way]
    write(module, tmp_path / name)
    (found,) = lstms(tmp_path / name)
    assert found.name.endswith("rnn") or way == "TorchScript"
    assert_holds(found, module.rnn)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_dtypes_are_kept(dtype: torch.dtype, tmp_path: Path) -> None:
    """The dtype of the weights is that of the file."""
    torch.save(nn.LSTM(3, 4).to(dtype).state_dict(), tmp_path / "w.pt")
    (found,) = lstms(tmp_path / "w.pt")
    assert f"torch.{found.dtype}" == str(dtype)


def test_cells_are_found_as_a_stack_and_one_by_one() -> None:
    """Cells numbered from 0 whose sizes fit are the layers of one LSTM as well."""
    stack = nn.ModuleList([nn.LSTMCell(3, 4), nn.LSTMCell(4, 4)])
    found = find({f"cells.{name}": array for name, array in numbers(stack).items()})
    assert [each.name for each in found] == ["cells", "cells.0", "cells.1"]
    assert found[0].configuration.num_layers == 2
    assert one_of(found, None, "it") is found[0]
    assert one_of(found, "cells.1", "it") is found[2]
    apart = nn.ModuleList([nn.LSTMCell(3, 4), nn.LSTMCell(3, 4)])
    assert [each.name for each in find(numbers(apart))] == ["0", "1"]


def test_quantizable_names_are_known() -> None:
    """Those of torch.ao's LSTM are those of its cells."""
    (found,) = find(numbers(torch.ao.nn.quantizable.LSTM(3, 4, 2)))
    assert found.configuration.num_layers == 2
    (found,) = find(numbers(torch.ao.nn.quantizable.LSTM(3, 4, bidirectional=True)))
    assert found.configuration.bidirectional


def test_several_are_chosen_by_their_prefix() -> None:
    """Without a choice, the message has all of them."""
    content = {f"a.{n}": v for n, v in numbers(nn.LSTM(3, 4)).items()}
    content |= {f"b.{n}": v for n, v in numbers(nn.LSTM(4, 4)).items()}
    found = find(content)
    assert one_of(found, "b", "it").configuration.input_size == 4
    for wanted, told in ((None, "2 LSTMs"), ("c", "no LSTM 'c'")):
        with pytest.raises(UsageError, match=f"{told}.*--lstm among a, b"):
            one_of(found, wanted, "it")
    with pytest.raises(UsageError, match="no LSTM"):
        one_of([], None, "it")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.pop("r.weight_hh_l0"), "has no r.weight_hh_l0, but"),
        (lambda c: c.pop("r.weight_ih_l0_reverse"), "has no r.weight_ih_l0_reverse"),
        (lambda c: c.pop("r.bias_hh_l1"), "has no r.bias_hh_l1"),
        (
            lambda c: c.update({"r.weight_ih_l999999999": np.zeros(3, "f4")}),
            "has no r.weight_ih_l2",
        ),
        (lambda c: c.update({"r.bias_hh_l1": np.zeros(16, "i1")}), "r.bias_hh_l1 has dtype int8"),
        (lambda c: c.update({"r.weight_hh_l0": np.zeros((12, 4), "f4")}), r"r.weight_hh_l0 has sh"),
        (
            lambda c: c.update({"r.weight_ih_l0": np.zeros((12, 3), "f4")}),
            r"float32 \(12, 3\), r.w",
        ),
        (lambda c: c.update({"r.bias_ih_l1": np.zeros(3, "f4")}), r"r.bias_ih_l1 has shape \(3,\)"),
        (lambda c: c.update({"r.weight_hh_l1": np.zeros((16, 3), "f4")}), "r.weight_hh_l1 has sh"),
    ],
)
def test_missing_and_unfitting_parameters_are_named(
    change: Callable[[dict[str, Array]], object], told: str
) -> None:
    """The line has the whole name."""
    module = nn.LSTM(3, 4, 2, bidirectional=True)
    content = {f"r.{name}": array for name, array in numbers(module).items()}
    change(content)
    with pytest.raises(UsageError, match=told):
        find(content, where="it")


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    """Neither by an archive nor by an old checkpoint, nor by an array of objects."""
    state = {**nn.LSTM(3, 4).state_dict(), "extra": Touches()}
    torch.save(state, tmp_path / "w.pt")
    (found,) = lstms(tmp_path / "w.pt")
    assert found.configuration.hidden_size == 4
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(UsageError, match="weights only"):
        lstms(tmp_path / "old.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Touches()))
    with pytest.raises(UsageError, match="cannot be read"):
        lstms(tmp_path / "raw.pt")
    np.savez(tmp_path / "w.npz", a=np.array([Touches()], dtype=object))
    with pytest.raises(UsageError, match="a cannot be read"):
        lstms(tmp_path / "w.npz")
    assert not ran


@pytest.mark.parametrize("way", ["state_dict", "npz", "safetensors", "without zip"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_truncated_files_are_refused(way: str, part: float, tmp_path: Path) -> None:
    """In one line, wherever the file ends."""
    name, write = WRITERS[way]
    path = tmp_path / name
    write(Encoder(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(UsageError) as caught:
        lstms(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists no open files here")
def test_refused_archive_is_closed(tmp_path: Path) -> None:
    """As it is refused, and not when the collector finds it."""
    path = tmp_path / "w.pt"
    torch.save(Encoder().state_dict(), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:-1])
    with pytest.raises(UsageError, match="damaged") as caught:
        arrays.read(path)
    opened = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
    assert str(path) not in opened, caught


def refusal(path: Path) -> str | None:
    """What is said of a file that is refused; None if it is read."""
    try:
        lstms(path)
    except UsageError as error:
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", WRITERS)
def test_changed_bytes_are_refused_or_read(way: str, tmp_path: Path) -> None:
    """Whatever stands in a file, one line says what is wrong, or arrays come out."""
    name, write = WRITERS[way]
    path, generator = tmp_path / name, np.random.default_rng(0)
    write(Encoder(), path)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    refused = 0
    for _ in range(60):
        changed = content.copy()
        end = len(content) if generator.random() < 0.5 else 3000
        changed[generator.integers(0, end, 3)] = generator.integers(0, 256, 3)
        path.write_bytes(changed.tobytes())
        text = refusal(path)
        assert text is None or (str(path) in text and "\n" not in text)
        refused += text is not None
    assert refused


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file that is missing, empty, or of no known format."""
    path = tmp_path / "w.bin"
    with pytest.raises(UsageError, match="No such file"):
        arrays.read(path)
    for content in (b"", b"hello, world"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="is none of"):
            arrays.read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(UsageError, match="is a zip file, but none of"):
        arrays.read(path)


def test_layouts_are_converted(tmp_path: Path) -> None:
    """Names, order of gates, transposition and biases, as `infer` finds them."""
    case = made((3, 4, 2, 1))
    p = case.parameters
    blocks = {name: np.split(array, 4) for name, array in p.items()}

    def ordered(name: str, gates: str) -> Array:
        return np.concatenate([blocks[name]["ifgo".index(gate)] for gate in gates])

    bias = ordered("bias_ih_l0", "ifog") + ordered("bias_hh_l0", "ifog")
    content: dict[str, Any] = {
        "net.W": ordered("weight_ih_l0", "ifog").T,
        "net.U": ordered("weight_hh_l0", "ifog").T,
        "net.b": bias,
    }
    np.savez(tmp_path / "w.npz", **content)
    layout = "weight_ih=W,weight_hh=U,bias=b,gates=ifog,transposed=True"
    (found,) = lstms(tmp_path / "w.npz", layout)
    assert found.name == "net"
    assert np.array_equal(found.parameters["weight_ih_l0"], p["weight_ih_l0"])
    assert np.array_equal(found.parameters["weight_hh_l0"], p["weight_hh_l0"])
    both = p["bias_ih_l0"] + p["bias_hh_l0"]
    assert np.array_equal(found.parameters["bias_ih_l0"] + found.parameters["bias_hh_l0"], both)
    np.savez(
        tmp_path / "x.npz",
        XH=np.hstack([ordered("weight_ih_l0", "fiog"), ordered("weight_hh_l0", "fiog")]),
    )
    (found,) = lstms(tmp_path / "x.npz", "weight_xh=XH,gates=fiog")
    assert np.array_equal(found.parameters["weight_hh_l0"], p["weight_hh_l0"])
    assert not found.configuration.bias
    named: dict[str, Any] = {name: ordered(name, "iofg") for name in p}
    np.savez(tmp_path / "y.npz", **named)
    (found,) = lstms(tmp_path / "y.npz", "gates=iofg")
    assert all(np.array_equal(found.parameters[name], p[name]) for name in p)


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("weight_ih=W", "name weight_ih and weight_hh"),
        ("gates=abcd", "permutation"),
        ("nonsense=3", "unknown --layout 'nonsense'"),
        ("biases=x", "must be numbers"),
        ("weight_ih=A,weight_hh=B", "has no A, but W"),
    ],
)
def test_wrong_layouts_are_refused(layout: str, told: str, tmp_path: Path) -> None:
    """In one line that says what is wrong."""
    np.savez(tmp_path / "w.npz", W=np.zeros((4, 1)))
    with pytest.raises(UsageError, match=told):
        lstms(tmp_path / "w.npz", layout)


def test_keras_variables_are_found() -> None:
    """A kernel, a recurrent kernel and a bias, transposed, with one bias, and the same gates."""
    p = made((3, 4, 2, 1)).parameters
    content = {
        "lstm/kernel:0": p["weight_ih_l0"].T,
        "lstm/recurrent_kernel:0": p["weight_hh_l0"].T,
        "lstm/bias:0": p["bias_ih_l0"],
        "gru/kernel:0": np.zeros((3, 12), np.float32),
        "gru/recurrent_kernel:0": np.zeros((4, 12), np.float32),
    }
    (found,) = find(content)
    assert np.array_equal(found.parameters["weight_ih_l0"], p["weight_ih_l0"])
    assert not found.parameters["bias_hh_l0"].any()
    nested = {
        f"layers.bidirectional.{way}_layer.cell.vars.{nth}": content[f"lstm/{name}:0"]
        for way in ("forward", "backward")
        for nth, name in enumerate(("kernel", "recurrent_kernel", "bias"))
    }
    (found,) = find(nested)
    assert found.configuration.bidirectional
    assert found.name == "layers.bidirectional"


CELLS: dict[str, Any] = {"weight_ih": "cell*.weight_ih", "weight_hh": "cell*.weight_hh"}
LAYOUTS: dict[str, dict[str, Any]] = {
    "PyTorch's cells": {**CELLS, "bias": ("cell*.bias_ih", "cell*.bias_hh"), "layers": ("1", "2")},
    "three layers": {
        "weight_xh": "l*.W",
        "bias": "l*.b",
        "layers": ("a", "b", "c"),
        "gates": "fiog",
        "transposed": True,
    },
    "both directions": {
        "weight_ih": "*.x2{i,f,c,o}.w",
        "weight_hh": "*.h2{i,f,c,o}.w",
        "bias": "*.b_{i,f,c,o}",
        "layers": ("fw0", "bw0", "fw1", "bw1"),
        "bidirectional": True,
    },
    "no bias": {"weight_ih": "W*", "weight_hh": "U*", "layers": ("1", "2"), "gates": "ifog"},
    "interleaved": {
        "weight_ih": "W*",
        "weight_hh": "U*",
        "bias": "b*",
        "layers": ("0", "1"),
        "interleaved": True,
        "forget_bias": 1.0,
    },
}


@pytest.mark.parametrize("which", LAYOUTS)
def test_several_layers_are_found_by_an_adapter(which: str) -> None:
    """Their parameters are those of the case, but for a bias that is the sum of two."""
    mine = HandWritten(dict, **LAYOUTS[which])
    wide = np.random.default_rng(0)
    case = mine.small_case("float64", fill=lambda size: wide.integers(-64, 64, size) / 64)
    stored = {f"net.{name}": array for name, array in mine.parameters.of(case).items()}
    (found,) = by_names(stored, mine, "x.pt")
    assert found.name == "net"
    assert found.configuration == replace(case.configuration, batch_first=False)
    assert list(found.parameters) == list(case.parameters)
    for suffix in case.configuration.suffixes():
        for name in (f"weight_ih{suffix}", f"weight_hh{suffix}"):
            np.testing.assert_array_equal(found.parameters[name], case.parameters[name])
        both, true = (
            sum(of[f"bias_{x}{suffix}"] for x in ("ih", "hh") if case.configuration.bias)
            for of in (found.parameters, case.parameters)
        )
        np.testing.assert_array_equal(both, true)


def test_layers_that_are_missing_or_do_not_fit_are_refused() -> None:
    """In a line with the name of the parameter, or with all shapes."""
    mine = HandWritten(dict, **LAYOUTS["PyTorch's cells"])
    stored = mine.parameters.of(mine.small_case())
    lower = {name: array for name, array in stored.items() if "cell1" in name}
    with pytest.raises(UsageError, match=r"x\.pt has no cell2\.weight_ih"):
        by_names(lower, mine, "x.pt")
    with pytest.raises(
        UsageError, match=r"shapes do not fit the layout: .*cell2\.weight_ih \(12, 2\)"
    ):
        by_names({**stored, "cell2.weight_ih": stored["cell1.weight_ih"]}, mine, "x.pt")


def test_layers_are_named_as_infer_prints_them(tmp_path: Path) -> None:
    """In parentheses and quotes, or with a plus between them."""
    mine = HandWritten(dict, **LAYOUTS["PyTorch's cells"])
    fill = np.random.default_rng(0).standard_normal
    case = mine.small_case("float64", fill=fill)
    stored: dict[str, Any] = mine.parameters.of(case)
    np.savez(tmp_path / "w.npz", **stored)
    names = 'weight_ih="cell*.weight_ih", weight_hh="cell*.weight_hh", '
    for rest in (
        'bias=("cell*.bias_ih", "cell*.bias_hh"), layers=("1", "2")',
        "bias=cell*.bias_ih+cell*.bias_hh,layers=1+2",
    ):
        (found,) = lstms(tmp_path / "w.npz", names + rest)
        for name, array in case.parameters.items():
            np.testing.assert_array_equal(found.parameters[name], array)


def test_every_bias_counts() -> None:
    """A third one of a layer is added to the others."""
    mine = HandWritten(dict, weight_ih="W", weight_hh="U", bias=("a", "b", "c"))
    stored = mine.parameters.of(mine.small_case()) | {"c": np.arange(12.0)}
    (found,) = by_names(stored, mine, "x.pt")
    added = found.parameters["bias_ih_l0"] + found.parameters["bias_hh_l0"]
    np.testing.assert_array_equal(added, stored["a"] + stored["b"] + stored["c"])
