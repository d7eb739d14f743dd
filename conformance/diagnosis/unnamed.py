"""Parameters that an adapter does not name, and on which the results depend all the same."""

from __future__ import annotations

from collections.abc import Collection

from conformance.checking.truth import judged
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import larger
from conformance.diagnosis.starts import held_at_zero, starts
from conformance.implementations.by_hand import HandWritten
from reference import Case


def explained_by_unnamed(recording: Recording, case: Case) -> str:
    """Say which parameters make results wrong that the adapter does not name, "" if none does.

    If all of them are initial states, that is the arguments with which results are right.
    """
    mine = recording.implementation
    if not isinstance(mine, HandWritten):
        return ""
    names = mine.unnamed(case)
    if not names:
        return ""
    case = larger(case, 2)
    if found := starts(recording):
        held = held_at_zero(mine, found)
        if _is_right(recording, case, **held):
            where = " and ".join(f"{state} from {name}" for name, state in found.items())
            given = ", ".join(f"{key}={_quoted(each)}" for key, each in held.items())
            start = f"The LSTM starts {where}, which no argument of the adapter names"
            return f"{start}: with {given} the results are right."
    return _in_words(_relied_on(recording, case, names))


def _relied_on(recording: Recording, case: Case, names: list[str]) -> list[str]:
    """List those of the parameters `names` that make results wrong if all others are kept.

    The list is empty unless results are right where all `names` stay as the constructor makes them.
    """
    if not _is_right(recording, case, names):
        return []
    alone = [name for name in names if not _is_right(recording, case, {*names} - {name})]
    return alone or names


def _in_words(names: list[str]) -> str:
    """Say that results depend on `names`, "" if there are none."""
    if not names:
        return ""
    *others, last = names
    listed = f"{', '.join(others)} and {last} keep" if others else f"{last} keeps"
    their, them = ("their values", "them") if others else ("its value", "it")
    unless = f"no argument of the adapter names {them}, and kept does not"
    return f"The results are right only while {listed} {their} from the constructor: {unless}."


def _quoted(names: Collection[str]) -> str:
    """Write `names` as an argument of an adapter."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f"({listed})" if len(names) > 1 else listed


def _is_right(
    recording: Recording, case: Case, kept: Collection[str] = (), zeroed: Collection[str] = ()
) -> bool:
    mine = recording.implementation
    assert isinstance(mine, HandWritten)
    other = Recording(mine.keeping(kept, zeroed), recording.deadline, recording.before)
    got = other.answer(case)
    return got is not None and right(got, judged(mine, case, got))
