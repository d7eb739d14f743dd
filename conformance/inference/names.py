"""What the names of arguments and of what is returned say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

LENGTHS_CALLED = r"^(?!max).*(len(gth)?s?$|lens?_|seq_sizes?)"
"""Names of arguments that are the lengths of rows."""


STATES_CALLED = r"^[hcs]\d?$|^[hc]_?[xnt]?_?\d?$|h_?c|hid|cell|stat|mem|carry|init|start|prev|last"
"""Names of arguments that are initial states, or hold them."""


KEPT_STATES = r"(^|[._])([hc]|[hc]x|hidden|states?|hc)(_?states?)?\.\d+$"
"""Names of the states that an instance keeps in a tuple, which are not parameters."""


def named_state(name: str) -> str:
    """Return "h" or "c" for the name of a hidden or a cell state, "" for any other name."""
    found = re.fullmatch(
        r"(?:prev_|last_|init_|new_)?(h|c|hidden|cell)(?:_?(?:x|n|0|t|s|in|prev|next|state))?",
        name.lower(),
    )
    return found[1][0] if found else ""


def is_plain(parameter: inspect.Parameter) -> bool:
    """Return whether the default of an argument is a number or a text."""
    return isinstance(parameter.default, (int, float, str))


def needs(signature: inspect.Signature) -> str:
    """Name the arguments that a call needs beside input, states and lengths, "" without such.

    The input is the first argument that has no name of a state.
    """
    needed = [p for p in signature.parameters.values() if p.default is p.empty]
    kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    known = f"{STATES_CALLED}|{LENGTHS_CALLED}"
    others = [
        p.name for p in needed if p.kind not in kinds and not re.search(known, p.name.lower())
    ][1:]
    if not others:
        return ""
    what = f"a call takes {signature}, but infer cannot supply {few(others)}"
    return f"{what}; infer a subclass whose call takes the input, states and lengths alone"


def without_self(signature: inspect.Signature) -> inspect.Signature:
    """Leave out the instance, which methods of TorchScript list among their arguments."""
    arguments = [*signature.parameters.values()]
    bound = arguments[:1] != [] and arguments[0].name == "self"
    return signature.replace(parameters=arguments[bound:])


def few(names: Sequence[str]) -> str:
    """Return `names` in words, the first few of many."""
    shown = [*names[:3], f"{len(names) - 3} more"] if len(names) > 4 else [*names]
    *others, last = shown
    return f"{', '.join(others)} and {last}" if others else last
