"""What is wrong with a file of expected failures, as a run has shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.expectation import Applied, Expectation
from conformance.checking.verdict import NotApplicable, UnexpectedPass, Use, Verdict, grouped

UNEXPECTED_PASS, OTHER = "unexpected pass", "another failure"
NOTHING, UNLISTED = "matches nothing", "unlisted failure"
IDLE = "adds nothing"
PROBLEMS = (UNEXPECTED_PASS, OTHER, NOTHING, UNLISTED, IDLE)
"""What can be wrong with an entry, or with the file."""


@dataclass(frozen=True)
class Complaint:
    """Something wrong `at` a line of a file, or in the whole file: one of :data:`PROBLEMS`."""

    at: str
    problem: str
    text: str

    def __str__(self) -> str:
        return f"{self.at}: {self.problem}: {self.text}"


@dataclass(frozen=True)
class Seen:
    """An entry that applies, the verdict there, and what was seen of the entry.

    `use` is None where that is not known, as a process ended or nothing was decided.
    """

    applied: Applied
    verdict: Verdict
    use: Use | None

    @property
    def entry(self) -> Expectation:
        """The entry."""
        return self.applied.entry

    @property
    def met(self) -> bool | None:
        """Whether a case was tried that the entry is about; None where that is not known."""
        if isinstance(self.verdict, NotApplicable):
            return False
        if self.use is not None and self.use.cases:
            return True
        # a failure ends the search for such a case
        return False if self.use is not None and self.verdict.complete else None


def seen(expected: Expected, verdicts: Iterable[Verdict]) -> list[Seen]:
    """Return what was seen of each entry that applies, but of those that are only mentioned."""
    by_place = {each.key: each for each in verdicts}
    found = []
    for each in expected.applied:
        verdict = by_place.get((each.entry.requirement, each.implementation, each.device))
        if verdict is not None and each.excuses:
            uses = {use.at: use for use in verdict.expectations}
            found.append(Seen(each, verdict, uses.get(each.entry.at)))
    return found


def complaints(expected: Expected, verdicts: Sequence[Verdict]) -> list[Complaint]:
    """Return what is wrong with the file of `expected`, in the order of its lines; none without."""
    if not expected.file:
        return []
    mine = [each for each in seen(expected, verdicts) if not each.entry.shipped]
    return [*_of_entries(mine), *_unlisted(expected, verdicts)]


def _of_entries(mine: Sequence[Seen]) -> Iterator[Complaint]:
    for each in mine:
        at, where = each.entry.at, _where(each.verdict)
        if each.use is not None and each.use.otherwise:
            assert each.verdict.counterexample is not None
            failure = each.verdict.counterexample.message.partition("\n")[0]
            text = f"{where} fails otherwise, not by {each.entry.expected()}: {failure}"
            yield Complaint(at, OTHER, text)
        elif missed(each):
            yield Complaint(at, UNEXPECTED_PASS, f"{where} holds: remove the entry")
    for at, of_entry in grouped(mine, lambda each: each.entry.at).items():
        if all(each.met is False for each in of_entry):
            verdict = of_entry[0].verdict
            reason = f"no case of {_where(verdict)} meets its conditions"
            if isinstance(verdict, NotApplicable):
                reason = f"{_where(verdict)} is not applicable: {verdict.reason}"
            yield Complaint(at, NOTHING, reason)
    for at, by in idle(mine).items():
        text = f"the entry at {by} expects all that it does: remove one, or limit the other"
        yield Complaint(at, IDLE, text)


def idle(mine: Iterable[Seen]) -> dict[str, str]:
    """Return which entry includes each that adds nothing, by their places; of two alike the first.

    Entries whose conditions overlap all have cases of their own.
    """
    entries = {each.entry.at: each.entry for each in mine}.values()
    found: dict[str, str] = {}
    for alike in grouped(entries, lambda each: each.requirement).values():
        for number, entry in enumerate(alike):
            for place, other in enumerate(alike):
                first = place < number or not entry.includes(other)
                if place != number and first and other.includes(entry):
                    found.setdefault(entry.at, other.at)
    return found


def missed(each: Seen) -> bool:
    """Return whether the failure of an entry that must occur did not occur."""
    never = each.use is not None and each.use.cases > 0 and not each.use.failed
    return never and isinstance(each.verdict, UnexpectedPass) and each.applied.must_occur


def unlisted(expected: Expected, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the failures that no entry of the file is about."""
    shipped = {each.entry.at for each in expected.applied if each.entry.shipped}
    return [
        each
        for each in verdicts
        if each.fails
        and not each.conformant
        and not any(use.otherwise for use in each.expectations if use.at not in shipped)
    ]


def _unlisted(expected: Expected, verdicts: Iterable[Verdict]) -> Iterator[Complaint]:
    for where, found in grouped(unlisted(expected, verdicts), lambda each: each.where).items():
        names = ", ".join(each.requirement for each in found)
        yield Complaint(expected.file, UNLISTED, f"{where}: {names}")


def _where(verdict: Verdict) -> str:
    return f"{verdict.requirement} on {verdict.implementation} ({verdict.device})"
