"""The command that judges a given LSTM, as a user runs it."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance.cli.command import main
from conformance.errors import CONFORMANT, NOT_CONFORMANT, USAGE
from tests.support.devices import CPU_DTYPES
from tests.support.processes import SPECIMENS

MISBEHAVING = SPECIMENS.with_name("misbehaving.py")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint with one LSTM, in the current folder."""
    torch.manual_seed(0)
    monkeypatch.chdir(tmp_path)
    content = {f"encoder.{name}": tensor for name, tensor in nn.LSTM(3, 4, 2).state_dict().items()}
    torch.save({**content, "head.weight": torch.ones(2, 4)}, "w.pt")
    return tmp_path / "w.pt"


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["judge", *map(str, words)])
    out, err = capsys.readouterr()
    return code, " ".join(out.split()), err


NARROW = "float16" if "float16" in CPU_DTYPES else "bfloat16"


def test_drawn_input_in_several_dtypes(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each implementation in each dtype has a row; the LSTM found is shown with its sizes."""
    names = ("--with", "torch.nn.LSTM", "--with", "stacked-cells")
    code, out, _ = told(capsys, weights, *names, "--dtype", f"float32,{NARROW}", "--device", "cpu")
    assert code == CONFORMANT
    assert "encoder: input_size=3, hidden_size=4, num_layers=2, float32" in out
    assert "All 4 are right." in out
    for dtype in ("float32", NARROW):
        assert f"right {dtype} implementations can be expected to differ by about" in out
    assert "rounding explains that" in out


def test_given_input_lengths_and_states(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They come from files; rows may have lengths, and axes either order."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((2, 6, 3))
    np.savez("x.npz", input=x, lengths=np.array([6, 4]))
    states = generator.standard_normal((2, 2, 2, 4))
    np.savez("s.npz", h_0=states[0], c_0=states[1])
    given = ("--input", "x.npz", "--states", "s.npz", "--order", "batch-first")
    code, out, _ = told(capsys, weights, *given, "--device", "cpu")
    assert code == CONFORMANT
    assert "is right." in out


@pytest.mark.slow
def test_wrong_implementation_leaves_a_script(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is that of `verify`, and the folder can be replayed."""
    code, out, _ = told(capsys, weights, "--with", f"{SPECIMENS}:ForgetsBiasHH", "--device", "cpu")
    assert code == NOT_CONFORMANT
    assert "is wrong from step" in out
    scripts = list(Path(".lstm-conformance").rglob("reproduce.py"))
    assert len(scripts) == 1
    assert main(["replay", str(scripts[0].parent), "--trust"]) == NOT_CONFORMANT


@pytest.mark.slow
def test_dying_and_hanging_are_rows(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What runs after them has its row; a process that died is replaced for the next dtype."""
    names = ("--with", f"{MISBEHAVING}:Aborts", "--with", "torch.nn.LSTM", "--device", "cpu")
    code, out, _ = told(capsys, weights, *names, "--dtype", "float32,float64")
    assert code == NOT_CONFORMANT
    for dtype in ("float32", "float64"):
        assert f"Aborts on cpu in {dtype} gives no result: the process was ended by SIGABRT" in out
        assert f"torch.nn.LSTM on cpu in {dtype} is right" in out
    code, out, _ = told(capsys, weights, "--with", f"{MISBEHAVING}:Sleeps", "--timeout", 2)
    assert code == NOT_CONFORMANT
    assert "Sleeps on cpu in float32 gives no result: no answer within 2 s" in out


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")  # by older torch
def test_results_of_another_program(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Outputs of all layers are judged one by one; those of the top layer alone as a whole."""
    module = nn.LSTM(3, 4, 2).requires_grad_(False)
    state = torch.load(weights, weights_only=True)
    module.load_state_dict({n[8:]: t for n, t in state.items() if n.startswith("encoder.")})
    lower = nn.LSTM(3, 4).requires_grad_(False)
    lower.load_state_dict({n: t for n, t in module.state_dict().items() if n.endswith("_l0")})
    x = torch.randn(7, 2, 3)
    output, (h_n, c_n) = module(x)
    below, _ = lower(x)
    np.save("x.npy", x.numpy())
    np.savez("all.npz", output=output, h_n=h_n, c_n=c_n, output_l0=below)
    np.savez("top.npz", output=output)
    np.savez("nan.npz", output=output, output_l0=below, c_n=np.full_like(c_n, np.nan))
    output[4, 1, 2] += 1e-4
    np.savez("off.npz", output=output, output_l0=below)
    code, out, _ = told(capsys, weights, "--input", "x.npy", "--expected", "all.npz")
    assert (code, "is right." in out) == (CONFORMANT, True)
    code, out, _ = told(capsys, weights, "--input", "x.npy", "--expected", "top.npz")
    assert (code, "is right." in out) == (CONFORMANT, True)
    code, out, _ = told(capsys, weights, "--input", "x.npy", "--expected", "off.npz")
    assert code == NOT_CONFORMANT
    assert "wrong from step 4, row 1, unit 2 of layer 1 on" in out
    code, out, _ = told(capsys, weights, "--input", "x.npy", "--expected", "nan.npz")
    assert code == NOT_CONFORMANT
    assert "wrong from c_n after the last step, row 0, unit 0 of layer 0 on" in out


TWO = """
import torch
from torch import nn

from conformance import HandWritten


class Two(nn.Module):
    leak = 0.0

    def __init__(self, input_size, hidden_size):
        super().__init__()
        for layer, size in (("low", input_size), ("high", hidden_size)):
            for name, rows in ((f"{layer}_W", size), (f"{layer}_U", hidden_size)):
                self.register_parameter(name, nn.Parameter(torch.randn(rows, 4 * hidden_size)))
            self.register_parameter(f"{layer}_b", nn.Parameter(torch.randn(4 * hidden_size)))

    def forward(self, x):
        for layer in ("low", "high"):
            W, U, b = (getattr(self, f"{layer}_{name}") for name in "WUb")
            h = c = x.new_zeros(x.size(1), len(U))
            steps = []
            for step in x:
                o, f, g, i = (step @ W + h @ U + b).chunk(4, -1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh() + self.leak * (layer == "high")
                steps.append(h)
            x = torch.stack(steps)
        return x


class Leaks(Two):
    leak = 1e-4


def adapted(cls):
    return HandWritten(
        cls, weight_ih="*_W", weight_hh="*_U", bias="*_b", layers=("low", "high"), gates="ofgi",
        transposed=True, call="input", returns="output",
    )


mine, leaks = adapted(Two), adapted(Leaks)
"""
"""Two layers written by hand, whose gates and weights are stored in another way than PyTorch's."""


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A checkpoint of these layers with an input, and right and wrong results."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    Path("two.py").write_text(TWO)
    defined: dict[str, Any] = {}
    exec(TWO, defined)
    module = defined["Two"](3, 4).requires_grad_(False)
    torch.save({f"net.{name}": tensor for name, tensor in module.state_dict().items()}, "two.pt")
    x = torch.randn(7, 2, 3)
    output = module(x)
    np.save("x.npy", x.numpy())
    np.savez("right.npz", output=output)
    output[4, 1, 2] += 1e-4
    np.savez("off.npz", output=output)
    return "two.pt", "--layout", "two.py:mine", "--input", "x.npy", "--device", "cpu"


def test_checkpoint_of_several_layers_by_hand(
    two: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The adapter finds its layers, and results are judged by them."""
    code, out, err = told(capsys, *two, "--expected", "right.npz")
    assert (code, "is right." in out, err) == (CONFORMANT, True, "")
    assert "net: input_size=3, hidden_size=4, num_layers=2, float32" in out
    code, out, _ = told(capsys, *two, "--expected", "off.npz")
    assert (code, "wrong from step 4, row 1, unit 2" in out) == (NOT_CONFORMANT, True)


@pytest.mark.slow
def test_layers_by_hand_compute_their_checkpoint(
    two: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """The class that it is of is right, as PyTorch's LSTM is; one that adds a number is wrong."""
    code, out, _ = told(capsys, *two, "--with", "torch.nn.LSTM", "--with", "two.py:mine")
    assert (code, "Both are right." in out) == (CONFORMANT, True), out
    code, out, _ = told(capsys, *two, "--with", "two.py:leaks")
    assert (code, "is wrong from step 0" in out) == (NOT_CONFORMANT, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("gone.pt",), "gone.pt: No such file or directory"),
        (("w.pt", "--lstm", "decoder"), "no LSTM 'decoder': choose with --lstm among encoder"),
        (("w.pt", "--input", "bad.npy"), "input must have shape (5, 2, 3), has (5, 2, 9)"),
        (("w.pt", "--input", "int.npy"), "input has dtype int64"),
        (("w.pt", "--states", "bad.npy"), "bad.npy has no h_0"),
        (("w.pt", "--dtype", "int8"), "unknown dtype 'int8'"),
        (("w.pt", "--device", "tpu"), "has no device 'tpu'"),
        (("w.pt", "--with", "nothing"), "unknown implementation 'nothing'"),
        (("w.pt", "--precision", "products=1"), "--precision: products must be one of"),
        (("w.pt", "--expected", "bad.npy"), "output has shape (5, 2, 9), should have (100, 4, 4)"),
        (("w.pt", "--expected", "turned.npy"), "exchanged; --order says which comes first"),
        (("w.pt", "--layout", "gates=xyz"), "--layout: gates must be a permutation"),
        (("w.pt", "--with", "torch.nn.GRU"), "torch.nn.GRU"),
        (("w.pt", "--seed", "-1"), "--seed must not be negative here"),
        (("w.pt", "--input", "none.npy"), "input must have at least one time step"),
        (("w.pt", "--input", "lengths.npz"), "lengths.npz has no input, but lengths"),
        (("w.pt", "--states", "int.npz"), "int.npz: h_0 has dtype int64, must be one of"),
        (("w.pt", "--expected", "h_n.npz"), "h_n.npz has no output, but h_n"),
        (("w.pt", "--expected", "complex.npz"), "complex.npz: output has dtype complex128"),
        (("w.pt", "--expected", "upper.npz"), "output_l1 is not of a layer below the top one of 2"),
    ],
)
def test_wrong_usage_is_one_line(
    words: tuple[str, ...], message: str, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file, and what in it does not fit."""
    np.save(weights.with_name("bad.npy"), np.zeros((5, 2, 9)))
    np.save(weights.with_name("turned.npy"), np.zeros((4, 100, 4)))
    np.save("int.npy", np.zeros((5, 2, 3), int))
    np.save("none.npy", np.zeros((0, 2, 3)))
    np.savez("lengths.npz", lengths=np.array([5, 5]))
    np.savez("int.npz", h_0=np.zeros((2, 4, 4), int), c_0=np.zeros((2, 4, 4)))
    np.savez("h_n.npz", h_n=np.zeros((2, 4, 4)))
    np.savez("complex.npz", output=np.zeros((100, 4, 4), complex))
    np.savez("upper.npz", output=np.zeros((100, 4, 4)), output_l1=np.zeros((100, 4, 4)))
    code, _, err = told(capsys, *words)
    assert code == USAGE
    lines = [line for line in err.splitlines() if line.startswith("lstm-conformance: ")]
    assert len(lines) == 1
    assert message in lines[0]


def test_picture_is_drawn_or_refused(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a PNG; without matplotlib one line says what to install."""
    code, _, err = told(capsys, weights, "--device", "cpu", "--plot", "p.png")
    if importlib.util.find_spec("matplotlib") is None:
        assert code == USAGE
        assert 'pip install "lstm-conformance[plot]"' in err
    else:
        assert code == CONFORMANT
        assert Path("p.png").read_bytes().startswith(b"\x89PNG")
