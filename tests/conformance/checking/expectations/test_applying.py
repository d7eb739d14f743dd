"""Where an entry applies: implementation, versions, device, platform and cuDNN."""

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conformance import Implementation, UsageError, load
from conformance.checking.expectations.applying import applied, cudnn_version, version_of
from conformance.checking.expectations.expectation import Role
from conformance.checking.expectations.reading import known_faults
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.pytorch.probing import adapt

from .entries import Mine, entry

MINE = Mine("1.4.0", devices=("cpu", "cuda:0"))
Answer = tuple[Tensor, tuple[Tensor, Tensor]]


class Wrapper(nn.LSTM):
    """Computes by torch.nn.LSTM."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        return super().forward(input, hx)


class OfCells(nn.Module):
    """Computes by a torch.nn.LSTMCell, in a submodule."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(input_size, hidden_size)])

    def forward(self, x: Tensor, hx: tuple[Tensor, Tensor]) -> Answer:
        h, c = hx[0][0], hx[1][0]
        outputs = []
        for step in x:
            h, c = self.cells[0](step, (h, c))
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])


class SpelledOut(nn.LSTMCell):
    """Has the constructor of torch.nn.LSTMCell, and computes by itself."""

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        zeros = input.new_zeros(*input.shape[:-1], self.hidden_size)
        h, c = (zeros, zeros) if hx is None else hx
        a = nn.functional.linear(input, self.weight_ih, self.bias_ih)
        a = a + nn.functional.linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = a.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


def places(implementation: Implementation = MINE, /, **changed: Any) -> list[str]:
    """The devices on which an entry applies."""
    found, others = applied([entry(**changed)], implementation, ["cpu", "cuda:0"])
    assert bool(found) != bool(others)
    assert all(each.role is Role.STRICT for each in found)
    return [each.device for each in found]


@pytest.mark.parametrize(
    ("changed", "devices"),
    [
        ({}, ["cpu", "cuda:0"]),
        ({"implementation": ("mine",)}, ["cpu", "cuda:0"]),
        ({"implementation": ("yours", "m*e")}, ["cpu", "cuda:0"]),
        ({"implementation": ("yours",)}, []),
        ({"device": ("cuda",)}, ["cuda:0"]),
        ({"device": ("cuda:0", "cpu")}, ["cpu", "cuda:0"]),
        ({"device": ("cuda:1",)}, []),
        ({"version": ">=1.4,<2"}, ["cpu", "cuda:0"]),
        ({"version": ">1.4"}, []),
        ({"torch": ">=2.0"}, ["cpu", "cuda:0"]),
        ({"torch": "<2.0"}, []),
        ({"platform": (sys.platform,)}, ["cpu", "cuda:0"]),
        ({"platform": ("plan9",)}, []),
    ],
)
def test_entry_applies_where_its_conditions_hold(
    changed: dict[str, Any], devices: list[str]
) -> None:
    """Elsewhere there is a reason why it does not."""
    assert places(**changed) == devices


@pytest.mark.parametrize("version", ["2.0.0rc1", "2.0.0.dev7+cpu"])
def test_prerelease_counts_as_its_release(version: str) -> None:
    """A nightly build of a version has what that version has."""
    assert places(Mine(version, devices=("cpu",)), version=">=2.0") == ["cpu"]
    assert places(Mine(version, devices=("cpu",)), version="<2.0") == []


@pytest.mark.parametrize(
    ("version", "wanted", "devices"),
    [
        ("", "true", []),
        ("", "false", ["cpu", "cuda:0"]),
        ("", ">=9.19", []),
        ("9.18.0", "true", ["cuda:0"]),
        ("9.18.0", "false", ["cpu"]),
        ("9.18.0", ">=9.19", []),
        ("9.19.0", ">=9.19", ["cuda:0"]),
    ],
)
def test_cudnn_is_a_condition(
    version: str, wanted: str, devices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in use on CUDA devices, unless it is switched off or absent."""
    name = "conformance.checking.expectations.applying.cudnn_version"
    monkeypatch.setattr(name, lambda: version)
    assert places(cudnn=wanted) == devices


@pytest.mark.parametrize(
    ("number", "version"), [(8902, "8.9.2"), (8500, "8.5.0"), (91900, "9.19.0"), (90100, "9.1.0")]
)
def test_version_of_cudnn_is_that_in_use(
    number: int, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch numbers it in two ways; one that is switched off has none."""
    monkeypatch.setattr("torch.backends.cudnn.is_available", lambda: True)
    monkeypatch.setattr("torch.backends.cudnn.version", lambda: number)
    assert cudnn_version() == version
    with torch.backends.cudnn.flags(enabled=False):
        assert cudnn_version() == ""


def test_versions_are_those_of_the_implementation_or_its_package() -> None:
    """A class is of the version of the package that it comes from."""
    assert version_of(MINE) == "1.4.0"
    assert version_of(load("torch.nn.LSTM")) == importlib.metadata.version("torch")
    assert version_of(adapt(Wrapper, "Wrapper")) == ""
    with_text = type("Wrapper", (Wrapper,), {"version": "3.1"})
    with_more = type("Wrapper", (Wrapper,), {"version": property(lambda _: "3.1")})
    assert [version_of(adapt(each, "Wrapper")) for each in (with_text, with_more)] == ["3.1", ""]


@pytest.mark.parametrize("declared", [True, False])
def test_version_is_found_by_the_name_of_the_module(
    declared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a distribution of another name, and of one that does not declare its modules."""
    kept = tmp_path / "their_lstms-2.5.dist-info"
    kept.mkdir()
    (kept / "METADATA").write_text("Metadata-Version: 2.1\nName: their-lstms\nVersion: 2.5\n")
    (kept / "RECORD").write_text("theirs/__init__.py,,\n")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/__init__.py").touch()  # without which newer Pythons do not list it
    if declared:
        (kept / "top_level.txt").write_text("theirs\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(Wrapper, "__module__", "theirs.layers")
    assert version_of(adapt(Wrapper, "Wrapper")) == "2.5"


@pytest.mark.parametrize(("version", "why"), [("", "has no version"), ("new", "'new' cannot be")])
def test_range_of_what_has_no_version_is_refused(version: str, why: str) -> None:
    """It names the line; where the entry is not about the implementation it does not matter."""
    mine = Mine(version)
    with pytest.raises(UsageError, match=f"^mine.toml:1: the version of mine must be >=1.*{why}"):
        applied([entry(version=">=1")], mine, ["cpu"])
    found, others = applied([entry(version=">=1", implementation=("yours",))], mine, ["cpu"])
    assert not found
    assert others == {"mine.toml:1": "no yours is verified here"}


@pytest.mark.parametrize(
    ("implementation", "named"),
    [
        (lambda: adapt(Wrapper, "wrapper"), {"torch.nn.LSTM"}),
        (
            lambda: HandWritten(
                OfCells,
                weight_ih="cells.0.weight_ih",
                weight_hh="cells.0.weight_hh",
                bias=("cells.0.bias_ih", "cells.0.bias_hh"),
                states_optional=False,
            ),
            {"torch.nn.LSTMCell"},
        ),
        (lambda: adapt(SpelledOut, "spelled out"), set()),
        (lambda: Mine(), set()),
    ],
)
def test_known_faults_excuse_what_computes_by_torch(implementation: Any, named: set[str]) -> None:
    """They need not occur there; elsewhere they are only mentioned."""
    found, _ = applied(known_faults(), implementation(), ["cpu"])
    assert {each.named for each in found if each.role is Role.LENIENT} == named
    assert {each.role for each in found} <= {Role.LENIENT, Role.MENTIONED}
    assert {each.named for each in found} == {"torch.nn.LSTM", "torch.nn.LSTMCell"}


def test_known_faults_are_strict_for_torch_itself() -> None:
    """And those of one of its LSTMs excuse no other one."""
    for name in ("torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"):
        found, _ = applied(known_faults(), load(name), ["cpu"])
        strict = {each.entry.at for each in found if each.role is Role.STRICT}
        assert strict == {each.entry.at for each in found if name in each.entry.implementation}
        assert not [each for each in found if each.role is Role.LENIENT]
