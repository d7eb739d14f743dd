"""From recorded steps to lines of Python."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.recording.operands import (
    Literal,
    Made,
    Name,
    Origin,
    Part,
    Text,
    keyword_arguments,
    names_in,
)
from conformance.recording.steps import Step
from conformance.reproductions.literals import written
from conformance.reproductions.origins import importing
from reference import Case

LOOPED = '''
def looped(cell, x, state=None):
    """Run a cell over the time steps of x; return every hidden state, the last h and the last c."""
    outputs = []
    for step in x:
        state = cell(step, state)
        outputs.append(state[0])
    return torch.stack(outputs), state[0][None], state[1][None]
'''


def component(steps: Sequence[Step], names: Iterable[Name]) -> list[Step]:
    """Return the steps that are connected with these variables, and those without any variable."""
    needed = set(names)
    # a step connects all its variables, so each step that is kept may bring in further ones
    size = -1
    while size != len(needed):
        size = len(needed)
        for step in steps:
            if step.names() & needed:
                needed |= step.names()
    return [step for step in steps if not step.names() or step.names() & needed]


class Lines:
    """Lines of a script for `steps`, with the imports and helper functions that the lines need.

    Steps that only read a variable are left out, unless what they read is `needed`.
    """

    def __init__(self, steps: Sequence[Step], needed: Iterable[Name] = ()) -> None:
        self.lines: list[str] = []
        self.imports: list[str] = []
        self.helpers: list[str] = []
        self._called: dict[Name, str] = {}  # the name in the script of each variable so far
        self._inline: dict[Name, Literal] = {}  # literals that are written inside a dict
        self._stems: dict[Name, str] = {}  # better beginnings of names than the recorded ones
        self._steps = steps
        self._needed = set(needed)
        # after the last step that changes anything, reading a variable needs no copy of it
        self._last = max((n for n, step in enumerate(steps) if not _quiet(step)), default=-1)
        self._plan()

    def take(self, steps: Sequence[Step]) -> None:
        """Write some of the steps, in their order."""
        for step in steps:
            if step.reads and self._steps.index(step) > self._last:
                self._called[step.new[0]] = self.fill(step.operands["tensor"])
            elif step.reads and step.new[0] not in self._needed:
                continue
            elif not (_is_literal(step) and step.new[0] in self._inline):
                self.step(step)

    def _plan(self) -> None:
        """Name literals after the arguments that they are used for.

        A literal that is used in one dict only is written inside that dict.
        """
        steps = self._steps
        literals = {step.new[0]: step for step in steps if _is_literal(step)}
        for step in steps:
            for operand in step.operands.values():
                if isinstance(operand, Mapping):
                    for name in set(names_in(operand)) & set(literals):
                        # twice: by the step that makes the literal, and by the dict
                        used = [s for s in steps if name in names_in(s.operands)]
                        if len(used) == 2:
                            self._inline[name] = literals[name].operands["array"]
        for name in literals:
            gaps = [
                gap
                for step in steps
                for gap, operand in step.operands.items()
                if operand == name and not _is_literal(step) and not step.reads
            ]
            self._stems[name] = gaps[0] if gaps else "x"

    def step(self, step: Step) -> None:
        """Write one step."""
        if step.reads:
            self._stems[step.new[0]] = f"{self.fill(step.operands['tensor'])}_before"
        filled = {}
        for gap, operand in step.operands.items():
            filled[gap] = self.fill(operand)
            if isinstance(operand, (Literal, Case)) and not _is_literal(step):
                called = self._fresh("case" if isinstance(operand, Case) else gap)
                # the number is that of no recorded variable: this only reserves the name
                self._called[Name(-len(self._called), gap)] = called
                self.lines += f"{called} = {filled[gap]}".split("\n")
                filled[gap] = called
        text = step.text.format(**filled)
        for needed in re.findall(r"^(?:.*\b)?(copy|pickle|io)\.", step.text):
            self.need(f"import {needed}")
        if "torch." in text:
            self.need("import torch")
        if "looped(" in text:
            self.help(LOOPED)
        under = () if _is_literal(step) else step.under
        for number, block in enumerate(under):
            for line in block.imports:
                self.need(line)
            self.lines.append("    " * number + f"with {block.text}:")
        self.lines += textwrap.indent(text, "    " * len(under)).split("\n")

    def name(self, name: Name) -> str:
        """Return the name of a variable in the script."""
        if name not in self._called:
            self._called[name] = self._fresh(self._stems.get(name, name.stem))
        return self._called[name]

    def _fresh(self, stem: str) -> str:
        stem = re.sub(r"\W", "_", stem)
        taken = set(self._called.values())
        number = 1
        while (called := stem if number == 1 else f"{stem}_{number}") in taken:
            number += 1
        return called

    def fill(self, operand: Any) -> str:
        """Return an operand as text, and note the imports and helper functions that it needs."""
        if isinstance(operand, Name):
            literal = self._inline.get(operand)
            return self.name(operand) if literal is None else self.literal(literal)
        if isinstance(operand, Part):
            return f"{self.name(operand.of)}{operand.text}"
        if isinstance(operand, Text):
            for line in operand.imports:
                self.need(line)
            return operand.text
        if isinstance(operand, Origin):
            lines, expression = importing(operand)
            for line in lines:
                if line.startswith("import "):
                    self.need(line)
            own = [line for line in lines if not line.startswith("import ")]
            self.help("\n".join(own), first=True)
            return expression
        if isinstance(operand, Made):
            return f"{self.fill(operand.of)}()"
        if isinstance(operand, Literal):
            return self.literal(operand)
        if isinstance(operand, Case):
            return self.case(operand)
        if isinstance(operand, tuple):
            parts = [self.fill(each) for each in operand]
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        items = ((key, self.fill(value)) for key, value in operand.items())
        body = "".join(f"    {key!r}: {_hang(text)},\n" for key, text in items)
        return f"{{\n{body}}}".replace("'", '"')

    def literal(self, literal: Literal) -> str:
        """Return an array or tensor as text."""
        text = written(literal)
        for line in text.imports:
            self.need(line)
        for helper in text.helpers:
            self.help(helper)
        if re.search(r"\b(nan|inf)\b", text.text):
            self.need("from math import inf, nan")
        return text.text

    def case(self, case: Case) -> str:
        """Return a case as the call of its constructor."""
        self.need("from reference import Case, Configuration")
        options = keyword_arguments(case.configuration.arguments()).text
        parameters = {name: Literal(a, tensor=False) for name, a in case.parameters.items()}
        parts = [f"Configuration({options})", self.fill(parameters)]
        for name in ("input", "h_0", "c_0", "lengths"):
            array = getattr(case, name)
            if array is not None:
                parts.append(f"{name}={self.literal(Literal(array, tensor=False))}")
        parts += [f"device={case.device!r}"] if case.device != "cpu" else []
        made = "Case" if _possible(case) else "Case.unchecked"
        return f"{made}(\n" + "".join(f"    {_hang(part)},\n" for part in parts) + ")"

    def need(self, line: str) -> None:
        """Add an import at the head of the script."""
        if line and line not in self.imports:
            self.imports.append(line)

    def help(self, text: str, first: bool = False) -> None:
        """Add a helper function, or lines that must come `first`."""
        if text and text not in self.helpers:
            self.helpers.insert(0 if first else len(self.helpers), text)


def can_be_written(step: Step) -> bool:
    """Return whether a script can make the cases of a step: only their lengths may be invalid."""
    cases = [each for each in step.operands.values() if isinstance(each, Case)]
    return all(_possible(Case.unchecked(**{**vars(case), "lengths": None})) for case in cases)


def _possible(case: Case) -> bool:
    """Return whether the constructor accepts what `case` holds."""
    try:
        replace(case)
    except ValueError:
        return False
    return True


def _hang(text: str) -> str:
    return text.replace("\n", "\n    ")


def _is_literal(step: Step) -> bool:
    return step.text == "{tensor} = {array}"


def _quiet(step: Step) -> bool:
    """Return whether a step changes nothing that was there before it."""
    return step.reads or _is_literal(step)
