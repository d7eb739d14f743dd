"""The end of a script: lines that find out whether the script shows a fault.

A requirement that finds a fault attaches the ending to the failure. An ending uses only objects
that the running tape knows: there is none without a tape, or for an object that no step made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.recording.noting import current
from conformance.recording.operands import Name, Text, names_in
from conformance.recording.steps import Step


@dataclass(frozen=True, eq=False)
class Ending:
    """The lines that follow the steps of a script and set its variable ``fault``.

    - `text`: the lines, with named gaps;
    - `operands`: what fills the gaps, by their names;
    - `steps`: the steps before the lines;
    - `said`: a remark for the report, beside the failure itself;
    - `names`: variables that the lines use without a gap.
    """

    text: str
    operands: dict[str, Any]
    steps: Sequence[Step]
    said: str = ""
    names: tuple[Name, ...] = ()

    def used(self) -> set[Name]:
        """Collect the variables that the lines use."""
        return {*names_in(self.operands), *self.names}


def ending(text: str, **operands: Any) -> Ending | None:
    """Write the lines `text`, with `operands` in the gaps; None if the tape lacks an operand."""
    tape = current()
    if tape is None:
        return None
    known = {gap: tape.known(value) for gap, value in operands.items()}
    return None if None in known.values() else Ending(text, known, tape.steps)


def unequal(got: str, expected: object, **operands: Any) -> Ending | None:
    """Write an ending that finds a fault if the expression `got` differs from `expected`."""
    lines = f"got = {got}\nexpected = {{wanted}}\nfault = got != expected\n"
    lines += 'print(f"expected: {{expected}}\\ngot:      {{got}}")'
    return ending(lines, wanted=Text(repr(expected)), **operands)


def untrue(condition: str, message: str, **operands: Any) -> Ending | None:
    """Write an ending that finds a fault, and prints `message`, if `condition` is false."""
    lines = f"fault = not {condition}\nprint({{message}} if fault else 'as expected')"
    return ending(lines, message=Text(repr(message)), **operands)
