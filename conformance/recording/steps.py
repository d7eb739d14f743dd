"""Single steps of a recording, and comparisons of the arrays that steps made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.recording.operands import Literal, Name, Text, names_in
from reference import Case


@dataclass(frozen=True, eq=False)
class Step:
    """One line of Python that does something with an implementation.

    - `text`: the line, with named gaps;
    - `new`: the variables that the line makes;
    - `operands`: what fills the gaps, by their names;
    - `under`: the ``with`` blocks around the line, the outermost first;
    - `attempt`: the number of the attempt, if the implementation must refuse the line;
    - `case`: the case that the line computes, if the line is a plain call;
    - `reads`: whether the line only copies the present value of a variable.
    """

    text: str
    new: tuple[Name, ...] = ()
    operands: Mapping[str, Any] = field(default_factory=dict)
    under: tuple[Text, ...] = ()
    attempt: int | None = None
    case: Case | None = None
    reads: bool = False

    def names(self) -> set[Name]:
        """Collect every variable of the step."""
        return {*self.new, *names_in(self.operands)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two arrays that were compared, and their largest allowed distance, element by element.

    `got` and `expected` are operands: a variable, a literal, or None if the tape lacks the array.
    `part` is the Python that selects what was compared from a larger array.
    """

    got: Any
    expected: Any
    allowed: Literal
    part: str = ""
