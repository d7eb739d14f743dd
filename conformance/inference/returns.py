"""From an answer to the expression that describes it, to faults, and to what is not verified."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from conformance.implementations.by_hand.answers import Answer
from conformance.inference.candidates import POOLED, distances
from conformance.inference.chosen import made_by, wrongly_chosen
from conformance.inference.guess import Guess
from conformance.inference.leaves import Leaf, Returned
from conformance.inference.names import named_state
from conformance.inference.search import Search

NAMES = re.compile(r"output|h_n|c_n|c_all")
"""The names of results in an expression."""

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Returns(NamedTuple):
    """The argument `returns`, what is wrong, and the places of ignored arrays in words."""

    text: str
    faults: list[str]
    unverified: list[str]


def returns(guess: Guess, search: Search, returned: Returned) -> Returns:
    """Return the expression for an answer, and what is wrong with the answer.

    An array with the numbers of a result gets the name of the result. Any other array with the
    shape of a missing result gets the name of that one, and is wrong: if it were ignored, a class
    that returns zeros as its output would fit.
    """
    faults: list[str] = []
    texts = [_text(guess, search, leaf, faults) for leaf in returned.leaves]
    known = {name for text in texts for name in NAMES.findall(text)}
    _mend_repeated_state(texts, known, faults)
    if "_" in texts and not known & {"output", "h_n"}:
        name = _name_head if guess.exact else _name_nearest
        name(guess, search, returned, texts, faults)
    elif "_" in texts and "output" not in known and guess.exact and not guess.reading.cell:
        _name_head(guess, search, returned, texts, faults, of="output")
    known = {name for text in texts for name in NAMES.findall(text)}
    places = dict(_places(returned.form))
    heads = [leaf.module for leaf in _linears(guess, search, returned)]
    shown = guess.exact and known & {"output", "h_n"}
    behind = made_by(guess, search, heads) if shown and "_" in texts else []
    for n, leaf in enumerate(returned.leaves):
        if texts[n] == "_" and n not in behind:
            # few classes return all cell states: the numbers must show that, not the shape alone
            spare = [
                each.name
                for each in search.named(guess, leaf)
                if not known & {*NAMES.findall(each.name)} and not each.fault
                if each.name != "c_all" or not guess.exact
            ]
            if spare:
                known.update(NAMES.findall(spare[0]))
                texts[n] = _indexed(spare[0], guess, leaf)
                if guess.exact:
                    state = _given_state(guess, search, leaf)
                    what = f"has the shape of {spare[0]}, but other numbers"
                    what = f"is {state} as it was given, not {spare[0]}" if state else what
                    faults.append(f"{places[n]} {what}")
    if not known & {"output", "h_n"}:
        # a submodule, such as a Linear, computed the answer from its input: the input is a result
        inputs = []
        for leaf in reversed(search.inputs(guess, returned)):
            wrong: list[str] = []
            inputs.append((_text(guess, search, leaf, wrong), leaf, wrong))
        # what a relu made of a result comes last, as the result cannot be told from that
        for text, leaf, wrong in sorted(inputs, key=lambda each: each[0].startswith("relu(")):
            below = len(guess.scheme.layers) > 1 and text.endswith("]") and "[-1]" not in text
            if text != "_" and texts.count("_") and not below:
                texts[texts.index("_")] = f"{leaf.module}({text})"
                faults += wrong
                break
    for n, leaf in enumerate(returned.leaves):
        for module in dict.fromkeys(of.module for of in returned.modules):
            if texts[n] in (f"{module}(output)", f"{module}(flat(output))"):
                faults += wrongly_chosen(guess, search, n, leaf, module)
    unverified: list[str] = []
    return Returns(_written(returned.form, texts, unverified), faults, unverified)


def misnamed(answer: Answer) -> list[str]:
    """Say which parts of a dict or an object with the name of one state are the other one."""
    return [
        f"{key!r} of what is returned is {name}"
        for key, name in answer.keyed.items()
        if name in ("h_n", "c_n") and named_state(key) not in ("", name[0])
    ]


def _given_state(guess: Guess, search: Search, leaf: Leaf) -> str:
    """Return the name of the initial state that `leaf` of an answer is, "" if it is none."""
    values, _ = search.given(guess, hh=True, biases=guess.biases)
    alike = (
        name
        for name in ("h_0", "c_0")
        if name in values and np.array_equal(values[name].ravel(), leaf.array.ravel())
    )
    return next(alike, "")


def _linears(guess: Guess, search: Search, returned: Returned) -> list[Leaf]:
    """List the inputs of the Linear modules that hold no weights of gates, in order of calls."""
    names = search.prober.subject().submodules("Linear")
    held = {name.removesuffix(".weight") for name in guess.scheme.names}
    return [leaf for leaf in returned.modules if leaf.module in names and leaf.module not in held]


def _name_head(
    guess: Guess,
    search: Search,
    returned: Returned,
    texts: list[str],
    faults: list[str],
    of: str = "",
) -> None:
    """Name an answer that a Linear made of a result, such as `of`, after the input of that Linear.

    The answer may have the shape of a result by chance, as 10 classes have that of two states of 5
    units. All parameters but those of this Linear, and of Linears after it, must be explained.
    """
    linears = _linears(guess, search, returned)
    wrong: list[str] = []
    for nth in reversed(range(len(linears))):
        text = _text(guess, search, linears[nth], wrong)
        if text != "_" and of in text and not text.startswith("relu("):
            explained = tuple(f"{leaf.module}." for leaf in linears[nth:])
            if search.prober.embedding:
                explained += (f"{search.prober.embedding}.",)
            others = search.prober.shapes().keys() - guess.scheme.names
            if all(name.startswith(explained) for name in others - {search.prober.embedding}):
                texts[texts.index("_")] = f"{linears[nth].module}({text})"
                faults += wrong
            return


def _name_nearest(
    guess: Guess, search: Search, returned: Returned, texts: list[str], faults: list[str]
) -> None:
    """Name an answer after the input of the last Linear that has the shape of a result."""
    for leaf in reversed(_linears(guess, search, returned)):
        named = [
            each
            for each in search.named(guess, leaf)
            if not (each.fault or each.below or each.name.startswith(tuple(POOLED)))
        ]
        if named:
            text = _indexed(named[0].name, guess, leaf)
            texts[texts.index("_")] = f"{leaf.module}({text})"
            faults.append(f"{leaf.module} takes the shape of {text}, but other numbers")
            return


def _mend_repeated_state(texts: list[str], known: set[str], faults: list[str]) -> None:
    """Name one of two equal states after the other state if that is missing: this is a fault.

    The first array is taken to be h_n, and the last one c_n.
    """
    for state, other, place in (("h_n", "c_n", -1), ("c_n", "h_n", 0)):
        same = [n for n, text in enumerate(texts) if NAMES.findall(text) == [state]]
        alike = len({texts[n] for n in same}) == 1
        if len(same) > 1 and alike and not known & {other, "c_all" if other == "c_n" else other}:
            faults.append(f"{state} is returned twice, and {other} is not returned")
            texts[same[place]] = texts[same[place]].replace(state, other)
            known.add(other)


def _text(guess: Guess, search: Search, leaf: Leaf, faults: list[str]) -> str:
    """Return the expression for a leaf, "_" if no result explains it; add its fault to `faults`."""
    found = search.named(guess, leaf)
    if not found or distances(leaf, found[0])[0] > search.tolerance:
        return "_"
    if found[0].fault:
        faults.append(found[0].fault)
    return _indexed(found[0].name, guess, leaf)


def _indexed(name: str, guess: Guess, leaf: Leaf) -> str:
    """Return `name`, with an index that shows whether the array has the axis of layers."""
    axes = 3 if guess.reading.batched else 2
    one = re.fullmatch(r"(h_n|c_n)\[(-?\d+)\]", name)
    if one and leaf.array.ndim == axes:
        return f"{one[1]}[{one[2]}:{'' if one[2] == '-1' else int(one[2]) + 1}]"
    count = len(guess.scheme.layers)
    if guess.reading.cell and count == 1 and name in ("h_n", "c_n") and leaf.array.ndim == axes:
        return f"{name}[0:1]"
    if guess.reading.cell or count > 1 or name in ("output", "c_all"):
        return name
    whole = leaf.array.ndim == axes + name.startswith("stack")
    return name if whole else re.sub("(h_n|c_n)", r"\1[0]", name)


def _written(form: Any, texts: Sequence[str], unverified: list[str], place: str = "") -> str:
    """Return `form` as source, with `texts` in place of indices.

    `place` is where `form` is, in words; the places of ignored parts are added to `unverified`. A
    part with something unknown is ignored as a whole if the rest of the part is returned elsewhere
    as well: that keeps the expression for a nested answer short.
    """
    if form is None:
        return "_"
    inside = {n for n, _ in _places(form)}
    here = {texts[n] for n in inside}
    elsewhere = {text for n, text in enumerate(texts) if n not in inside}
    nested = isinstance(form, (tuple, Mapping))
    if "_" in here and here <= {"_", *elsewhere} and (place or not nested):
        unverified.append(place or "what is returned")
        return "_"
    if not nested:
        return str(texts[form])
    parts = [_written(part, texts, unverified, where) for where, part in _parts(form, place)]
    if isinstance(form, Mapping):
        return f"{{{', '.join(f'{key!r}: {part}' for key, part in zip(form, parts, strict=True))}}}"
    inner = ", ".join(parts) + "," * (len(parts) == 1)
    return f"({inner})" if place else inner


def _places(form: Any, place: str = "") -> Iterator[tuple[int, str]]:
    """Yield the index of each array in `form`, and its place in words."""
    if isinstance(form, (tuple, Mapping)):
        for where, part in _parts(form, place):
            yield from _places(part, where)
    elif form is not None:
        yield form, place or "what is returned"


def _parts(form: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a tuple or a mapping, each after its place in words."""
    if isinstance(form, Mapping):
        for key, part in form.items():
            yield f"{key!r} of {place}" if place else f"the returned value {key!r}", part
    else:
        for n, part in enumerate(form):
            where = f"the {ORDINALS[n] if n < len(ORDINALS) else f'{n + 1}th'}"
            yield f"{where} of {place}" if place else f"{where} returned value", part
