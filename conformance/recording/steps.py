"""One thing that is done with an implementation, and one comparison of what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.recording.operands import Literal, Name, Text, names_in
from reference import Case


@dataclass(frozen=True, eq=False)
class Step:
    """One line: its text, the variables that it makes, and what goes into its gaps.

    `under` are the ``with`` blocks around it. `attempt` numbers what must be refused. `case` is
    what a call computes, where that is a plain one. `reads` marks a look at a variable.
    """

    text: str
    new: tuple[Name, ...] = ()
    operands: Mapping[str, Any] = field(default_factory=dict)
    under: tuple[Text, ...] = ()
    attempt: int | None = None
    case: Case | None = None
    reads: bool = False

    def names(self) -> set[Name]:
        """Every variable in it."""
        return {*self.new, *names_in(self.operands)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two arrays that were compared, each a variable, numbers, or None if nothing is known."""

    got: Any
    expected: Any
    allowed: Literal
