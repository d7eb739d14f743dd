"""Ways to call something with an input and initial states."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.inference.sizes import HIDDEN, INPUT, STACKED, SUM

_STATES = (("h_0[0]", "c_0[0]"), ("h_0", "c_0"))
_ORDERS = ("input, ({}, {})", "input, {}, {}", "({}, {}), input", "{}, {}, input")


def calls(cell: bool) -> Iterator[str]:
    """Arguments of a call, without states and then with them, the likeliest first."""
    yield "input"
    for states in _STATES[cell:]:
        for (h, c), form in itertools.product((states, states[::-1]), _ORDERS):
            yield form.format(h, c)


@dataclass(frozen=True)
class Signature:
    """What a function's arguments may be: the call, and a shape for each parameter."""

    call: str
    shapes: dict[str, tuple[int, ...]]


def signatures(function: Callable[..., Any], cell: bool) -> Iterator[Signature]:
    """Ways to call a function that is given its parameters, by the names of its arguments."""
    names = [
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.default is each.empty
    ]
    roles = [_role(name) for name in names]
    if roles.count("input") != 1 or roles.count("h_0") > 1 or roles.count("c_0") > 1:
        return
    by_x, by_h, biases = (
        [name for name, role in zip(names, roles, strict=True) if role == wanted]
        for wanted in ("ih", "hh", "bias")
    )
    for transposed, states in itertools.product((True, False), (("", "[0]"), ("",))[cell]):
        rows = STACKED if max(len(by_x), len(by_h)) < 4 else HIDDEN
        given = [
            role + states if role in ("h_0", "c_0") else "input" if role == "input" else name
            for name, role in zip(names, roles, strict=True)
        ]
        shapes: dict[str, tuple[int, ...]] = dict.fromkeys(biases, (rows,))
        for group, columns in ((by_x, INPUT if by_h else SUM), (by_h, HIDDEN)):
            shapes |= dict.fromkeys(group, (columns, rows) if transposed else (rows, columns))
        yield Signature(", ".join(given), {name: shapes[name] for name in names if name in shapes})


def _role(name: str) -> str:
    lower = name.lower()
    if re.match(r"b($|_|\d|[a-z]$)|bias|b(ih|hh)", lower):
        return "bias"
    if re.match(r"u|r($|_)|wh|w_?h|rec|weight_h|kernel_h", lower) and not re.match(r"un", lower):
        return "hh"
    if re.match(r"w|weight|kernel|theta", lower):
        return "ih"
    if re.match(r"h|a_?prev|a0|prev_h", lower):
        return "h_0"
    if re.match(r"c|prev_c|s0|m0", lower):
        return "c_0"
    return "input"
