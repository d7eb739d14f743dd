"""Ways to construct and to call something of which only the names of arguments are known."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.inference.numbers import EXTRA, HIDDEN, INPUT, STACKED, Shapes

SIZES = ("input_size", "hidden_size")

CONSTRUCTED = (
    ("1", r"layer|depth|direction"),
    ("hidden_size", r"hid|unit|state|cell|memory|rnn|lstm|n_h|n_a|^h"),
    ("7", r"class|out|label|target|categor|n_y|^y"),
    ("input_size", r"(^|_)in($|_|put|s$)|input|emb|feat|n_x|^x"),
    (str(EXTRA), ""),
)
"""What is given for an argument of a constructor, by words in its name; the first that fits."""

CALLED = (
    ("bias", r"^(b($|_|\d|[a-z]$)|b(ih|hh))|^bias"),
    ("hh", r"^(u(?!n)|r($|_)|wh|w_?h|rec|weight_h|kernel_h)"),
    ("ih", r"^(w|weight|kernel|theta)"),
    ("h_0", r"^(h|a_?prev|a0|prev_h)"),
    ("c_0", r"^(c|prev_c|s0|m0)"),
    ("input", ""),
)
"""What an argument of a function is, likewise."""


def _role(name: str, words: Sequence[tuple[str, str]]) -> str:
    return next(role for role, pattern in words if re.search(pattern, name.lower()))


@dataclass(frozen=True)
class Construction:
    """One way to make an instance by calling `cls`, with arguments as source: sizes or numbers."""

    cls: Callable[..., Any]
    positional: tuple[str, ...]
    named: tuple[tuple[str, str], ...] = ()

    def __call__(self, input_size: int, hidden_size: int) -> Any:
        """A new instance with these sizes."""
        sizes = dict(zip(SIZES, (input_size, hidden_size), strict=True))
        given = [sizes[text] if text in sizes else int(text) for text in self.positional]
        named = {key: sizes[text] if text in sizes else int(text) for key, text in self.named}
        return self.cls(*given, **named)

    @property
    def code(self) -> str:
        """Source of a factory that takes input_size and hidden_size."""
        name = self.cls.__name__
        if self.positional == SIZES and not self.named:
            return name
        arguments = [*self.positional, *(f"{key}={text}" for key, text in self.named)]
        return f"lambda input_size, hidden_size: {name}({', '.join(arguments)})"


def constructions(cls: Callable[..., Any]) -> Iterator[Construction]:
    """Ways in which `cls` may be constructed, the likeliest first.

    Only arguments without a default are given, and those with one whose name speaks of the input
    or hidden size or of a number of layers. Values go by name where names speak, and else through
    every order.
    """
    try:
        parameters = [*inspect.signature(cls).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    given = [p for p in named if p.default is p.empty or _is_size(p)]
    if not given:
        yield from (Construction(cls, order) for order in (SIZES, SIZES[::-1]))
        return
    # from the first that is keyword-only, or comes after one that is left out, all go by name
    positional = sum(
        p is other and p.kind is not p.KEYWORD_ONLY for p, other in zip(given, named, strict=False)
    )
    roles = [_role(p.name, CONSTRUCTED) for p in given]
    names = [p.name for p in given[positional:]]
    # without repeats, in this order
    for values in dict.fromkeys(map(tuple, (roles, *_orders(roles)))):
        if set(SIZES) <= set(values):
            named_values = zip(names, values[positional:], strict=True)
            yield Construction(cls, values[:positional], tuple(named_values))


def _is_size(parameter: inspect.Parameter) -> bool:
    """Whether an argument with a default is a size all the same, or more than one layer."""
    default, role = parameter.default, _role(parameter.name, CONSTRUCTED)
    if role in SIZES:
        return default is None or type(default) is int
    return role == "1" and type(default) is int and default > 1


def _orders(roles: Sequence[str]) -> Iterator[list[str]]:
    """Every order of the two sizes among arguments that are not numbers of layers."""
    free = [place for place, role in enumerate(roles) if role != "1"]
    for places in itertools.permutations(free[:5], 2):
        values = [role if role == "1" else str(EXTRA) for role in roles]
        values[places[0]], values[places[1]] = SIZES
        yield values


def calls(cell: bool) -> Iterator[str]:
    """Arguments of a call, without states and then with them, the likeliest first."""
    yield "input"
    orders = ("input, ({}, {})", "input, {}, {}", "({}, {}), input", "{}, {}, input")
    for states in (("h_0[0]", "c_0[0]"), ("h_0", "c_0"))[cell:]:
        for (h, c), form in itertools.product((states, states[::-1]), orders):
            yield form.format(h, c)


def signatures(function: Callable[..., Any], cell: bool) -> Iterator[tuple[str, Shapes]]:
    """Ways to call a function that is given its parameters, by the names of its arguments.

    Each is the arguments of a call, and a shape for each parameter.
    """
    arguments = inspect.signature(function).parameters.items()
    roles = {name: _role(name, CALLED) for name, each in arguments if each.default is each.empty}
    counts = [list(roles.values()).count(role) for role in ("input", "h_0", "c_0")]
    if counts[0] != 1 or max(counts) > 1:
        return
    by_x, by_h = ([name for name in roles if roles[name] == which] for which in ("ih", "hh"))
    rows = STACKED if max(len(by_x), len(by_h)) < 4 else HIDDEN
    columns = {"ih": INPUT if by_h else INPUT + HIDDEN, "hh": HIDDEN}
    for transposed, axis in itertools.product((True, False), (("", "[0]"), ("",))[cell]):
        texts = {"input": "input", "h_0": f"h_0{axis}", "c_0": f"c_0{axis}"}
        weights = {role: (rows, size)[:: -1 if transposed else 1] for role, size in columns.items()}
        shapes = {"bias": (rows,), **weights}
        yield (
            ", ".join(texts.get(role, name) for name, role in roles.items()),
            {name: shapes[role] for name, role in roles.items() if role in shapes},
        )


def methods(holder: Any) -> Iterator[str]:
    """What can be called: the instance itself, or methods of an object that cannot be."""
    if callable(holder):
        yield ""
        return
    unlikely = ("backward", "train", "fit", "loss", "update", "save", "load", "init", "reset")
    for name in dir(holder):
        likely = not name.startswith("_") and not any(word in name for word in unlikely)
        if likely and callable(getattr(holder, name)):
            yield name
