"""Parameters that an adapter does not name, and on which the results depend all the same."""

from __future__ import annotations

from conformance.checking.comparison import judged
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import larger
from conformance.implementations.by_hand import HandWritten
from reference import Case


def relied_on(recording: Recording, case: Case) -> list[str]:
    """List the parameters that make results wrong if all others are kept, in cases such as `case`.

    The list is empty unless the results are right where all parameters that the adapter does not
    name stay as the constructor makes them.
    """
    mine = recording.implementation
    names = mine.unnamed(case) if isinstance(mine, HandWritten) else []
    if not names or not _is_right(recording, case, names):
        return []
    case = larger(case, 2)
    alone = [name for name in names if not _is_right(recording, case, [*{*names} - {name}])]
    return alone or names


def in_words(names: list[str]) -> str:
    """Say that results depend on `names`."""
    *others, last = names
    listed = f"{', '.join(others)} and {last} keep" if others else f"{last} keeps"
    their, them = ("their values", "them") if others else ("its value", "it")
    unless = f"no argument of the adapter names {them}, and kept does not"
    return f"The results are right only while {listed} {their} from the constructor: {unless}."


def _is_right(recording: Recording, case: Case, kept: list[str]) -> bool:
    mine = recording.implementation
    assert isinstance(mine, HandWritten)
    other = Recording(mine.keeping(kept), recording.deadline, recording.before)
    got = other.answer(case)
    return got is not None and right(got, judged(mine, case, got))
