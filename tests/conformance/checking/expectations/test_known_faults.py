"""Known faults of PyTorch: what each entry has, and what its script shows here."""

import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from conformance import REQUIREMENTS, load
from conformance.checking.expectations.applying import applied
from conformance.checking.expectations.deciding import Watch
from conformance.checking.expectations.expectation import Expectation, Role
from conformance.checking.expectations.reading import known_faults
from conformance.checking.finding import Finding
from conformance.checking.verdict import ExpectedFailure
from conformance.implementations.failures import Accepted, Died, LostDevice, Raised
from conformance.implementations.shipped import SHIPPED
from conformance.recording.tape import Tape
from tests.support.processes import run
from tests.support.sources import ROOT, needs_source_tree

from .entries import CASE

TOLD_BY_THE_END = (Raised.kind, Accepted.kind, Died.kind)
"""The kinds of failures that a script shows by how it ends, without an assert."""


@pytest.mark.parametrize("entry", known_faults(), ids=lambda entry: f"{entry.at} {entry.kind}")
def test_known_faults_are_about_what_there_is(entry: Expectation) -> None:
    """Each names requirements and implementations that exist, and can be reproduced."""
    assert entry.requirement in REQUIREMENTS
    assert entry.implementation
    assert set(entry.implementation) <= set(SHIPPED)
    assert "torch." in entry.script, f"{entry.at} needs a script that shows the fault of torch"
    compile(entry.script, entry.at, "exec")
    assert entry.kind != Raised.kind or entry.message, f"{entry.at} needs a message"
    if entry.certain and entry.device != ("cuda",) and entry.kind not in TOLD_BY_THE_END:
        assert "assert " in entry.script, f"{entry.at} needs an assert that fails without the fault"


def here() -> Iterator[Expectation]:
    """Those that must occur on the CPU, with the installed torch."""
    for name in ("torch.nn.LSTM", "torch.nn.LSTMCell"):
        found, _ = applied(known_faults(), load(name), ["cpu"])
        yield from (each.entry for each in found if each.must_occur)


@pytest.mark.parametrize("entry", list(here()), ids=lambda entry: f"{entry.at} {entry.kind}")
def test_script_shows_the_fault(entry: Expectation, tmp_path: Path) -> None:
    """What it says happens with the installed torch."""
    show(entry, tmp_path)


def show(entry: Expectation, folder: Path) -> None:
    """Run its script, which raises or ends its process as `entry` says, or else runs to its end."""
    if entry.kind == Died.kind:
        text = f"import torch\n{entry.script}"
        assert run([sys.executable, "-c", text], folder).returncode < 0, "its process goes on"
        return
    raised = entry.kind == Raised.kind
    with pytest.raises(Exception, match=entry.message) if raised else nullcontext():
        exec(entry.script, {"torch": torch})


@pytest.mark.parametrize(
    ("kind", "script", "without"),
    [
        ("raised", "raise ValueError('odd')", ""),
        ("accepted", "", "raise ValueError('odd')"),
        ("wrong element", "assert 1 != 4", "assert 4 != 4"),
        pytest.param(
            *("died", "import os; os.abort()", ""),
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no signals"),
        ),
    ],
)
def test_script_tells_a_fault_of_each_kind(
    kind: str, script: str, without: str, tmp_path: Path
) -> None:
    """What shows the fault passes, and what does not show it fails."""
    entry = replace(known_faults()[0], kind=kind, message="odd", script=script)
    show(entry, tmp_path)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        show(replace(entry, script=without), tmp_path)


@needs_source_tree
def test_page_on_cuda_has_the_scripts() -> None:
    """Those of the entries for CUDA devices, as they are."""
    page = (ROOT / "tests" / "adapters" / "CUDA.md").read_text(encoding="utf-8")
    scripts = {each.script for each in known_faults() if each.device == ("cuda",)}
    assert scripts == {text.strip() for text in re.findall(r"```python\n(.*?)```", page, re.S)}


@pytest.mark.parametrize("what", ["a length too many", "a length beyond the sequence"])
def test_lost_device_is_known_whatever_lost_it(what: str) -> None:
    """A fault that leaves the device unusable is matched by its kind."""
    name = "impossible_lengths_are_refused"
    (known,) = known_faults(name)
    lost = LostDevice(f"left the CUDA device unusable by {what}: CUDA error")
    found = Finding(None, CASE, lost, Tape())
    for implementation in ("torch.nn.LSTM", "torch.nn.LSTM-without-cudnn"):
        here = load(implementation)
        here.supports = here.supports.__class__(devices=("cpu", "cuda:0"))
        applies, _ = applied([known], here, ["cpu", "cuda:0"])
        assert [(each.device, each.role) for each in applies] == [("cuda:0", Role.STRICT)]
        verdict = Watch(applies).of_one(found.verdict(name, implementation, "cuda:0"), found)
        assert isinstance(verdict, ExpectedFailure), verdict.reason
