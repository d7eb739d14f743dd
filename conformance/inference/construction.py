"""Finding out how a class is constructed."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.inference.sizes import EXTRA

ROLES = (
    ("1", r"layer|depth|direction"),
    ("hidden_size", r"hid|unit|state|cell|memory|rnn|lstm|n_h|n_a|^h"),
    ("7", r"class|out|label|target|categor|n_y|^y"),
    ("input_size", r"(^|_)in($|_|put|s$)|input|emb|feat|n_x|^x"),
)
"""Words in names of constructor arguments, and what is given for them; the first that fits."""


@dataclass(frozen=True)
class Construction:
    """One way to make an instance: `arguments`, as source, of a call of `cls`."""

    cls: Callable[..., Any]
    arguments: tuple[str, ...]

    def __call__(self, input_size: int, hidden_size: int) -> Any:
        """A new instance with these sizes."""
        sizes = {"input_size": input_size, "hidden_size": hidden_size}
        given, named = [], {}
        for argument in self.arguments:
            name, _, text = argument.rpartition("=")
            value = sizes[text] if text in sizes else int(text)
            if name:
                named[name] = value
            else:
                given.append(value)
        return self.cls(*given, **named)

    @property
    def code(self) -> str:
        """Source of a factory that takes input_size and hidden_size."""
        name = self.cls.__name__
        if self.arguments == ("input_size", "hidden_size"):
            return name
        return f"lambda input_size, hidden_size: {name}({', '.join(self.arguments)})"


SIZES = ("input_size", "hidden_size")


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
    roles = [_role(p.name) for p in given]
    seen: set[tuple[str, ...]] = set()
    for values in (roles, *_orders(roles)):
        if set(SIZES) <= set(values) and len(values) == len(given):
            keyword = False
            arguments = []
            for position, (p, value) in enumerate(zip(given, values, strict=True)):
                keyword |= p.kind is p.KEYWORD_ONLY or named[position] is not p
                arguments.append(f"{p.name}={value}" if keyword else value)
            if tuple(arguments) not in seen:
                seen.add(tuple(arguments))
                yield Construction(cls, tuple(arguments))
    for order in (SIZES, SIZES[::-1]):
        if order not in seen and not given:
            yield Construction(cls, order)


def _role(name: str) -> str:
    fitting = (role for role, words in ROLES if re.search(words, name.lower()))
    return next(fitting, str(EXTRA))


def _is_size(parameter: inspect.Parameter) -> bool:
    """Whether an argument with a default is a size all the same, or more than one layer."""
    number = parameter.default is None or type(parameter.default) is int
    several = type(parameter.default) is int and parameter.default > 1
    role = _role(parameter.name)
    return (number and role in SIZES) or (several and role == "1")


def _orders(roles: Sequence[str]) -> Iterator[list[str]]:
    """Every order of the two sizes among arguments that are not numbers of layers."""
    free = [place for place, role in enumerate(roles) if role != "1"]
    for places in itertools.permutations(free[:5], 2):
        values = [role if role == "1" else str(EXTRA) for role in roles]
        values[places[0]], values[places[1]] = SIZES
        yield values
