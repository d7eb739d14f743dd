"""A second call of the same instance: what it keeps from the first, and how that is reset."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from reference import Array

if TYPE_CHECKING:
    from conformance.inference.guess import Guess
    from conformance.inference.leaves import Returned
    from conformance.inference.probing import Prober

RESETS = r"^_?(init|reset|clear|zero|detach|new)\w*(state|hidden|memory)|^reset$"
"""Names of methods that reset the states of an instance."""


class Second(NamedTuple):
    """What a second call of one instance showed.

    - `wavers`: whether the call returned other numbers than the first
    - `kept`: the attributes that the first call had changed
    - `reset`: the method after which a call returns the same numbers again; empty if none is known
    - `changed`: the names of the arguments whose arrays a call has changed
    """

    wavers: bool
    kept: tuple[str, ...] = ()
    reset: str = ""
    changed: tuple[str, ...] = ()

    @property
    def faults(self) -> list[str]:
        """What is wrong with a class that returns other numbers, and has no way to reset that."""
        if not self.wavers or self.reset:
            return []
        why = "something is random though in eval mode"
        if self.kept:
            why = (
                f"it goes on from {self._listed}, which the first call changed; nothing resets that"
            )
        return [f"a second call of the same instance returns other numbers: {why}"]

    @property
    def remarks(self) -> list[str]:
        """What else to know of several calls."""
        found = [f"a call changes the given {name} in place" for name in self.changed]
        if self.reset:
            until = f"until {self.reset}() is called: each case is verified with a new instance"
            found.append(f"a call goes on from {self._listed} of the call before, {until}")
        return found

    @property
    def _listed(self) -> str:
        return " and ".join(f"self.{each}" for each in self.kept)


def second_call(
    prober: Prober, guess: Guess, values: Mapping[str, Array], parameters: Mapping[str, Array]
) -> Second:
    """Call one instance twice in the same way, and if it wavers once more after each reset."""
    seen: list[Any] = []

    def changed(holder: Any) -> None:
        now = dict(vars(holder)) if hasattr(holder, "__dict__") else {}
        seen.append(now)

    answers = prober.answers(guess, values, parameters, count=2, before=changed)
    overwritten = tuple(sorted(prober.overwritten))
    if len(answers) < 2 or _alike(*answers):
        return Second(False, changed=overwritten)
    kept = tuple(key for key in seen[-1] if seen[-1][key] is not seen[0].get(key))
    for method in (each for each in dir(prober.subject().holder) if re.search(RESETS, each)):
        calls = 0

        def reset(holder: Any, method: str = method) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                _reset(holder, method, kept, guess.reading.rows)

        with contextlib.suppress(Exception):
            again = prober.answers(guess, values, parameters, count=2, before=reset)
            if len(again) == 2 and _alike(*again):
                return Second(True, kept, method, overwritten)
    return Second(True, kept, "", overwritten)


def _reset(holder: Any, method: str, kept: tuple[str, ...], rows: int) -> None:
    """Call a method that resets states; if it returns them they go where states are kept."""
    try:
        made = getattr(holder, method)()
    except TypeError:
        made = getattr(holder, method)(rows)
    if made is not None and len(kept) == 1:
        setattr(holder, kept[0], made)


def _alike(first: Returned, second: Returned) -> bool:
    pairs = zip(first.leaves, second.leaves, strict=False)
    return all(np.array_equal(a.array, b.array, equal_nan=True) for a, b in pairs)
