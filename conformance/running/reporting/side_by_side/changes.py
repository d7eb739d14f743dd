"""What changed from one report to another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from conformance.checking.verdict import FailedShould, Key, NotApplicable, Passed, Verdict
from conformance.errors import UsageError
from conformance.recording.text import one_line
from conformance.running.reporting.side_by_side.reports import Report, failure

GROWN = 4.0
"""The factor by which a share of the bound has to grow to count as a loss of accuracy.

The largest share of the cases of one run differs from that of other cases by less than that.
"""
LEAST = 0.05
"""The share of the bound up to which nothing is a loss: there the noise of few cases is seen."""
UNITS_GROWN, LEAST_UNITS = 2.0, 1.0
"""The same for the errors of sigmoid and tanh in unit roundoffs, which no drawn case changes."""


class Kind(Enum):
    """The kinds of change, in the order in which they are listed; `value` is the heading."""

    RED = "New reds"
    OTHERWISE = "Fail in another way"
    SHOULD = "Hold no more, though they only should"
    UNCHECKED = "Are no longer checked"
    ACCURACY = "Lost accuracy"
    EXPECTED = "Fail now, as expected"
    JUDGED = "The same failures, judged in another way"
    MENDED = "Mended"
    CHECKED = "Are checked now"
    ADDED = "New requirements"
    REMOVED = "Requirements that are gone"

    @property
    def worse(self) -> bool:
        """Whether a change of this kind makes the newer report the worse one."""
        return self in (Kind.RED, Kind.OTHERWISE, Kind.SHOULD, Kind.UNCHECKED, Kind.ACCURACY)


@dataclass(frozen=True)
class Change:
    """One change: its kind, what it is about, both verdicts if there are, and `what` in words."""

    kind: Kind
    key: Key
    old: Verdict | None
    new: Verdict | None
    what: str = ""


def changes(old: Report, new: Report) -> list[Change]:
    """Return all changes, those that make it worse first.

    Raises :class:`UsageError` if no implementation is in both reports.
    """
    common = [name for name in old.implementations if name in new.implementations]
    if not common:
        one, other = (one_line(", ".join(each.implementations)) or "nothing" for each in (old, new))
        text = f"cannot be compared: one is about {one}, the other about {other}"
        raise UsageError(f"{old.file} and {new.file} {text}")
    groups = {key[1:] for key in old.by_key} & {key[1:] for key in new.by_key}
    keys = [key for key in {**old.by_key, **new.by_key} if key[1:] in groups]
    found = [change for key in keys for change in _of(key, old, new)]
    order = list(Kind)
    return sorted(found, key=lambda change: order.index(change.kind))


def _of(key: Key, old: Report, new: Report) -> Iterator[Change]:
    before, after = old.by_key.get(key), new.by_key.get(key)
    if before is None or after is None:
        gone = after is None
        only = (Kind.REMOVED if new.complete else Kind.UNCHECKED) if gone else Kind.ADDED
        if after is not None and not after.conformant:
            only = Kind.RED
        yield Change(only, key, before, after)
        return
    kind = _kind(before, after)
    if kind is not None:
        yield Change(kind, key, before, after)
    elif isinstance(after, Passed):
        for what in (*grown_shares(before, after), *grown_units(before, after)):
            yield Change(Kind.ACCURACY, key, before, after, what)


def _kind(old: Verdict, new: Verdict) -> Kind | None:
    was, now = failure(old), failure(new)
    if was is not None and now is not None:
        if was != now:
            return Kind.OTHERWISE
        return None if old.outcome == new.outcome else Kind.JUDGED
    if old.outcome == new.outcome:
        return None
    if not new.conformant:
        return Kind.RED
    if isinstance(new, NotApplicable):
        return Kind.UNCHECKED
    if isinstance(new, FailedShould):
        return Kind.SHOULD
    if isinstance(new, Passed):
        return Kind.CHECKED if isinstance(old, NotApplicable) else Kind.MENDED
    return Kind.EXPECTED


def grown_shares(old: Verdict, new: Verdict) -> Iterator[str]:
    """Yield, in words, each share of the bound that has grown much: by dtype, where reports say."""
    for dtype, before, after in _both(_shares(old), _shares(new)):
        if after > LEAST and after > GROWN * before:
            yield f"{dtype}{before:.2%} of the bound before, {after:.2%} now"


def grown_units(old: Verdict, new: Verdict) -> Iterator[str]:
    """Yield, in words, each error of sigmoid and tanh that has grown much."""
    for dtype in old.units.keys() & new.units.keys():
        for function, before, after in _both(old.units[dtype], new.units[dtype]):
            if after > LEAST_UNITS and after > UNITS_GROWN * before:
                yield f"{dtype}: {function}{before:.3g} units before, {after:.3g} now"


def _shares(verdict: Verdict) -> Mapping[str, float]:
    if verdict.shares:
        return verdict.shares
    return {} if verdict.largest_share is None else {"": verdict.largest_share}


def _both(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield what both have, with a colon and a space after each name."""
    if set(old) != set(new) and "" in {*old, *new}:  # one of them has no shares by dtype
        old, new = {"": max(old.values(), default=0)}, {"": max(new.values(), default=0)}
    for name in new:
        if name in old:
            yield f"{name}: " if name else "", float(old[name]), float(new[name])
