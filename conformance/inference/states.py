"""How initial states are given in a call, and whether they are used as they should."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from conformance.diagnosis.alternatives.equations import STATES
from conformance.implementations.by_hand.expressions import Call, fields_of, parsed, parts_of
from conformance.inference.contents import states_held
from conformance.inference.guess import Guess
from conformance.inference.search import Search
from conformance.inference.ways import calls
from reference import DTYPES


def calls_with_states(
    search: Search, guess: Guess, returned: str
) -> list[tuple[Guess, bool, list[str]]]:
    """Return the calls that give states, whether states are optional, and what is wrong.

    Calls that give states in the form in which they are returned come first.
    """
    if guess.draws:
        return [(guess, False, [])]
    if guess.call.takes_states or guess.call.starts_at_zero:
        # in float32: many classes make missing states in torch's default dtype, which would
        # raise in float64 although states are optional
        in_float32 = replace(search.prober, dtype=DTYPES["float32"])
        omitted = Search(in_float32, search.stack).whole(replace(guess, call=Call("input")))
        # a call without states returned something, but not what follows from zeros
        random = guess.exact and not omitted.exact and np.isfinite(omitted.error)
        wrong = ["initial states that are not given are not zeros"] * bool(random)
        return [(guess, bool(omitted.exact), wrong)]
    held = states_held(search.prober.subject().classes)
    texts = [*calls(guess.reading.cell, len(guess.scheme.layers), held), *_taken_back(returned)]
    tried = (search.whole(replace(guess, call=Call(text))) for text in texts)
    ran = [each for each in tried if each.states and np.isfinite(each.error)]
    if not ran:
        return [(guess, True, [])]
    most = max((given.exact, given.total) for given in ran)
    right = [given for given in ran if given.exact and (given.exact, given.total) == most]
    if not right and guess.exact and not any(search.prober.takes_states(each) for each in ran):
        return [(guess, True, [])]  # such as a mask, which is None
    if not right and guess.exact:
        return [(ran[0], True, [_ignored(search, ran)])]
    # a class that returns states without the axis of layers most likely takes such states
    flat = "[0]" in returned
    right.sort(key=lambda given: ("[0]" in given.call.text) != flat)
    return [(given, True, []) for given in right or ran[:1]]


def _ignored(search: Search, ran: list[Guess]) -> str:
    """Return what is wrong with states that can be given and are not used as they should."""
    for given, each in product(ran, STATES):
        equations = replace(given.equations, carried=each.carried, taken=each.taken)
        if search.whole(replace(given, equations=equations)).exact:
            return f"this is an LSTM {each.says}"
    return "given initial states are not used as h_0 and c_0"


def exchanged(call: str, returned: str) -> list[str]:
    """Say that both states of one value are returned in another order than they are taken."""
    taken, back = _order(call), _order(returned)
    if "" in (taken, back) or taken == back:
        return []
    first, second = (", ".join(f"{each}_{n}" for each in of) for of, n in ((taken, 0), (back, "n")))
    handed = "what is returned cannot be given to the next call"
    return [f"both states are taken as {first} and returned as {second}, so that {handed}"]


def _order(text: str) -> str:
    """Return "hc" or "ch" for the two states that are one value in an expression, "" if none are.

    Those of a dict or an object have no order.
    """
    call = parsed(text, "call")
    values = [ast.Tuple(call.args, ast.Load()), *(each.value for each in call.keywords)]
    for node in (each for value in values for each in ast.walk(value)):
        parts = [] if isinstance(node, ast.Dict) or fields_of(node) else parts_of(node)
        order = "".join(ast.unparse(each)[0] for each in parts if _STATE.match(ast.unparse(each)))
        if len(parts) == 2 and {*order} == {"h", "c"}:
            return order
    return ""


_STATE = re.compile(r"[hc]_[0n]\b")


def _taken_back(returned: str) -> Iterator[str]:
    """Yield the call that gives states in the form of a dict in which they are returned."""
    for part in parts_of(parsed(f"({returned},)", "returns").args[0]):
        if isinstance(part, ast.Dict):
            states = ast.unparse(part).replace("h_n", "h_0").replace("c_n", "c_0")
            if {"h_0", "c_0"} == {*re.findall(r"\b(?:[hc]_0|output|_)\b", states)}:
                yield f"input, {states}"
