"""The way from few layers and directions, which are understood, to instances of more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from conformance.implementations.by_hand.expressions import Call
from conformance.inference.construction import Construction
from conformance.inference.guess import Guess
from conformance.inference.numbers import HIDDEN, merged
from conformance.inference.schemes import schemes
from conformance.inference.scoring import best
from conformance.inference.search import Search
from conformance.inference.stacks import stacks
from conformance.inference.ways import calls, drawings


@dataclass(frozen=True)
class Found:
    """The best guess, `others` that fit as well, and how to make an instance of a class.

    `part` has the arguments of the constructor with which the class could not be tried. `shallow`
    has those with which the class is wrong, if it is right without them; then `right` is what was
    found without them. Both are empty otherwise.
    """

    guess: Guess
    search: Search
    construction: Construction | None
    others: tuple[Guess, ...] = ()
    part: str = ""
    shallow: str = ""
    right: Found | None = None


def deepened(found: Found) -> Found:
    """Return what was found of an instance of more layers and directions, if it can be made.

    If the class is not an LSTM then, the result is what is nearest to one.
    """
    if found.construction is None or not found.construction.more:
        return found
    missed, deepest = [], found
    for construction in found.construction.deeper():
        asked = ", ".join(f"{key}={text}" for key, text in construction.asked)
        deeper = _transferred(found, construction)
        if deeper is None:
            missed.append(asked)
        elif not deeper.guess.whole or deeper.guess.flaws:
            return replace(deeper, shallow=asked, right=deepest)
        else:
            deepest = deeper
    return replace(deepest, part=" or ".join(missed))


def _transferred(found: Found, construction: Construction) -> Found | None:
    """Extend the mapping that was `found` to the layers and directions of `construction`.

    The result is the nearest one if none fits, and None if it cannot be called.
    """
    of_one, prober = found.guess, replace(found.search.prober, factory=construction)
    try:
        shapes = prober.shapes()
    except (Exception, SystemExit):
        return None
    for stack in stacks({name: merged(shape) for name, shape in shapes.items()}):
        for scheme in schemes(stack.shapes, stack.layers, stack.directions):
            if len(stack.layers) > 1 and scheme.begins_with(of_one.scheme):
                search = Search(prober, stack)
                guess = _grown(search, replace(of_one, scheme=scheme, initial={}, exact=0))
                return None if guess is None else Found(guess, search, construction)
    return None


def _grown(search: Search, guess: Guess) -> Guess | None:
    """Return `guess` with the call and the biases that fit, the nearest one if none does."""
    plain, nearest = _plain(guess, search), None
    for form in _forms(search, guess):
        grown = [replace(form, exact=1, biases={}, unexplained=())]
        for name in guess.scheme.biases:
            grown = [more for each in grown for more in search.bias(each, name)]
        whole = best(map(search.whole, grown))
        if whole and whole[0].exact and not whole[0].unexplained:
            return whole[0]
        here = search.whole(replace(plain, call=form.call, draws=form.draws))
        if nearest is None and np.isfinite(here.error):
            nearest = here
    return nearest


def _plain(guess: Guess, search: Search) -> Guess:
    """Return `guess`, of one layer and direction, with parameters of more used in the same way."""
    plain, numbers = guess.plain(search.numbers), search.numbers.bias
    biases = dict(plain.biases)
    for name in biases:
        of_one = guess.biases.get(name.replace("*", guess.scheme.layers[0]), guess.biases.get(name))
        if of_one is not None and numbers[name].shape[1] == HIDDEN:
            gates = np.any(of_one != 0, axis=(0, 2))
            biases[name] = np.reshape(gates, (4, 1)) * numbers[name][:, None]
    return replace(plain, hh=guess.hh, biases=biases)


def _forms(search: Search, guess: Guess) -> Iterator[Guess]:
    """Yield `guess`, of one layer and direction, with the calls that may be right for more."""
    count = len(search.stack.layers)
    if guess.draws:
        search.answer(replace(guess, draws=None), hh=False, biases=())
        for draws in drawings(search.prober.drawn, guess.reading, count):
            yield replace(guess, draws=draws)
    elif not guess.states:
        yield guess
    else:
        yield from (replace(guess, call=Call(text)) for text in calls(guess.reading.cell, count))
