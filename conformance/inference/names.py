"""What the names of arguments and of what is returned say."""

from __future__ import annotations

import re

LENGTHS_CALLED = r"^(?!max).*(len(gth)?s?$|lens?_|seq_sizes?)"
"""Names of arguments that are the lengths of rows."""


STATES_CALLED = r"^[hcs]\d?$|^[hc]_?[xnt]?_?\d?$|h_?c|hid|cell|stat|mem|carry|init|start|prev|last"
"""Names of arguments that are initial states, or hold them."""


KEPT_STATES = r"(^|[._])([hc]|[hc]x|hidden|cell|states?|init|hc)(_?states?)?\.\d+$"
"""Names of the states that an instance keeps in a tuple, which are no parameters."""


def named_state(name: str) -> str:
    """Return "h" or "c" for the name of a hidden or a cell state, "" for any other name."""
    found = re.fullmatch(
        r"(?:prev_|last_|init_|new_)?(h|c|hidden|cell)(?:_?(?:x|n|0|t|s|in|prev|next|state))?",
        name.lower(),
    )
    return found[1][0] if found else ""
