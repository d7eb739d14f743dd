"""Ways to call an unknown class or function, by the names of its arguments."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from conformance.implementations.by_hand.expressions import LENGTHS, Call
from conformance.implementations.by_hand.subjects import Subject
from conformance.inference.contents import contents, mentions, states_held
from conformance.inference.names import LENGTHS_CALLED, is_plain
from conformance.inference.numbers import EXTRA, HIDDEN, INPUT, STACKED, Shapes
from conformance.inference.readings import Reading
from conformance.inference.roles import role_of

CALLED = (
    ("lengths", LENGTHS_CALLED),
    ("bias", r"^(b($|_|\d|[a-z]$)|b(ih|hh))|^bias|^[wr]_?b"),
    ("container", r"^(par|theta$|weights?$|p$|variables|w$)"),
    ("hh", r"^(u(?!n)|r($|_|[ifcgoz]$)|wh|w_?h|rec|weight_h|kernel_h)"),
    ("ih", r"^(w|weight|kernel|theta)"),
    ("h_0", r"^init(ial)?_?h(_|$|idden)"),
    ("c_0", r"^init(ial)?_?c(_|$|ell)"),
    ("states", r"^(state|carry|hidden_states?$|hx$|init|hc$|prev_state)"),
    ("h_0", r"^(h|a_?prev|a0|prev_h)"),
    ("c_0", r"^(c|prev_c|s0|m0)"),
    ("input", ""),
)
"""The role of an argument of a function, by its name; the first pattern that fits counts."""


def calls(cell: bool, count: int = 1, held: Sequence[str] = ()) -> Iterator[str]:
    """Yield arguments of a call, first without states and then with them, the likeliest first.

    `count` is the number of layers times that of directions, and `held` are expressions for
    objects that hold both states of a layer.
    """
    yield "input"
    flat = not cell and count == 1
    for text in held:
        each = [_at(text, f"[{n}]" if flat or count > 1 else "") for n in range(count)]
        both = f"[{', '.join(each)}]" if count > 1 else each[0]
        yield from (f"input, {both}", f"{both}, input")
    for states in (("h_0[0]", "c_0[0]"), ("h_0", "c_0"))[not flat :]:
        for form in _forms(*states):
            yield f"input, {form}"
            if not form.startswith(("cat", "stack")):
                yield f"{form}, input"
    if cell and count == 1:
        yield "input, (h_0[0:1], c_0[0:1])"
        yield "input, h_0[0:1], c_0[0:1]"
    if count > 1:
        of_h, of_c = ([f"{name}[{n}]" for n in range(count)] for name in ("h_0", "c_0"))
        pairs = ", ".join(f"({h}, {c})" for h, c in zip(of_h, of_c, strict=True))
        yield f"input, [{pairs}]"
        with_axis = re.sub(r"(\d+)]", lambda n: f"{n[1]}:{int(n[1]) + 1}]", pairs)
        yield f"input, [{with_axis}]"
        h, c = (f"[{', '.join(each)}]" for each in (of_h, of_c))
        yield from (f"input, ({h}, {c})", f"input, {h}, {c}")


def _at(text: str, axis: str) -> str:
    """Return an expression with `axis`, such as an index, behind each initial state."""
    return re.sub("(h_0|c_0)", rf"\1{axis}", text)


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
    arguments = inspect.signature(function).parameters
    needed = [name for name, each in arguments.items() if each.default is each.empty]
    optional = [
        name
        for name, each in arguments.items()
        if each.default is None and role_of(name, CALLED) in ("h_0", "c_0", "states")
    ]
    for names in ([*needed, *optional], needed)[not optional :]:
        given = [name for name in arguments if name in names]
        in_order = zip(given, arguments.values(), strict=False)
        positional = [k for k, p in in_order if k == p.name and p.kind is not p.KEYWORD_ONLY]
        yield from _signatures(function, given, {*given} - {*positional}, cell)


def _signatures(
    function: Callable[..., Any], names: Sequence[str], named: Collection[str], cell: bool
) -> Iterator[tuple[str, Shapes]]:
    """Yield ways to call a function with the arguments `names`, of which some are given by name."""
    roles = {name: role_of(name, CALLED) for name in names}
    texts = {name: name for name in roles}
    held: dict[str, str] = {}
    for name in [name for name, role in roles.items() if role == "container"]:
        inside = contents(function, name)
        if inside is None:
            roles[name] = "ih"
        else:
            texts[name], names = inside
            held |= {each: role_of(each, CALLED) for each in names}
            held |= {each: "ih" for each in names if held[each] == "container"}
    counts = [list(roles.values()).count(role) for role in ("input", "h_0", "c_0", "states")]
    if counts[0] != 1 or max(counts) > 1:
        return
    every = {name: role for name, role in roles.items() if role != "container"} | held
    heads = [name for name in every if re.search(HEAD, name.lower()) and name in held]
    texts = {name: _with_heads(text, heads, every) for name, text in texts.items()}
    every = {name: role for name, role in every.items() if name not in heads}
    by_x, by_h = ([name for name in every if every[name] == which] for which in ("ih", "hh"))
    rows = STACKED if max(len(by_x), len(by_h)) < 4 else HIDDEN
    # one weight for both may have the bias as a row
    sizes = [INPUT] if by_h else [INPUT + HIDDEN, 1 + INPUT + HIDDEN]
    forms = [each for each in _forms("h_0", "c_0") if each.startswith(("(", "cat", "stack"))]
    forms = [*states_held([function]), *forms] if "states" in roles.values() else [""]
    for form, transposed, axis, of_x in itertools.product(
        forms, (True, False), (("[0]", ""), ("",))[cell], sizes
    ):
        given = {"input": "input", "h_0": f"h_0{axis}", "c_0": f"c_0{axis}", "lengths": LENGTHS}
        given["states"] = _at(form, axis)
        turn = -1 if transposed else 1
        shapes = {"bias": (rows,), "ih": (rows, of_x)[::turn], "hh": (rows, HIDDEN)[::turn]}
        held_by = {name: shapes[role] for name, role in every.items() if role in shapes}
        call = ", ".join(
            f"{name}=" * (name in named) + given.get(role, texts[name])
            for name, role in roles.items()
        )
        yield call, held_by
        if rows == STACKED and len(by_x) == 1 and not held:
            yield _apart(call, held_by)


def _apart(call: str, shapes: Shapes) -> tuple[str, Shapes]:
    """Return the call with an axis of the gates first in every parameter."""
    apart: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        four = [f"{name}_{gate}" for gate in range(4)]
        one = tuple(HIDDEN if size == STACKED else size for size in shape)
        apart |= dict.fromkeys(four, one)
        call = re.sub(rf"(?<![\w=]){re.escape(name)}(?!\w)(?!=)", f"stack({', '.join(four)})", call)
    return call, apart


def spelled(signature: inspect.Signature | None, call: Call) -> Call:
    """Return `call` with lengths, and with names for the arguments that are taken by name."""
    given, named = call.form
    of = [*signature.parameters.values()] if signature and not named else []
    positional = list(given)
    for place, p in enumerate(of):
        asks = re.search(LENGTHS_CALLED, p.name.lower()) and not is_plain(p)
        if asks and place <= len(positional) and LENGTHS not in call.names:
            positional.insert(place, LENGTHS)
    names = [p.name for p in of if p.kind is p.KEYWORD_ONLY]
    count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in of)
    rest = [f"{name}={text}" for name, text in zip(names, positional[count:], strict=False)]
    spelled = [*positional[:count], *rest] if rest else positional
    if spelled == given or len(spelled) < len(positional):
        return call
    return Call(", ".join(spelled))


HEAD = r"(_|^w|^b|^v)_?(h?[yqv]|out(put)?s?_?y?|hq|dense|logits?|fc|head)$"
"""Names of the weights and the bias of a linear map after the LSTM."""


def _with_heads(text: str, heads: Sequence[str], roles: Mapping[str, str]) -> str:
    """Replace what belongs to a linear map after the LSTM in an expression for a list or dict."""
    for name in heads:
        made = "zeros" if roles[name] == "bias" else "eye"
        text = re.sub(rf"(?<![\w'\"]){re.escape(name)}(?![\w'\"=])", made, text)
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


def embeddings(made: Subject, features: int) -> Iterator[str]:
    """Yield what may embed tokens in so many features: submodules, and tables of one row for each.

    An embedding is not optional, and comes alone; what makes one-hot vectors comes first, and
    anything else after "", which is none.
    """
    tables = [name for name, shape in made.shapes().items() if shape == (EXTRA, features)]
    found = made.submodules("Embedding", embedding_dim=features)
    if found:
        yield from found
        return
    if made.registered and mentions(type(made.holder), "one_hot"):
        yield "one_hot"
    yield ""
    yield from (name for name in tables if re.search(r"emb|table|lookup|^e$|^wte", name.lower()))
    yield from made.submodules("Linear", out_features=features)


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
