"""One option, and who takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.running.options.values import writable_file

VERIFY, INFER, REPLAY, REPORT, PYTEST = "verify", "infer", "replay", "report", "pytest"
JUDGE, COMPARE, MATRIX = "judge", "compare", "matrix"
"""What takes options: seven commands, and pytest, whose options have the prefix ``--lstm``."""
VERIFYING = (VERIFY, PYTEST)
REPORTING = (VERIFY, REPORT, PYTEST)


@dataclass(frozen=True)
class Option:
    """One option.

    - `name`: without dashes; empty for the names of implementations, which are bare words of the
      command and values of ``--lstm`` for pytest
    - `help`: one line, for ``--help`` and for OPTIONS.md
    - `metavar`: the placeholder of the value in both; empty if the option takes no value
    - `kind`: makes the value from text
    - `default`: the value if the option is not given; an empty list if it can be `repeated`
    - `choices`: the only values, if any
    - `again`: whether the command that finds a failure again has this option
    - `check`: returns what a value must be, None if the value is right
    - `takers`: what takes the option
    - `short`: a second spelling for the command
    - `aside`: whether a run may be resumed with another value
    """

    name: str
    help: str
    metavar: str
    kind: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] | None = None
    repeated: bool = False
    again: bool = False
    check: Callable[[Any], str | None] = lambda _: None
    takers: tuple[str, ...] = VERIFYING
    short: str = ""
    aside: bool = False

    @property
    def written(self) -> bool:
        """Whether the value is a file that is written."""
        return self.check is writable_file

    @property
    def key(self) -> str:
        """The name of the value among parsed options."""
        return "_".join(["lstm", *self.name.split("-")]) if self.name else "lstm"

    def flag(self, taker: str) -> str:
        """Return the spelling for `taker`; empty for a bare word."""
        if taker == PYTEST:
            return f"--lstm-{self.name}" if self.name else "--lstm"
        return self.short or (self.name and f"--{self.name}")

    def keywords(self) -> dict[str, Any]:
        """Return what `argparse.ArgumentParser.add_argument` takes beside flags and `dest`."""
        if not self.metavar:
            return {"action": "store_true", "help": self.help}
        how = {"action": "append", "default": []} if self.repeated else {"default": self.default}
        how |= {"help": self.help, "metavar": self.metavar, "type": self.kind}
        return {**how, "choices": self.choices}
