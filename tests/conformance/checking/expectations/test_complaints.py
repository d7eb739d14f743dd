"""What is wrong with a file of expected failures, by the verdicts of a run."""

from typing import Any

import pytest

from conformance.checking.counterexample import Counterexample
from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.complaints import complaints
from conformance.checking.expectations.expectation import Applied, Role
from conformance.checking.verdict import (
    Crashed,
    ExpectedFailure,
    Failed,
    FailedShould,
    NotApplicable,
    Passed,
    UnexpectedPass,
    Use,
    Verdict,
)

from .entries import HERE, entry, here

AT = "mine.toml:1"
FOUND = Counterexample("<a case>", "h_n = 1, but should be 0\nin all", {}, kind="wrong element")
WHERE = "it_holds on mine (cpu)"


def told(*verdicts: Verdict, applied: list[Applied] | None = None) -> list[str]:
    expected = Expected("mine.toml", tuple(here(entry()) if applied is None else applied))
    return [str(each) for each in complaints(expected, verdicts)]


@pytest.mark.parametrize(
    ("kind", "use", "problem"),
    [
        (ExpectedFailure, (9, 9, 0), ""),
        (ExpectedFailure, (9, 1, 0), ""),
        (UnexpectedPass, (9, 0, 0), f"{AT}: unexpected pass: {WHERE} holds: remove the entry"),
        (Passed, (0, 0, 0), f"{AT}: matches nothing: no case of {WHERE} meets its conditions"),
        (
            Failed,
            (9, 3, 1),
            f"{AT}: another failure: {WHERE} fails otherwise, not by accepted, a size: "
            "h_n = 1, but should be 0",
        ),
    ],
)
def test_each_problem_is_told_with_its_line(
    kind: type[Verdict], use: tuple[int, int, int], problem: str
) -> None:
    """What was seen of the entry decides, beside the verdict."""
    verdict = kind(*HERE, counterexample=FOUND, expectations=(Use(AT, *use),))
    assert told(verdict) == [problem] * bool(problem)


@pytest.mark.parametrize(
    ("first", "second", "idle", "by"),
    [
        ({}, {}, 2, 1),
        ({}, {"case": {"bias": "true"}}, 2, 1),
        ({"case": {"bias": "true"}}, {}, 1, 2),
        ({"message": "x is"}, {"message": "what x is"}, 2, 1),
        ({"kind": "", "message": "x"}, {"message": "x"}, 2, 1),
        ({"dtype": ("float32", "float64")}, {"dtype": ("float64",)}, 2, 1),
        ({"device": ("cuda",)}, {"device": ("cuda:0", "cuda:1")}, 2, 1),
        ({"device": ("cuda:0",)}, {"device": ("cuda",)}, 1, 2),
        ({"implementation": ("*",)}, {"implementation": ("a*b",)}, 2, 1),
        ({"implementation": ("a*", "mine")}, {"implementation": ("abc", "mine")}, 2, 1),
        ({"torch": "<2.4"}, {"torch": "<2.4", "platform": ("linux",)}, 2, 1),
        ({}, {"certain": False}, 2, 1),
    ],
)
def test_entry_that_adds_nothing_is_told_with_the_line_of_the_other(
    first: dict[str, Any], second: dict[str, Any], idle: int, by: int
) -> None:
    """Whichever comes first; of two that say the same it is the second."""
    entries = here(entry(**first), entry(at="mine.toml:2", **second))
    uses = Use(AT, 9, 9, 0), Use("mine.toml:2", 9, 9, 0)
    text = f"the entry at mine.toml:{by} expects all that it does: remove one, or limit the other"
    assert told(ExpectedFailure(*HERE, expectations=uses), applied=entries) == [
        f"mine.toml:{idle}: adds nothing: {text}"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"case": {"bias": "true"}}, {"case": {"bidirectional": "true"}}),
        ({"case": {"bias": "true"}}, {"case": {"bias": "false"}}),
        ({"message": "one"}, {"message": "two"}),
        ({"kind": "raised"}, {"message": "x"}),
        ({"dtype": ("float32", "float64")}, {"dtype": ("float64", "float16")}),
        ({"torch": "<2.4"}, {"torch": "<2.3"}),
        ({"implementation": ("a?b",)}, {"implementation": ("a*b",)}),
        ({"certain": False}, {"dtype": ("float64",)}),
    ],
)
def test_entries_that_overlap_are_no_problem(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Each says something that the other does not say, or it is not known that it does not."""
    entries = here(entry(**first), entry(at="mine.toml:2", **second))
    uses = Use(AT, 9, 9, 0), Use("mine.toml:2", 9, 9, 0)
    assert told(ExpectedFailure(*HERE, expectations=uses), applied=entries) == []


def test_requirement_that_does_not_apply_is_matched_by_nothing() -> None:
    """The complaint has the reason."""
    (complaint,) = told(NotApplicable(*HERE, reason="no bias"))
    assert complaint == f"{AT}: matches nothing: {WHERE} is not applicable: no bias"


def test_failures_that_no_entry_is_about_are_told_for_the_file() -> None:
    """Those of an implementation and device together; a failed should is none."""
    other = HERE[1:]
    verdicts = (
        ExpectedFailure(*HERE, expectations=(Use(AT, 9, 9),)),
        Failed("rows_do_not_interact", *other),
        Crashed("h_n_is_last_output", *other),
        FailedShould("repr_tells_the_sizes", *other),
    )
    places = "mine on cpu: rows_do_not_interact, h_n_is_last_output"
    assert told(*verdicts) == [f"mine.toml: unlisted failure: {places}"]
    assert complaints(Expected(), verdicts) == []


def test_failure_outside_the_condition_is_unlisted() -> None:
    """The entry is met, and the failure is not about it."""
    failed = Failed(*HERE, counterexample=FOUND, expectations=(Use(AT, 9, 9),))
    assert told(failed) == ["mine.toml: unlisted failure: mine on cpu: it_holds"]


def test_entry_is_met_if_one_of_its_places_meets_it() -> None:
    """It matches nothing only if that is so of each implementation and device."""
    both = [Applied(entry(), "mine", "cpu"), Applied(entry(), "yours", "cpu")]
    met = ExpectedFailure("it_holds", "yours", "cpu", expectations=(Use(AT, 9, 9),))
    assert told(NotApplicable(*HERE), met, applied=both) == []


@pytest.mark.parametrize(
    "applied",
    [
        {"entry": entry(certain=False)},
        {"entry": entry(shipped=True)},
        {"role": Role.LENIENT},
        {"role": Role.MENTIONED},
    ],
)
def test_what_need_not_occur_is_no_problem(applied: dict[str, Any]) -> None:
    """Nor is what this project itself expects: its verdict says enough."""
    each = Applied(**{"entry": entry(), "implementation": "mine", "device": "cpu", **applied})
    assert told(Passed(*HERE, expectations=(Use(AT, 9),)), applied=[each]) == []


def test_what_ended_before_it_was_counted_is_not_judged() -> None:
    """Of a process that died nobody knows what it had tried; a failure ends the search."""
    assert told(ExpectedFailure(*HERE)) == []
    assert told(FailedShould(*HERE, expectations=(Use(AT),))) == []
