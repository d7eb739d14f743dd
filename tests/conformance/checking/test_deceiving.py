"""No green that was not earned: whatever comes back, is raised or is replaced is a red."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from conformance import (
    REQUIREMENTS,
    Budget,
    Case,
    Crashed,
    Failed,
    NotApplicable,
    Passed,
    Verdict,
    check,
    load,
)
from conformance.checking import devices, originals
from tests.support import deceiving

RESULTS = "results_match_reference"
PLAIN = "is a .*, not a NumPy array"
MASKED = f"{np.ma.MaskedArray.__module__}.MaskedArray"

WAYS: dict[str, tuple[type[Verdict], str]] = {
    "AlwaysRaises": (Crashed, "deceiving.KernelError: <a KernelError, whose text raises Attrib"),
    "RaisesWhatLies": (Crashed, "raised ValueError: what it said"),
    "RaisesEveryOtherTime": (Crashed, "raised RuntimeError: not now"),
    "EqualToAll": (Failed, "= 7.0, but should be"),
    "ComputesWithItself": (Failed, "= 7.0, but should be"),
    "Masked": (Crashed, f"output is a {MASKED}, not a NumPy array"),
    "Objects": (Crashed, "output is an array of object, not of numbers"),
    "Records": (Crashed, "output is an array of [('value', '<f8')], not of numbers"),
    "Swapped": (Failed, "output.dtype = >f8, but should be float64"),
    "PretendsToBeAResult": (Crashed, "run() returned Answer, not a Result"),
    "RejectsInItems": (Failed, "= 7.0, but should be"),
    "SkipsInOutput": (Crashed, "raised Skipped: not today"),
    "ReplacesNumpyAbs": (Crashed, "replaced numpy.abs"),
    "ReplacesBuiltins": (Crashed, "replaced builtins.max"),
    "ReplacesTheComparison": (Crashed, "replaced conformance.checking.comparison.close"),
    "ReplacesHypothesis": (Crashed, "replaced hypothesis.core.StateForActualGivenExecution"),
    "ReplacesAMethod": (Crashed, "replaced reference.case.Result.items"),
    "ReplacesModules": (Crashed, "replaced sys.modules['"),
    "RemovesModules": (Crashed, "replaced sys.modules['"),
}
"""For each class the verdict on its results, and a part of its text."""


def decided(implementation: Any, requirement: str = RESULTS) -> Verdict:
    return check(REQUIREMENTS[requirement], implementation, budget=Budget(6, 3, 0.0))


@pytest.mark.parametrize("name", WAYS)
def test_deceiver_is_found_out(name: str) -> None:
    """Each has the verdict that fits, and leaves nothing behind."""
    kind, told = WAYS[name]
    verdict = decided(getattr(deceiving, name)())
    assert isinstance(verdict, kind), verdict.lines()
    assert told in "\n".join(verdict.lines())
    assert originals.put_back() == ""
    assert sys.modules["numpy"] is np


@pytest.mark.parametrize("requirement", ["shapes_are_as_documented", "nothing_is_printed"])
@pytest.mark.parametrize("way", deceiving.CONTROLS)
def test_control_exception_is_the_implementations(way: str, requirement: str) -> None:
    """To skip, stop or reject in a call is a crash, and in the text of an exception too."""
    raised = "" if way == "concludes" else "raised "
    for kind in (deceiving.Controls, deceiving.ControlsInItsText):
        verdict = decided(kind(deceiving.CONTROLS[way]), requirement)
        assert isinstance(verdict, Crashed), verdict.lines()
        assert raised in verdict.lines()[0]


@pytest.mark.parametrize("way", deceiving.CONTROLS)
def test_declaration_is_read_once(way: str) -> None:
    """What a property says at first holds."""
    verdict = decided(deceiving.SupportsOnce(deceiving.CONTROLS[way]))
    assert isinstance(verdict, Failed), verdict.lines()


def test_declaration_that_cannot_be_read_is_a_crash() -> None:
    """Where nobody looked at it before, the requirement says so."""
    implementation = deceiving.SupportsOnce(deceiving.CONTROLS["stops"])
    implementation.asked = 1
    verdict = decided(implementation)
    assert isinstance(verdict, Crashed)
    assert verdict.reason == "raised hypothesis.errors.StopTest: 0"


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("SubclassesTensors", Failed, "output[0] = 0.0, but should be"),
        (
            "MakesTensors",
            Crashed,
            "output is a tests.support.deceiving._Made, which is not",
        ),
    ],
)
def test_subclass_of_a_tensor_is_taken_plain_or_refused(
    name: str, kind: type[Verdict], told: str
) -> None:
    """One with numbers is judged by its numbers."""
    verdict = decided(load(f"tests.support.deceiving:{name}"))
    assert isinstance(verdict, kind), verdict.lines()
    assert told.partition("[")[0] in "\n".join(verdict.lines())


def test_offered_gradients_are_taken_plain() -> None:
    """Gradients that say they equal anything are compared by their numbers."""
    verdict = decided(deceiving.ScoresItsGradients(), "gradients_match_backpropagation")
    assert isinstance(verdict, Failed), verdict.lines()
    assert "= 7.0, but should be" in verdict.lines()[0]


def test_function_that_a_module_finds_is_put_back() -> None:
    """So that PyTorch's own LSTM is right after it."""
    verdict = decided(load("tests.support.deceiving:ReplacesTheKernel"))
    assert isinstance(verdict, Crashed), verdict.lines()
    assert "replaced torch._VF.lstm" in "\n".join(verdict.lines())
    assert isinstance(decided(load("torch.nn.LSTM")), Passed)


def test_kernel_that_cannot_be_taken_back_ends_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is decided by it in this process, in whose place another one goes on."""
    registered: set[str] = torch.library._impls
    kernel = "aten/addmm/CPU"

    class Registers(deceiving.Sevens):
        def run(self, case: Case) -> Any:
            registered.add(kernel)
            return deceiving.right(case)

    monkeypatch.setattr(devices, "_lost", [])
    try:
        verdict = decided(Registers())
    finally:
        registered.remove(kernel)
    assert isinstance(verdict, Crashed), verdict.lines()
    assert verdict.lines()[0] == "it changed the kernels of torch"
    assert "changed the kernels of torch, which cannot be restored" in devices.lost()


OPTIMIZES = """
import sys
import torch
from conformance.checking.torch_settings import of_torch
kernels = of_torch()["the kernels of torch"]
before = kernels.read()
torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
assert "torch._dynamo" in sys.modules
assert kernels.read() == before, set(kernels.read()) - set(before)
"""


@pytest.mark.slow
def test_what_torch_registers_for_its_optimizers_is_no_change() -> None:
    """The first optimizer of a process imports much of torch."""
    subprocess.run([sys.executable, "-c", OPTIMIZES], check=True, timeout=300)


@pytest.mark.slow
def test_what_always_raises_is_green_nowhere() -> None:
    """Every requirement that applies is crashed."""
    implementation: Any = deceiving.AlwaysRaises()
    verdicts = [
        check(item, implementation, budget=Budget(1, 3, 0.0))
        for item in REQUIREMENTS.values()
        if not item.costly
    ]
    assert {type(verdict) for verdict in verdicts} == {Crashed, NotApplicable}
