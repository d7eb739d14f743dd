"""What an expected failure makes of a verdict, and what it does not excuse."""

import pytest

from conformance.checking.expectations.deciding import Watch
from conformance.checking.expectations.expectation import Applied, Expectation, Role
from conformance.checking.finding import Finding
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
from conformance.implementations.failures import (
    Accepted,
    Died,
    Failure,
    NoAnswer,
    NotRefused,
    Raised,
)
from conformance.recording.tape import Tape
from reference import Case

from .entries import CASE, HERE, decided, entry, here, size_accepted

BOTH = {"bidirectional": "true"}


def test_known_failure_is_expected() -> None:
    """Every case is tried, and the verdict has the reason and the smallest of the cases."""
    verdict, body = decided(size_accepted, entry())
    assert isinstance(verdict, ExpectedFailure)
    assert verdict.reason == "it is known"
    assert verdict.counterexample is not None
    assert verdict.counterexample.kind == "accepted"
    assert verdict.cases == len(body.tried) == 40
    assert verdict.expectations == (Use("mine.toml:1", 40, 40),)


@pytest.mark.parametrize(
    "other",
    [Accepted("another size"), NotRefused("a size", "raised OSError"), Raised(OSError("a size"))],
)
def test_other_failure_is_not_excused(other: Failure) -> None:
    """One of another kind, or about something else, stays a failure and says what was known."""
    verdict, _ = decided(lambda _: other, entry())
    assert isinstance(verdict, (Failed, Crashed))
    assert verdict.reason == "known to fail in another way (mine.toml:1): it is known"
    (use,) = verdict.expectations
    assert use.otherwise == 1


def test_failure_is_known_by_its_message() -> None:
    """Of what is raised the text has to be the one that was foretold, of any kind if none is."""
    for kind in ("raised", ""):
        known = entry(kind=kind, what="", message="no rule")
        verdict, _ = decided(lambda _: Raised(RuntimeError("there is no rule")), known)
        assert isinstance(verdict, ExpectedFailure)
        verdict, _ = decided(lambda _: Raised(RuntimeError("no memory")), known)
        assert isinstance(verdict, Crashed)


def test_another_failure_is_not_hidden_by_the_expected_one() -> None:
    """If most cases fail as expected and a few in another way, those few decide."""

    def fails(case: Case) -> Failure:
        return Accepted("a size" if case.configuration.num_layers == 1 else "another size")

    verdict, _ = decided(fails, entry())
    assert isinstance(verdict, Failed)
    (use,) = verdict.expectations
    assert use.failed > 0
    assert use.otherwise == 1


@pytest.mark.parametrize("name", ["bidirectional", "projection", "lengths"])
def test_failure_beyond_the_condition_is_not_hidden(name: str) -> None:
    """An entry for cases of one kind excuses these alone."""
    known = entry(case={name: "true"})
    verdict, _ = decided(lambda case: size_accepted(case) if known.covers(case) else None, known)
    assert isinstance(verdict, ExpectedFailure)
    verdict, _ = decided(size_accepted, known)
    assert isinstance(verdict, Failed)
    assert verdict.reason == ""


def test_failure_in_another_dtype_is_not_excused() -> None:
    """An entry for some dtypes excuses the failure of a case in one of them only."""
    known = entry(dtype=("bfloat16",))
    verdict, _ = decided(lambda case: size_accepted(case) if known.covers(case) else None, known)
    assert isinstance(verdict, ExpectedFailure)
    for by_dtype in (False, True):
        verdict, _ = decided(size_accepted, known, by_dtype=by_dtype)
        assert isinstance(verdict, Failed)
        assert verdict.counterexample is not None
        assert verdict.counterexample.dtype != "bfloat16"


def test_pass_of_a_known_failure_is_unexpected() -> None:
    """It names the line of the entry, and what to do with it."""
    verdict, _ = decided(lambda _: None, entry())
    assert isinstance(verdict, UnexpectedPass)
    assert verdict.reason == (
        "known to fail (mine.toml:1): it is known; it does not fail so any more: remove the entry"
    )


def test_uncertain_failure_may_pass() -> None:
    """What need not occur in every run is no unexpected pass."""
    verdict, _ = decided(lambda _: None, entry(certain=False))
    assert isinstance(verdict, Passed)


def test_pass_is_unexpected_although_another_entry_fails() -> None:
    """Each entry has to fail by itself."""
    known = entry(case=BOTH), entry(at="mine.toml:9", case={"bidirectional": "false"})
    verdict, _ = decided(
        lambda case: size_accepted(case) if known[0].covers(case) else None, *known
    )
    assert isinstance(verdict, UnexpectedPass)
    assert "mine.toml:9" in verdict.reason
    assert "mine.toml:1)" not in verdict.reason


def test_rare_cases_are_drawn_for_an_entry() -> None:
    """If no case of the budget is one that an entry is about, such cases are drawn."""
    known = entry(case={"num_layers": ">=3", "bidirectional": "true", "projection": "true"})
    verdict, body = decided(lambda _: None, known)
    assert isinstance(verdict, UnexpectedPass)
    assert verdict.expectations[0].cases > 0
    assert any(map(known.covers, body.tried))


def test_entry_without_a_case_is_counted_as_such() -> None:
    """If the implementation takes no such case, the verdict says that none was tried."""
    known = entry(case=BOTH)
    verdict, _ = decided(lambda _: None, known, supports={"bidirectional": (False,)})
    assert isinstance(verdict, Passed)
    assert verdict.expectations == (Use("mine.toml:1"),)


@pytest.mark.parametrize("ends", [Died("died"), NoAnswer("late")])
def test_end_of_the_process_is_expected_last(ends: Failure) -> None:
    """Cases that end the process are tried when all others are decided, and only one of them."""
    known = entry(kind=ends.kind, what="", dtype=("float16",), case=BOTH)
    verdict, body = decided(lambda case: ends if known.covers(case) else None, known)
    assert isinstance(verdict, ExpectedFailure)
    covered = [known.covers(case) for case in body.tried]
    assert covered == [False] * (len(covered) - 1) + [True]
    verdict, body = decided(lambda case: ends if known.covers(case) else Accepted("it"), known)
    assert isinstance(verdict, Failed)
    assert not any(map(known.covers, body.tried))


def test_process_that_ended_is_expected_in_its_case() -> None:
    """So is a process that is gone, of which only the case is left."""
    found = Finding(None, CASE, Died("the process died"), Tape())
    for known, kind in (
        (entry(kind="died", what=""), ExpectedFailure),
        (entry(kind="died", what="", dtype=("float16",)), Crashed),
        (entry(), Crashed),
    ):
        verdict = Watch(here(known)).of_one(found.verdict(*HERE), found)
        assert type(verdict) is kind


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ((), FailedShould),
        ((entry(),), Failed),
        ((entry(dtype=("bfloat16",)),), FailedShould),
    ],
)
def test_should_that_fails_otherwise_than_listed_fails(
    known: tuple[Expectation, ...], kind: type[Verdict]
) -> None:
    """It stays a failed should where nothing is listed for the case that fails."""

    def fails(case: Case) -> Failure:
        return Accepted("a size" if case.dtype.name == "bfloat16" else "another size")

    verdict, _ = decided(fails, *known, should=True, strict=False)
    assert type(verdict) is kind


def test_what_does_not_apply_is_not_judged() -> None:
    """Not applicable stays so."""
    watch = Watch(here(entry()))
    assert watch.concluded(NotApplicable(*HERE)) == NotApplicable(
        *HERE, expectations=(Use("mine.toml:1"),)
    )


def test_failure_of_torch_is_mentioned_or_excused_by_its_role() -> None:
    """On what does not compute by torch's LSTM it is a failure still, with a word on torch."""
    found = Finding(None, CASE, Accepted("a size"), Tape())
    for role, kind, reason in (
        (Role.MENTIONED, Failed, "torch.nn.LSTM fails in the same way: it is known"),
        (Role.LENIENT, ExpectedFailure, "it is known"),
    ):
        watch = Watch([Applied(entry(), *HERE[1:], role, "torch.nn.LSTM")])
        verdict = watch.of_one(found.verdict(*HERE), found)
        assert (type(verdict), verdict.reason) == (kind, reason)
        never = Watch(watch.applied)
        never.tries(CASE)
        assert isinstance(never.concluded(Passed(*HERE)), Passed)
    other = Finding(None, CASE, Accepted("another size"), Tape())
    assert watch.judged(other.verdict(*HERE), other).reason == ""
