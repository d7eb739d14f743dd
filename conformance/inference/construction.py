"""Ways to construct an unknown class, by the names of its constructor's arguments."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.inference.configured import Configured, anything, parameters
from conformance.inference.contents import attributes, keys
from conformance.inference.numbers import EXTRA
from conformance.inference.roles import (
    BATCH,
    COLLECTION,
    CONFIG,
    CONSTRUCTED,
    LAYERS,
    RANDOM,
    ROWS,
    SIZES,
    UNKNOWN,
    role_of,
)


@dataclass(frozen=True)
class Construction:
    """One way to make an instance of `cls`; each argument is a size's name, a number or a bool.

    `guessed` are the names of arguments that no name explains. `more` are arguments, of those by
    name, that ask for more than one layer and direction.
    """

    cls: Callable[..., Any]
    positional: tuple[str, ...]
    named: tuple[tuple[str, str], ...] = ()
    guessed: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    asked: tuple[tuple[str, str], ...] = ()

    @property
    def takes_rows(self) -> bool:
        """Whether the number of rows is one of the arguments."""
        return ROWS in (*self.positional, *(text for _, text in self.named))

    def __call__(self, input_size: int, hidden_size: int, batch_size: int = EXTRA) -> Any:
        """Make an instance with these sizes."""
        sizes = dict(zip((*SIZES, ROWS), (input_size, hidden_size, batch_size), strict=True))

        def value(text: str) -> Any:
            if text in RANDOM:
                return _random(text)
            if text.startswith("range("):
                return range(value(text.removeprefix("range(").removesuffix(")")))
            return sizes[text] if text in sizes else ast.literal_eval(text)

        given = [value(text) for text in self.positional]
        named = {key: value(text) for key, text in self.named}
        return self.cls(*given, **named)

    def deeper(self) -> Iterator[Construction]:
        """Yield ways to make instances of two layers or directions, those with most of both last.

        Their `asked` is the part of :attr:`more` that they ask for, and their `more` the rest.
        """
        chosen = [(each,) for each in self.more]
        for asked in (*chosen, *[self.more] * (len(self.more) > 1)):
            keys = [key for key, _ in asked]
            kept = [(key, text) for key, text in self.named if key not in keys]
            rest = tuple(each for each in self.more if each not in asked)
            yield replace(self, named=(*kept, *asked), more=rest, asked=asked)

    @property
    def code(self) -> str:
        """The source of a factory that takes input_size and hidden_size."""
        name = self.cls.__name__
        if self.positional == SIZES and not self.named:
            return name
        arguments = [*self.positional, *(f"{key}={text}" for key, text in self.named)]
        if isinstance(self.cls, Configured):
            inside, others = self.cls.divided(dict(self.named))
            config = ", ".join(f"{key}={text}" for key, text in inside.items())
            kind = "dict" if self.cls.keyed else "types.SimpleNamespace"
            arguments = [f"{self.cls.name}={kind}({config})" if self.cls.name else config]
            arguments += [f"{key}={text}" for key, text in others.items()]
        sizes = ", ".join((*SIZES, ROWS)[: 2 + self.takes_rows])
        return f"lambda {sizes}: {name}({', '.join(arguments)})"


def _random(text: str) -> Any:
    """Make one of :data:`RANDOM`; raises :class:`ImportError` where its package is missing."""
    module = importlib.import_module(RANDOM[text])
    made = module.random.PRNGKey if text.startswith("jax") else module.Rngs
    return made(0)


def constructions(cls: Callable[..., Any]) -> Iterator[Construction]:
    """Yield ways to construct `cls`, the likeliest first; those with a number of rows come last."""
    found = list(_constructions(cls))
    yield from found
    for each in found:
        takes = [p.name for p in parameters(each.cls) if re.search(BATCH, p.name.lower())]
        place = [p.name for p in parameters(each.cls)].index(takes[0]) if takes else 0
        if takes and place < len(each.positional):
            before, after = each.positional[:place], each.positional[place + 1 :]
            yield replace(each, positional=(*before, ROWS, *after))
        elif takes:
            yield replace(each, named=tuple({**dict(each.named), takes[0]: ROWS}.items()))


def _constructions(cls: Callable[..., Any]) -> Iterator[Construction]:
    """Yield ways to construct `cls`, the likeliest first.

    Arguments without a default are given, and those with a default that are a size by name. The
    value of an argument follows from its name first; then the two sizes go to any two arguments.
    """
    unknown = unsupplied(cls)
    if len(unknown) == 1 and re.search(CONFIG, unknown[0]):
        made = getattr(cls, "__init__")  # noqa: B009
        asked, subscripted = (
            list(dict.fromkeys([*of(made, unknown[0]), *of(cls, unknown[0])]))
            for of in (attributes, keys)
        )
        if asked or subscripted:
            among = asked or subscripted
            yield from constructions(Configured(cls, unknown[0], among, keyed=not asked))
    if unknown:
        return
    named = parameters(cls)
    if not named and (options := anything(cls)):
        asked = keys(getattr(cls, "__init__"), options)  # noqa: B009
        if asked:
            yield from constructions(Configured(cls, "", asked, keyed=True))
            return
    given = [
        p
        for p in named
        if p.default is p.empty or _is_size(p) or role_of(p.name, CONSTRUCTED) in RANDOM
    ]
    if not given:
        yield from (Construction(cls, order) for order in (SIZES, SIZES[::-1]))
        return
    # from the first argument that is keyword-only, or that follows one that is not given, or that
    # is a number of layers, all arguments are given by name
    positional = sum(
        p is other and p.kind is not p.KEYWORD_ONLY and not _is_layers(p)
        for p, other in zip(given, named, strict=False)
    )
    while any(map(_is_layers, given[:positional])):
        positional -= 1
    roles = [role_of(p.name, CONSTRUCTED) for p in given]
    names_given = [p.name for p in given]
    names = names_given[positional:]
    more = [
        (p.name, "True" if role_of(p.name, CONSTRUCTED) == "False" else _several(p))
        for p in named
        if _is_layers(p)
    ]
    # dict.fromkeys drops repeats and keeps the order
    ordered = dict.fromkeys(map(tuple, (roles, *_orders(roles), *_collected(names_given, roles))))
    both = [values for values in ordered if {*SIZES} <= {*map(_size_in, values)}]
    for values in both or map(tuple, _of_one_size(roles)):
        named_values = zip(names, values[positional:], strict=True)
        guessed = [
            p.name
            for p, v, role in zip(given, values, roles, strict=True)
            if v == str(EXTRA) or role == str(EXTRA)
        ]
        by_name = tuple(named_values)
        yield Construction(cls, values[:positional], by_name, tuple(guessed), tuple(more))


def _size_in(value: str) -> str:
    return value.removeprefix("range(").removesuffix(")")


def unsupplied(cls: Callable[..., Any]) -> list[str]:
    """List the arguments without a default that no number can stand for."""
    needed = (p.name for p in parameters(cls) if p.default is p.empty)
    return [name for name in needed if re.search(UNKNOWN, name.lower())]


def _is_layers(parameter: inspect.Parameter) -> bool:
    """Return whether an argument is a number of layers, or whether there are two directions."""
    number = parameter.default is parameter.empty or type(parameter.default) in (int, bool)
    return bool(re.search(LAYERS, parameter.name.lower())) and number


def _several(parameter: inspect.Parameter) -> str:
    """Return a number of layers to try: 3 where the default is more than 2, and otherwise 2."""
    return "3" if type(parameter.default) is int and parameter.default > 2 else "2"


def _is_size(parameter: inspect.Parameter) -> bool:
    """Return whether an argument with a default is a size, or a number of layers above 1."""
    default, role = parameter.default, role_of(parameter.name, CONSTRUCTED)
    if role in SIZES:
        return default is None or type(default) is int
    return role == "1" and type(default) is int and default > 1


def _collected(names: Sequence[str], roles: Sequence[str]) -> Iterator[list[str]]:
    """Yield the values of arguments with a range in place of a number where that may be meant.

    Without an argument that is the size of the input, the tokens are the features of the input.
    """
    among = [place for place, name in enumerate(names) if re.search(COLLECTION, name.lower())]
    if among:
        size = str(EXTRA) if "input_size" in roles else "input_size"
        yield [f"range({size})" if n in among else role for n, role in enumerate(roles)]


def _of_one_size(roles: Sequence[str]) -> Iterator[list[str]]:
    """Yield every way to give the size of a state to one argument, where none is left for input."""
    sizes = (*SIZES, str(EXTRA))
    free = [place for place, role in enumerate(roles) if role in sizes]
    for place in free[:3]:
        values = [str(EXTRA) if role in sizes else role for role in roles]
        values[place] = "hidden_size"
        yield values


def _orders(roles: Sequence[str]) -> Iterator[list[str]]:
    """Yield every way to give the two sizes to arguments that are sizes."""
    sizes = (*SIZES, str(EXTRA))
    free = [place for place, role in enumerate(roles) if role in sizes]
    for places in itertools.permutations(free[:5], 2):
        values = [str(EXTRA) if role in sizes else role for role in roles]
        values[places[0]], values[places[1]] = SIZES
        yield values
