"""Ways to construct and to call an unknown class or function, by the names of its arguments."""

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
"""The value for an argument of a constructor, by its name; the first pattern that fits counts."""

CALLED = (
    ("bias", r"^(b($|_|\d|[a-z]$)|b(ih|hh))|^bias"),
    ("hh", r"^(u(?!n)|r($|_)|wh|w_?h|rec|weight_h|kernel_h)"),
    ("ih", r"^(w|weight|kernel|theta)"),
    ("h_0", r"^(h|a_?prev|a0|prev_h)"),
    ("c_0", r"^(c|prev_c|s0|m0)"),
    ("input", ""),
)
"""The role of an argument of a function, likewise."""


def _role(name: str, words: Sequence[tuple[str, str]]) -> str:
    return next(role for role, pattern in words if re.search(pattern, name.lower()))


@dataclass(frozen=True)
class Construction:
    """One way to make an instance of `cls`; each argument is the name of a size, or a number."""

    cls: Callable[..., Any]
    positional: tuple[str, ...]
    named: tuple[tuple[str, str], ...] = ()

    def __call__(self, input_size: int, hidden_size: int) -> Any:
        """Make an instance with these sizes."""
        sizes = dict(zip(SIZES, (input_size, hidden_size), strict=True))
        given = [sizes[text] if text in sizes else int(text) for text in self.positional]
        named = {key: sizes[text] if text in sizes else int(text) for key, text in self.named}
        return self.cls(*given, **named)

    @property
    def code(self) -> str:
        """The source of a factory that takes input_size and hidden_size."""
        name = self.cls.__name__
        if self.positional == SIZES and not self.named:
            return name
        arguments = [*self.positional, *(f"{key}={text}" for key, text in self.named)]
        return f"lambda input_size, hidden_size: {name}({', '.join(arguments)})"


def constructions(cls: Callable[..., Any]) -> Iterator[Construction]:
    """Yield ways to construct `cls`, the likeliest first.

    Arguments without a default are given, and those with a default that are a size by name. The
    value of an argument follows from its name first; then the two sizes go to any two arguments.
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
    # from the first argument that is keyword-only, or that follows one that is not given, all
    # arguments are given by name
    positional = sum(
        p is other and p.kind is not p.KEYWORD_ONLY for p, other in zip(given, named, strict=False)
    )
    roles = [_role(p.name, CONSTRUCTED) for p in given]
    names = [p.name for p in given[positional:]]
    # dict.fromkeys drops repeats and keeps the order
    for values in dict.fromkeys(map(tuple, (roles, *_orders(roles)))):
        if set(SIZES) <= set(values):
            named_values = zip(names, values[positional:], strict=True)
            yield Construction(cls, values[:positional], tuple(named_values))


def _is_size(parameter: inspect.Parameter) -> bool:
    """Return whether an argument with a default is a size, or a number of layers above 1."""
    default, role = parameter.default, _role(parameter.name, CONSTRUCTED)
    if role in SIZES:
        return default is None or type(default) is int
    return role == "1" and type(default) is int and default > 1


def _orders(roles: Sequence[str]) -> Iterator[list[str]]:
    """Yield every way to give the two sizes to arguments that are not numbers of layers."""
    free = [place for place, role in enumerate(roles) if role != "1"]
    for places in itertools.permutations(free[:5], 2):
        values = [role if role == "1" else str(EXTRA) for role in roles]
        values[places[0]], values[places[1]] = SIZES
        yield values


def calls(cell: bool) -> Iterator[str]:
    """Yield arguments of a call, first without states and then with them, the likeliest first."""
    yield "input"
    orders = ("input, ({}, {})", "input, {}, {}", "({}, {}), input", "{}, {}, input")
    for states in (("h_0[0]", "c_0[0]"), ("h_0", "c_0"))[cell:]:
        for (h, c), form in itertools.product((states, states[::-1]), orders):
            yield form.format(h, c)


def signatures(function: Callable[..., Any], cell: bool) -> Iterator[tuple[str, Shapes]]:
    """Yield ways to call a function that takes its parameters as arguments.

    Each is the arguments of a call, and the shape of each parameter, by the names of arguments.
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
    """Yield what can be called: "" for the object itself, or else the names of its methods."""
    if callable(holder):
        yield ""
        return
    unlikely = ("backward", "train", "fit", "loss", "update", "save", "load", "init", "reset")
    for name in dir(holder):
        likely = not name.startswith("_") and not any(word in name for word in unlikely)
        if likely and callable(getattr(holder, name)):
            yield name
