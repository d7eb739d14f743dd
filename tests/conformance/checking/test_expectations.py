"""Known faults of PyTorch: what is expected, and what is not excused by it."""

import re
from dataclasses import replace

import pytest

from conformance import REQUIREMENTS
from conformance.checking.expectations import KNOWN, Expectation, decide, judged, torch_version
from conformance.checking.finding import counterexample
from conformance.checking.verdict import (
    ExpectedFailure,
    Failed,
    NotApplicable,
    Passed,
    UnexpectedPass,
    Verdict,
)
from conformance.implementations.failures import Mismatch
from conformance.implementations.shipped import SHIPPED
from reference import Configuration
from tests.support.cases import random_case

HERE = ("results_match_reference", "torch.nn.LSTM", "cpu")
ENTRY = Expectation(*HERE[:1], HERE[1:2], "it is known", "h_n = 1", "print()")


@pytest.fixture(autouse=True)
def _one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (ENTRY,))


def failed(said: str = "1", dtype: str = "float32") -> Failed:
    mismatch = Mismatch("h_n", "", said, "2")
    case = random_case(Configuration(1, 1), dtype=dtype)
    return Failed(*HERE, counterexample=counterexample(case, mismatch))


def test_known_failure_is_expected() -> None:
    """A failure that says what was foretold is expected, for the reason given."""
    verdict = judged(failed())
    assert isinstance(verdict, ExpectedFailure)
    assert verdict.reason == "it is known"


def test_other_failure_is_not_excused() -> None:
    """One that says something else stays a failure and tells what was known."""
    verdict = judged(failed("3"))
    assert isinstance(verdict, Failed)
    assert "known to fail otherwise" in verdict.reason


def test_pass_of_a_known_failure_is_unexpected() -> None:
    """A pass is unexpected, unless the failure is not certain to occur."""
    assert isinstance(judged(Passed(*HERE)), UnexpectedPass)
    assert not judged(Passed(*HERE)).conformant


def test_uncertain_failure_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """What need not occur in every run is no unexpected pass."""
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (replace(ENTRY, certain=False),))
    assert isinstance(judged(Passed(*HERE)), Passed)


def test_failure_in_another_dtype_is_not_excused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry for some dtypes covers the failure of a case in one of them only."""
    entry = replace(ENTRY, dtypes=("bfloat16",))
    monkeypatch.setattr("conformance.checking.expectations.KNOWN", (entry,))
    assert isinstance(judged(failed(dtype="bfloat16")), ExpectedFailure)
    assert isinstance(judged(failed(dtype="float32")), Failed)


def test_failure_that_torch_has_as_well_is_told() -> None:
    """Another implementation's failure stays one, with a word on torch.nn.LSTM's."""
    verdict = judged(replace(failed(), implementation="mine"))
    assert isinstance(verdict, Failed)
    assert verdict.reason == "torch.nn.LSTM fails in the same way: it is known"
    assert judged(replace(failed("3"), implementation="mine")).reason == ""


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
    assert isinstance(judged(failed()), Failed)
    assert isinstance(judged(Passed(*HERE)), Passed)


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
    assert isinstance(judged(NotApplicable(*HERE)), NotApplicable)


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry.requirement)
def test_known_faults_are_about_what_there_is(entry: Expectation) -> None:
    """Each names requirements and implementations that exist, and can be reproduced."""
    assert entry.requirement in REQUIREMENTS
    assert set(entry.implementations) <= set(SHIPPED)
    assert entry.since < entry.until
    assert "torch." in entry.reproduction
    compile(entry.reproduction, entry.requirement, "exec")
    assert re.search(r"\w", entry.saying)
