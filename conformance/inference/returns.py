"""From what came back to the expression for it, and to what is wrong or not verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from conformance.inference.guess import Guess
from conformance.inference.probing import Leaf, Returned
from conformance.inference.readings import distances
from conformance.inference.search import Search

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Returns(NamedTuple):
    """The argument `returns`, what is wrong, and where there is what it ignores, in words."""

    text: str
    faults: list[str]
    unverified: list[str]


def returns(guess: Guess, search: Search, returned: Returned) -> Returns:
    """The expression for what comes back, and what is wrong about it.

    An array that is nothing that an LSTM returns, but has the shape of a result that is missing,
    is meant to be that.
    """
    faults: list[str] = []
    texts = [_text(guess, search, leaf, faults) for leaf in returned.leaves]
    known = {text.partition("[")[0] for text in texts}
    places = dict(_paths(returned.form))
    _mend_repeated_state(texts, known, faults)
    for n, leaf in enumerate(returned.leaves):
        if texts[n] == "_":
            found = search.named(guess, leaf)
            spare = [each.name for each in found if each.name not in known and not each.fault]
            if guess.exact:
                spare = [name for name in spare if name != "c_all"]
            if spare:
                known.add(spare[0])
                texts[n] = _indexed(spare[0], guess, leaf)
                if guess.exact:
                    faults.append(f"{places[n]} has the shape of {spare[0]}, but not its numbers")
    if not known & {"output", "h_n"}:
        for leaf in returned.modules:
            text = _text(guess, search, leaf, faults)
            if text != "_" and texts.count("_"):
                texts[texts.index("_")] = f"{leaf.module}({text})"
                break
    ignored = list(_unverified(returned.form, texts))
    return Returns(_written(returned.form, texts, top=True), faults, ignored)


def _mend_repeated_state(texts: list[str], known: set[str], faults: list[str]) -> None:
    """Where one state comes back twice and the other never, one of them is meant to be the other.

    The first is h_n and the second c_n.
    """
    for state, other, place in (("h_n", "c_n", -1), ("c_n", "h_n", 0)):
        same = [n for n, text in enumerate(texts) if text.partition("[")[0] == state]
        if len(same) > 1 and not known & {other, "c_all" if other == "c_n" else other}:
            faults.append(f"{state} comes back twice, and {other} never")
            texts[same[place]] = texts[same[place]].replace(state, other)
            known.add(other)


def _text(guess: Guess, search: Search, leaf: Leaf, faults: list[str]) -> str:
    found = search.named(guess, leaf)
    if not found or distances(leaf, found[0])[0] > search.tolerance:
        return "_"
    if found[0].fault:
        faults.append(found[0].fault)
    return _indexed(found[0].name, guess, leaf)


def _indexed(name: str, guess: Guess, leaf: Leaf) -> str:
    """`name`, with the index 0 where the array lacks the axis of layers."""
    if name not in ("h_n", "c_n") or guess.reading.cell:
        return name
    axes = 3 if guess.reading.batched else 2
    return name if leaf.array.ndim == axes else f"{name}[0]"


def _written(form: Any, texts: Sequence[str], top: bool = False) -> str:
    """`form` with texts for numbers; a part is ignored as a whole if it has nothing new."""
    if not top and _is_ignored(form, texts):
        return "_"
    if isinstance(form, tuple):
        inner = ", ".join(_written(part, texts) for part in form)
        if len(form) == 1:
            inner += ","
        return inner if top else f"({inner})"
    if isinstance(form, Mapping):
        inner = ", ".join(f"{key!r}: {_written(part, texts)}" for key, part in form.items())
        return f"{{{inner}}}"
    return "_" if form is None else texts[form]


def _is_ignored(form: Any, texts: Sequence[str]) -> bool:
    """Whether a part has something unknown and nothing else that does not come back elsewhere."""
    places = [place for place, _ in _paths(form)]
    inside = {texts[place] for place in places}
    outside = {text for n, text in enumerate(texts) if n not in places}
    return "_" in inside and inside <= {"_", *outside}


def _paths(form: Any, told: str = "") -> Iterator[tuple[int, str]]:
    """Place of each array in `form`, and where that is in words."""
    if isinstance(form, (tuple, Mapping)):
        for place, part in _parts(form, told):
            yield from _paths(part, place)
    elif form is not None:
        yield form, told or "what is returned"


def _parts(form: Any, told: str) -> Iterator[tuple[str, Any]]:
    """The parts of a tuple or a mapping, with where they are in words."""
    if isinstance(form, Mapping):
        for key, part in form.items():
            yield f"{key!r} of {told}" if told else f"the returned value {key!r}", part
    else:
        for n, part in enumerate(form):
            place = f"the {ORDINALS[n] if n < len(ORDINALS) else f'{n + 1}th'}"
            yield f"{place} of {told}" if told else f"{place} returned value", part


def _unverified(form: Any, texts: Sequence[str], told: str = "") -> Iterator[str]:
    """Where, in words, there is what the expression ignores."""
    if isinstance(form, (tuple, Mapping)):
        if told and _is_ignored(form, texts):
            yield told
            return
        for place, part in _parts(form, told):
            yield from _unverified(part, texts, place)
    elif form is not None and texts[form] == "_":
        yield told or "what is returned"
