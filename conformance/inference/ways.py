"""Ways to construct and to call an unknown class or function, by the names of its arguments."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.subjects import Subject
from conformance.inference.contents import contents
from conformance.inference.numbers import EXTRA, HIDDEN, INPUT, STACKED, Shapes
from conformance.inference.readings import Reading

SIZES = ("input_size", "hidden_size")

LAYERS = r"layer|depth|direction|stacks?$"

RANDOM = {"jax.random.PRNGKey(0)": "jax", "flax.nnx.Rngs(0)": "flax.nnx"}
"""Sources of random numbers that a constructor may ask for, and the modules that make them."""

CONSTRUCTED = (
    ("jax.random.PRNGKey(0)", r"^(prng_?)?key$"),
    ("flax.nnx.Rngs(0)", r"^rngs$"),
    ("False", r"^bidir"),
    ("1", LAYERS),
    ("hidden_size", r"hid|unit|state|cell|memory|rnn|lstm|n_h|n_a|^h"),
    ("7", r"class|out|label|target|categor|n_y|^y"),
    ("input_size", r"(^|_)in($|_|put|s$)|input|emb|feat|n_x|^x"),
    (str(EXTRA), ""),
)
"""The value for an argument of a constructor, by its name; the first pattern that fits counts."""

CALLED = (
    ("bias", r"^(b($|_|\d|[a-z]$)|b(ih|hh))|^bias"),
    ("container", r"^(par|theta$|weights?$|p$|variables|w$)"),
    ("hh", r"^(u(?!n)|r($|_)|wh|w_?h|rec|weight_h|kernel_h)"),
    ("ih", r"^(w|weight|kernel|theta)"),
    ("states", r"^(state|carry|hidden_states?$|hx$|init|hc$|prev_state)"),
    ("h_0", r"^(h|a_?prev|a0|prev_h)"),
    ("c_0", r"^(c|prev_c|s0|m0)"),
    ("input", ""),
)
"""The role of an argument of a function, likewise."""


def _role(name: str, words: Sequence[tuple[str, str]]) -> str:
    return next(role for role, pattern in words if re.search(pattern, name.lower()))


@dataclass(frozen=True)
class Construction:
    """One way to make an instance of `cls`; each argument is a size's name, a number or a bool.

    `more` are arguments, of those by name, that ask for more than one layer and direction.
    """

    cls: Callable[..., Any]
    positional: tuple[str, ...]
    named: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    asked: tuple[tuple[str, str], ...] = ()

    def __call__(self, input_size: int, hidden_size: int) -> Any:
        """Make an instance with these sizes."""
        sizes = dict(zip(SIZES, (input_size, hidden_size), strict=True))

        def value(text: str) -> Any:
            if text in RANDOM:
                return _random(text)
            return sizes[text] if text in sizes else ast.literal_eval(text)

        given = [value(text) for text in self.positional]
        named = {key: value(text) for key, text in self.named}
        return self.cls(*given, **named)

    def deeper(self) -> Iterator[Construction]:
        """Yield ways to make instances of two layers or directions, those with most of both last.

        Their `asked` is the part of :attr:`more` that they ask for.
        """
        chosen = [(each,) for each in self.more]
        for asked in (*chosen, *[self.more] * (len(self.more) > 1)):
            keys = [key for key, _ in asked]
            kept = [(key, text) for key, text in self.named if key not in keys]
            yield replace(self, named=(*kept, *asked), more=(), asked=asked)

    @property
    def code(self) -> str:
        """The source of a factory that takes input_size and hidden_size."""
        name = self.cls.__name__
        if self.positional == SIZES and not self.named:
            return name
        arguments = [*self.positional, *(f"{key}={text}" for key, text in self.named)]
        return f"lambda input_size, hidden_size: {name}({', '.join(arguments)})"


def _random(text: str) -> Any:
    """Make one of :data:`RANDOM`; raises :class:`ImportError` where its package is missing."""
    module = importlib.import_module(RANDOM[text])
    made = module.random.PRNGKey if text.startswith("jax") else module.Rngs
    return made(0)


def constructions(cls: Callable[..., Any]) -> Iterator[Construction]:
    """Yield ways to construct `cls`, the likeliest first.

    Arguments without a default are given, and those with a default that are a size by name. The
    value of an argument follows from its name first; then the two sizes go to any two arguments.
    """
    try:
        parameters = [*inspect.signature(cls).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    if isinstance(cls, type) and all(
        p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters
    ):
        # a metaclass may take whatever the constructor takes
        parameters = [*inspect.signature(getattr(cls, "__init__")).parameters.values()][1:]  # noqa: B009
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    given = [
        p
        for p in named
        if p.default is p.empty or _is_size(p) or _role(p.name, CONSTRUCTED) in RANDOM
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
    roles = [_role(p.name, CONSTRUCTED) for p in given]
    names = [p.name for p in given[positional:]]
    more = [
        (p.name, "True" if _role(p.name, CONSTRUCTED) == "False" else "2")
        for p in named
        if _is_layers(p)
    ]
    # dict.fromkeys drops repeats and keeps the order
    for values in dict.fromkeys(map(tuple, (roles, *_orders(roles)))):
        if set(SIZES) <= set(values):
            named_values = zip(names, values[positional:], strict=True)
            yield Construction(cls, values[:positional], tuple(named_values), tuple(more))


def _is_layers(parameter: inspect.Parameter) -> bool:
    """Return whether an argument is a number of layers, or whether there are two directions."""
    number = parameter.default is parameter.empty or type(parameter.default) in (int, bool)
    return bool(re.search(LAYERS, parameter.name.lower())) and number


def _is_size(parameter: inspect.Parameter) -> bool:
    """Return whether an argument with a default is a size, or a number of layers above 1."""
    default, role = parameter.default, _role(parameter.name, CONSTRUCTED)
    if role in SIZES:
        return default is None or type(default) is int
    return role == "1" and type(default) is int and default > 1


def _orders(roles: Sequence[str]) -> Iterator[list[str]]:
    """Yield every way to give the two sizes to arguments that are not numbers of layers."""
    free = [place for place, role in enumerate(roles) if role not in ("1", "False")]
    for places in itertools.permutations(free[:5], 2):
        values = [role if role in ("1", "False") else str(EXTRA) for role in roles]
        values[places[0]], values[places[1]] = SIZES
        yield values


def calls(cell: bool, count: int = 1) -> Iterator[str]:
    """Yield arguments of a call, first without states and then with them, the likeliest first.

    `count` is the number of layers times that of directions.
    """
    yield "input"
    for states in (("h_0[0]", "c_0[0]"), ("h_0", "c_0"))[cell or count > 1 :]:
        for form in _forms(*states):
            yield f"input, {form}"
            if not form.startswith(("cat", "stack")):
                yield f"{form}, input"
    if count > 1:
        of_h, of_c = ([f"{name}[{n}]" for n in range(count)] for name in ("h_0", "c_0"))
        pairs = ", ".join(f"({h}, {c})" for h, c in zip(of_h, of_c, strict=True))
        yield f"input, [{pairs}]"
        h, c = (f"[{', '.join(each)}]" for each in (of_h, of_c))
        yield from (f"input, ({h}, {c})", f"input, {h}, {c}")


def _forms(h: str, c: str) -> Iterator[str]:
    """Yield forms in which two states are given, and the first alone."""
    for first, second in ((h, c), (c, h)):
        yield f"({first}, {second})"
        yield f"{first}, {second}"
    for first, second in ((h, c), (c, h)):
        yield f"cat({first}, {second})"
        yield f"stack({first}, {second})"
    yield h


def signatures(function: Callable[..., Any], cell: bool) -> Iterator[tuple[str, Shapes]]:
    """Yield ways to call a function that takes its parameters as arguments.

    Each is the arguments of a call, and the shape of each parameter, by the names of arguments or
    of what is in an argument.
    """
    arguments = inspect.signature(function).parameters.items()
    roles = {name: _role(name, CALLED) for name, each in arguments if each.default is each.empty}
    texts = {name: name for name in roles}
    held: dict[str, str] = {}
    for name in [name for name, role in roles.items() if role == "container"]:
        inside = contents(function, name)
        if inside is None:
            roles[name] = "ih"
        else:
            texts[name], names = inside
            held |= {each: _role(each, CALLED) for each in names}
    counts = [list(roles.values()).count(role) for role in ("input", "h_0", "c_0", "states")]
    if counts[0] != 1 or max(counts) > 1:
        return
    every = {name: role for name, role in roles.items() if role != "container"} | held
    heads = [name for name in every if re.search(HEAD, name.lower()) and name in held]
    texts = {name: _with_heads(text, heads, every) for name, text in texts.items()}
    every = {name: role for name, role in every.items() if name not in heads}
    by_x, by_h = ([name for name in every if every[name] == which] for which in ("ih", "hh"))
    rows = STACKED if max(len(by_x), len(by_h)) < 4 else HIDDEN
    columns = {"ih": INPUT if by_h else INPUT + HIDDEN, "hh": HIDDEN}
    forms = [*_forms("h_0", "c_0")][:-1] if "states" in roles.values() else [""]
    for form, transposed, axis in itertools.product(
        forms, (True, False), (("[0]", ""), ("",))[cell]
    ):
        states = re.sub("(h_0|c_0)", rf"\1{axis}", form)
        if "," in form and form[0] != "(" and not form.startswith(("cat", "stack")):
            continue
        given = {"input": "input", "h_0": f"h_0{axis}", "c_0": f"c_0{axis}", "states": states}
        weights = {role: (rows, size)[:: -1 if transposed else 1] for role, size in columns.items()}
        shapes = {"bias": (rows,), **weights}
        yield (
            ", ".join(given.get(role, texts[name]) for name, role in roles.items()),
            {name: shapes[role] for name, role in every.items() if role in shapes},
        )


HEAD = r"(_|^w|^b|^v)_?(h?[yqv]|out(put)?s?_?y?|hq|dense|logits?|fc|head)$"
"""Names of the weights and the bias of a linear map after the LSTM."""


def _with_heads(text: str, heads: Sequence[str], roles: Mapping[str, str]) -> str:
    """Replace what belongs to a linear map after the LSTM in an expression for a list or dict."""
    for name in heads:
        made = "zeros" if roles[name] == "bias" else "eye"
        text = re.sub(rf"(?<![\w'\"]){re.escape(name)}(?![\w'\"])", made, text)
    return text


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


def embeddings(made: Subject) -> Iterator[str]:
    """Yield what may embed tokens: submodules, and tables of one row for each token.

    An embedding is not optional, and comes alone; anything else comes after "", which is none.
    """
    tables = [name for name, shape in made.shapes().items() if shape == (EXTRA, INPUT)]
    found = made.embedding_modules(INPUT)
    if found:
        yield from found
        return
    yield ""
    yield from (name for name in tables if re.search(r"emb|table|lookup|^e$|^wte", name.lower()))
    yield from made.linear_modules(INPUT)


def drawings(shapes: Sequence[tuple[int, ...]], reading: Reading, count: int) -> Iterator[Call]:
    """Yield what random tensors of these shapes may stand for, if for initial states."""
    one = reading.state_shape(count)[-2 if reading.batched else -1 :]
    whole = (count, *one)
    texts: list[list[str]] = []
    if set(shapes) <= {one, (1, *one)} and len(shapes) == 2 * count:
        axis = "" if count == 1 and (reading.cell or shapes[0] != one) else "[{}]"
        of_h, of_c = ([f"{s}{axis}".format(n) for n in range(count)] for s in ("h_0", "c_0"))
        for first, second in ((of_h, of_c), (of_c, of_h)):
            texts.append([each for pair in zip(first, second, strict=True) for each in pair])
            texts.append([*first, *second])
    elif list(shapes) == [whole, whole]:
        texts += [["h_0", "c_0"], ["c_0", "h_0"]]
    elif list(shapes) in ([(2, *one)], [(2, *whole)]):
        axis = "[0]" if shapes[0] == (2, *one) and not reading.cell else ""
        texts += [[f"stack(h_0{axis}, c_0{axis})"], [f"stack(c_0{axis}, h_0{axis})"]]
    for each in dict.fromkeys(map(", ".join, texts)):
        yield Call(each, "draws")
