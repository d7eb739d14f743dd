"""Known faults of PyTorch: what is expected, and what is not excused by it."""

import re
from dataclasses import replace

import pytest
import torch

from conformance import REQUIREMENTS
from conformance.checking.expectations import cudnn_version, decide, torch_version
from conformance.checking.finding import Finding
from conformance.checking.known_faults import KNOWN, Expectation
from conformance.checking.verdict import (
    Crashed,
    ExpectedFailure,
    Failed,
    NotApplicable,
    Passed,
    UnexpectedPass,
    Verdict,
)
from conformance.implementations.failures import (
    Accepted,
    Failure,
    LostDevice,
    NotRefused,
    Raised,
)
from conformance.implementations.shipped import SHIPPED
from conformance.recording.tape import Tape
from reference import Configuration
from tests.support.cases import random_case

HERE = ("results_match_reference", "torch.nn.LSTM", "cpu")
ENTRY = Expectation(*HERE[:1], HERE[1:2], "it is known", Accepted, "print()", what="a size")


@pytest.fixture(autouse=True)
def _one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (ENTRY,))


def failed(
    failure: Failure | None = None, dtype: str = "float32", implementation: str = HERE[1]
) -> Verdict:
    """The verdict on a case; the known failure unless another is given."""
    case = random_case(Configuration(1, 1), dtype=dtype)
    found = Finding(None, case, failure or Accepted("a size"), Tape())
    return found.verdict(HERE[0], implementation, HERE[2])


def decided(verdict: Verdict) -> Verdict:
    """What becomes of a verdict on all dtypes."""
    return decide(*HERE, ("float32",), lambda _: verdict)


def test_known_failure_is_expected() -> None:
    """A failure of the kind that was foretold is expected, for the reason given."""
    verdict = failed()
    assert isinstance(verdict, ExpectedFailure)
    assert verdict.reason == "it is known"


@pytest.mark.parametrize(
    "other",
    [Accepted("another size"), NotRefused("a size", "raised OSError"), Raised(OSError("a size"))],
)
def test_other_failure_is_not_excused(other: Failure) -> None:
    """One of another kind, or about something else, stays a failure and tells what was known."""
    verdict = failed(other)
    assert isinstance(verdict, (Failed, Crashed))
    assert "known to fail in another way" in verdict.reason


def test_failure_of_a_framework_is_known_by_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is raised the text has to be the one that was foretold."""
    entry = replace(ENTRY, failure=Raised, what="", message="no rule")
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (entry,))
    assert isinstance(failed(Raised(RuntimeError("there is no rule"))), ExpectedFailure)
    assert isinstance(failed(Raised(RuntimeError("no memory"))), Crashed)


@pytest.mark.parametrize(("version", "known"), [(0, False), (91800, False), (91900, True)])
def test_fault_of_cudnn_is_known_where_it_is_in_use(
    version: int, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the version on that has it, and not where cuDNN is switched off or absent."""
    entry = replace(ENTRY, cudnn=True, cudnn_since=91900)
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (entry,))
    monkeypatch.setattr("conformance.checking.expectations.cudnn_version", lambda: version)
    assert isinstance(failed(), ExpectedFailure) == known
    assert isinstance(decided(Passed(*HERE)), UnexpectedPass) == known


def test_cudnn_that_is_switched_off_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is that of the cuDNN in use."""
    monkeypatch.setattr("torch.backends.cudnn.is_available", lambda: True)
    monkeypatch.setattr("torch.backends.cudnn.version", lambda: 91900)
    assert cudnn_version() == 91900
    with torch.backends.cudnn.flags(enabled=False):
        assert cudnn_version() == 0


@pytest.mark.parametrize("what", ["a length too many", "a length beyond the sequence"])
def test_lost_device_is_known_whatever_lost_it(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that leaves the device unusable is matched by its kind."""
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", KNOWN)
    lost = LostDevice(f"left the CUDA device unusable by {what}: CUDA error")
    found = Finding(None, random_case(Configuration(1, 1)), lost, Tape())
    for name in ("torch.nn.LSTM", "torch.nn.LSTM-without-cudnn"):
        verdict = found.verdict("impossible_lengths_are_refused", name, "cuda:0")
        assert isinstance(verdict, ExpectedFailure), verdict.reason


def test_pass_of_a_known_failure_is_unexpected() -> None:
    """A pass is unexpected, unless the failure is not certain to occur."""
    assert isinstance(decided(Passed(*HERE)), UnexpectedPass)
    assert not decided(Passed(*HERE)).conformant


def test_uncertain_failure_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """What need not occur in every run is no unexpected pass."""
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (replace(ENTRY, certain=False),))
    assert isinstance(decided(Passed(*HERE)), Passed)


def test_failure_in_another_dtype_is_not_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry for some dtypes covers the failure of a case in one of them only."""
    entry = replace(ENTRY, dtypes=("bfloat16",))
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (entry,))
    assert isinstance(failed(dtype="bfloat16"), ExpectedFailure)
    assert isinstance(failed(dtype="float32"), Failed)
    assert failed(dtype="float32").reason == ""


def test_failure_that_torch_has_as_well_is_told() -> None:
    """Another implementation's failure stays one, with a word on torch.nn.LSTM's."""
    verdict = failed(implementation="mine")
    assert isinstance(verdict, Failed)
    assert verdict.reason == "torch.nn.LSTM fails in the same way: it is known"
    assert failed(Accepted("another size"), implementation="mine").reason == ""


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"until": (2, 0)},
        {"since": (1000,)},
        {"devices": ("cuda",)},
        {"implementations": ("stacked-cells",)},
        {"requirement": "h_n_is_last_output"},
    ],
)
def test_entry_covers_its_own_place_only(elsewhere: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other versions, devices, implementations and requirements are judged as they are."""
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (replace(ENTRY, **elsewhere),))
    assert torch_version() >= (2, 0)
    assert isinstance(failed(), Failed)
    assert isinstance(decided(Passed(*HERE)), Passed)


def test_other_dtypes_are_decided_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dtypes without a known failure are decided by themselves, and a failure there stays one."""
    entry = replace(ENTRY, dtypes=("bfloat16",))
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (entry,))
    asked: list[tuple[str, ...]] = []

    def check(dtypes: tuple[str, ...]) -> Verdict:
        asked.append(dtypes)
        return failed(dtype="bfloat16") if dtypes == ("bfloat16",) else Passed(*HERE)

    dtypes = ("float32", "bfloat16")
    assert isinstance(decide(*HERE, dtypes, check), ExpectedFailure)
    assert asked == [("float32",), ("bfloat16",)]
    assert isinstance(decide(*HERE, dtypes, lambda _: failed()), Failed)


def test_what_does_not_apply_is_not_judged() -> None:
    """Not applicable stays so."""
    assert isinstance(decided(NotApplicable(*HERE)), NotApplicable)


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry.requirement)
def test_known_faults_are_about_what_there_is(entry: Expectation) -> None:
    """Each names requirements and implementations that exist, and can be reproduced."""
    assert entry.requirement in REQUIREMENTS
    assert set(entry.implementations) <= set(SHIPPED)
    assert entry.since < entry.until
    assert "torch." in entry.reproduction
    compile(entry.reproduction, entry.requirement, "exec")
    assert entry.failure is not Raised or re.search(r"\w", entry.message)
