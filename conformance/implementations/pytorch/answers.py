"""What a torch module returns, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.implementations.failures import NoResult
from conformance.recording.ending import Ending
from conformance.recording.text import kind_of


def unpack(
    answer: Any, ending: Callable[[], Ending | None] = lambda: None
) -> tuple[Any, tuple[Any, Any]]:
    """Take an answer ``output, (h_n, c_n)`` apart; :class:`NoResult` if it has another form."""
    output, states = pair(answer, "the answer", ending)
    return output, pair(states, "the second part of the answer", ending)


def pair(answer: Any, what: str, ending: Callable[[], Ending | None]) -> tuple[Any, Any]:
    """Take a tuple or list of two apart; :class:`NoResult` with `ending` for anything else."""
    if not issubclass(type(answer), (tuple, list)):
        raise NoResult(f"{what} is a {kind_of(answer)}, not a tuple of two", ending())
    if len(answer) != 2:
        raise NoResult(f"{what} has {len(answer)} parts, not two", ending())
    return answer[0], answer[1]
