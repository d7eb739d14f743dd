"""Verdicts where a failure is expected, strictly.

Every case is tried. A failure that an entry expects of its case is counted and passed over, so that
it hides no other: neither one of another kind, nor one of a case that no entry is about. If an
entry's failure does not occur on any case that it is about, the verdict is an unexpected pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from conformance.checking import devices
from conformance.checking.cells import summed
from conformance.checking.digest import combined
from conformance.checking.expectations.expectation import Applied, Role
from conformance.checking.finding import Finding, counterexample, size
from conformance.checking.verdict import (
    ExpectedFailure,
    NotApplicable,
    Passed,
    UnexpectedPass,
    Use,
    Verdict,
)
from conformance.implementations.failures import Died, LostDevice, NoAnswer
from reference import Case

Check = Callable[[tuple[str, ...], Callable[[Case], bool]], Verdict]
"""Decides on the cases of some dtypes for which a function returns True."""


class Watch:
    """What was seen of the entries that apply to an implementation, a device and a requirement."""

    def __init__(self, applied: Sequence[Applied] = ()) -> None:
        self.applied = applied
        self.excusing = [each for each in applied if each.excuses]
        self.cases: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.otherwise: Counter[str] = Counter()
        self.smallest: Finding | None = None

    def tries(self, case: Case) -> None:
        """Count the case for each entry that is about it."""
        self.cases.update(each.entry.at for each in self.excusing if each.entry.covers(case))

    def passes_over(self, found: Finding) -> bool:
        """Return whether an entry expects what was found, and count it for each that does."""
        expecting = [
            each
            for each in self.excusing
            if each.entry.covers(found.case) and each.entry.is_of(found.failure)
        ]
        if not expecting:
            return False
        self.failed.update(each.entry.at for each in expecting)
        if self.smallest is None or size(found.case) < size(self.smallest.case):
            self.smallest = found
        return True

    @property
    def contradicted(self) -> bool:
        """Whether something failed in another way than an entry says that must occur."""
        strict = [each.entry.at for each in self.applied if each.role is Role.STRICT]
        return any(self.otherwise[at] for at in strict)

    def judged(self, verdict: Verdict, found: Finding) -> Verdict:
        """Return the verdict on what was found, which no entry expects, with what is known of it.

        The entry that expects another failure of this case is named; or else the LSTM of PyTorch
        that fails in the same way.
        """
        about = [each for each in self.applied if each.entry.covers(found.case)]
        strict = [each for each in about if each.role is Role.STRICT]
        self.otherwise.update(each.entry.at for each in strict)
        reasons = [
            f"known to fail in another way ({each.entry.at}): {each.entry.reason}"
            for each in strict
        ]
        reasons += [
            f"{each.named} fails in the same way: {each.entry.reason}"
            for each in about
            if each.role is Role.MENTIONED and each.entry.is_of(found.failure)
        ]
        return replace(verdict, reason="; ".join(filter(None, [verdict.reason, *reasons[:1]])))

    def of_one(self, verdict: Verdict, found: Finding) -> Verdict:
        """Return the verdict on a single case, as an expected failure or not.

        It may be the case in which a process ended: what the process had counted is lost with it.
        """
        self.tries(found.case)
        if not self.passes_over(found):
            return replace(self.judged(verdict, found), expectations=self._uses(self.otherwise))
        seen = {"reason": self._reason(), "expectations": self._uses(self.failed)}
        return ExpectedFailure(**{**vars(verdict), **seen})

    def concluded(self, verdict: Verdict) -> Verdict:
        """Return what becomes of the verdict on all cases, with what was seen of each entry."""
        verdict = replace(verdict, expectations=self._uses())
        if not isinstance(verdict, Passed):
            return verdict
        missed = [
            each.entry
            for each in self.excusing
            if each.must_occur and self.cases[each.entry.at] and not self.failed[each.entry.at]
        ]
        if missed:
            reason = "; ".join(f"known to fail ({each.at}): {each.reason}" for each in missed)
            entries = "the entry" if len(missed) == 1 else "these entries"
            reason = f"{reason}; it does not fail so any more: remove {entries}"
            return UnexpectedPass(**{**vars(verdict), "reason": reason})
        if self.smallest is None:
            return verdict
        shown = {"reason": self._reason(), "counterexample": counterexample(self.smallest)}
        return ExpectedFailure(**{**vars(verdict), **shown})

    def _reason(self) -> str:
        entries = [each.entry for each in self.excusing if self.failed[each.entry.at]]
        return "; ".join(dict.fromkeys(each.reason for each in entries))

    def _uses(self, places: Counter[str] | None = None) -> tuple[Use, ...]:
        """Return what was seen of each entry, or of those in `places`."""
        found = [each.entry.at for each in self.excusing]
        return tuple(
            Use(at, self.cases[at], self.failed[at], self.otherwise[at])
            for at in found
            if places is None or places[at]
        )


def ends_process(found: Finding) -> bool:
    """Whether no other case can be counted on after what was found."""
    return isinstance(found.failure, (Died, NoAnswer, LostDevice))


def decide(watch: Watch, dtypes: tuple[str, ...], check: Check) -> Verdict:
    """Run `check` on all cases, those last of which the end of the process is expected.

    An entry of whose cases none was drawn is tried by itself.
    """
    ending = [each.entry for each in watch.excusing if each.entry.ends_process]
    whole = [each for each in ending if not each.case]
    others = tuple(
        name for name in dtypes if not any(name in (each.dtype or dtypes) for each in whole)
    )
    verdicts = []
    if others:
        verdicts = [check(others, lambda case: not any(each.covers(case) for each in ending))]
    for entry in (each.entry for each in watch.excusing):
        if devices.lost() or not all(verdict.conformant for verdict in verdicts):
            break
        mine = tuple(name for name in dtypes if name in (entry.dtype or dtypes))
        if mine and not watch.cases[entry.at]:
            verdicts.append(check(mine, entry.covers))
    return watch.concluded(merged(verdicts))


def merged(verdicts: Sequence[Verdict]) -> Verdict:
    """Return one verdict for several on parts of the cases: the first that is not conformant."""
    if len(verdicts) == 1:
        return verdicts[0]
    decided = [each for each in verdicts if not isinstance(each, NotApplicable)] or verdicts
    worst = next((each for each in decided if not each.conformant), decided[-1])
    largest = [each.largest_share for each in decided if each.largest_share is not None]
    shares: dict[str, float] = {}
    for each in decided:
        for dtype, share in each.shares.items():
            shares[dtype] = max(share, shares.get(dtype, 0.0))
    return replace(
        worst,
        cases=sum(each.cases for each in decided),
        cases_digest=combined(each.cases_digest for each in decided),
        cells=summed(each.cells for each in decided),
        largest_share=max(largest, default=None),
        shares=shares,
        seconds=sum(each.seconds for each in decided),
    )
