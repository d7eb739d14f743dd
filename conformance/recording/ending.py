"""The end of a script: lines that find out whether a fault shows.

Whoever finds a fault hands its ending over with it. Its operands are objects that the running tape
knows; without a tape, or of an object that no step made, there is no ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.recording.operands import Name, Text, names_in
from conformance.recording.steps import Step
from conformance.recording.tape import current


@dataclass(frozen=True, eq=False)
class Ending:
    """The lines after the steps, which set ``fault``, and what goes into their gaps.

    `steps` are the last ones before it. `said` is what is to be told of it beside the failure.
    `names` are variables that the lines need beside those in the gaps.
    """

    text: str
    operands: dict[str, Any]
    steps: Sequence[Step]
    said: str = ""
    names: tuple[Name, ...] = field(default=())

    def used(self) -> set[Name]:
        """The variables that the lines need."""
        return {*names_in(self.operands), *self.names}


def ending(text: str, **operands: Any) -> Ending | None:
    """The lines `text`, whose gaps are filled with `operands`; None if one of them is unknown."""
    tape = current()
    if tape is None:
        return None
    known = {gap: tape.known(value) for gap, value in operands.items()}
    return None if None in known.values() else Ending(text, known, tape.steps)


def unequal(got: str, expected: object, **operands: Any) -> Ending | None:
    """It is a fault if the expression `got` is not what `expected` is."""
    lines = f"got = {got}\nexpected = {{wanted}}\nfault = got != expected\n"
    lines += 'print(f"expected: {{expected}}\\ngot:      {{got}}")'
    return ending(lines, wanted=Text(repr(expected)), **operands)


def untrue(condition: str, told: str, **operands: Any) -> Ending | None:
    """It is a fault if the expression `condition` is false; `told` says so."""
    lines = f"fault = not {condition}\nprint({{told}} if fault else 'as expected')"
    return ending(lines, told=Text(repr(told)), **operands)
