"""The options of a call, read as the options of pytest are."""

from __future__ import annotations

import copy
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, cast

import pytest

from conformance.errors import unknown
from conformance.running import options
from conformance.running.journal import ALONE
from conformance.running.limits import WATCHED
from conformance.running.options.option import VERIFY

Words = str | Sequence[str]
"""One word, several separated by commas, or a sequence of them."""


class Settled:
    """The options of a run that begins now, in the place of pytest's configuration.

    `given` are values by the keys of :data:`conformance.running.options.table.OPTIONS`; others
    have defaults. Raises :class:`~conformance.UsageError` for values that are not allowed.
    """

    def __init__(self, **given: Any) -> None:
        self.option = Namespace(**{**options.defaults(VERIFY), **given})
        self.workerinput: dict[str, Any] = {"workerid": ALONE}
        self.stash = pytest.Stash()
        for option in options.of(VERIFY):
            value = getattr(self.option, option.key)
            if option.choices is not None and value not in option.choices:
                raise unknown(option.name, value, option.choices)
        options.check(vars(self.option), VERIFY)
        options.begin(self.option)

    @property
    def process(self) -> str:
        """The name of the process that has these options, in journals."""
        name: str = self.workerinput["workerid"]
        return name

    def of_process(self, name: str) -> Settled:
        """Return these options for a watched process with another name in journals."""
        other = copy.copy(self)
        other.workerinput = {"workerid": name, WATCHED: True}
        return other

    @property
    def of_pytest(self) -> pytest.Config:
        """These options, to be read as pytest's; nothing else of its configuration is there."""
        return cast(pytest.Config, self)

    def getoption(self, name: str) -> Any:
        """Return the value of the option with the key `name`."""
        return getattr(self.option, name)


def listed(words: Words) -> list[str]:
    """Return the words as a list."""
    return words.split(",") if isinstance(words, str) and words else list(words)


def joined(words: Words) -> str | None:
    """Return the words as the command takes them, None if there are none."""
    return ",".join(listed(words)) or None
