"""Many LSTMs at once, right ones and faulty ones, for comparing an unknown one with all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np

from reference import Array
from reference.cell import sigmoid

Function = Callable[[Array], Array]


class Gates(NamedTuple):
    """What a step has when the new states are put together; `previous` is c of the step before."""

    i: Array
    f: Array
    g: Array
    o: Array
    previous: Array


def _same(a: Array) -> Array:
    return a


@dataclass(frozen=True)
class Equations:
    """The equations of one step; those of the LSTM by default, and `fault` says what is not.

    `carried` names the states that go from step to step, `taken` the initial ones that count.
    """

    fault: str = ""
    gate: Function = sigmoid
    candidate: Function = np.tanh
    squash: Function = np.tanh
    cell: Callable[[Gates], Array] = field(default=lambda s: s.f * s.previous + s.i * s.g)
    hidden: Callable[[Gates, Array], Array] = field(default=lambda s, squashed: s.o * squashed)
    carried: str = "hc"
    taken: str = "hc"


LSTM = Equations()

FAULTY: tuple[Equations, ...] = (
    Equations("the candidate goes through sigmoid instead of tanh", candidate=sigmoid),
    Equations("the candidate lacks its tanh", candidate=_same),
    Equations("the candidate goes through relu", candidate=lambda a: np.maximum(a, 0)),
    Equations("the gates go through tanh instead of sigmoid", gate=np.tanh),
    Equations("the gates lack their sigmoid", gate=_same),
    Equations(
        "sigmoid and tanh are exchanged in gates and candidate", gate=np.tanh, candidate=sigmoid
    ),
    Equations("the gates go through clip(a / 6 + 1/2)", gate=lambda a: np.clip(a / 6 + 0.5, 0, 1)),
    Equations("the gates go through clip(a / 5 + 1/2)", gate=lambda a: np.clip(a / 5 + 0.5, 0, 1)),
    Equations("h = o * c: the tanh of c is missing", squash=_same),
    Equations("h = o * sigmoid(c) instead of o * tanh(c)", squash=sigmoid),
    Equations("h = tanh(c): the output gate is missing", hidden=lambda _, squashed: squashed),
    Equations("h = tanh(o * c)", squash=_same, hidden=lambda s, squashed: np.tanh(s.o * squashed)),
    Equations("h = o * tanh(previous c)", hidden=lambda s, _: s.o * np.tanh(s.previous)),
    Equations("c = f * c + g: the input gate is missing", cell=lambda s: s.f * s.previous + s.g),
    Equations("c = c + i * g: the forget gate is missing", cell=lambda s: s.previous + s.i * s.g),
    Equations("c = i * g: the previous c is dropped", cell=lambda s: s.i * s.g),
    Equations("c = f * c + (1 - f) * g", cell=lambda s: s.f * s.previous + (1 - s.f) * s.g),
    Equations("c = (1 - i) * c + i * g", cell=lambda s: (1 - s.i) * s.previous + s.i * s.g),
    Equations("c = f * (c + i * g)", cell=lambda s: s.f * (s.previous + s.i * s.g)),
    Equations("c = i * g - f * c", cell=lambda s: s.i * s.g - s.f * s.previous),
    Equations(
        "c = tanh(f * c + i * g): a squashed c is kept",
        cell=lambda s: np.tanh(s.f * s.previous + s.i * s.g),
        squash=_same,
    ),
    Equations("h is not carried: every step starts from the initial h", carried="c"),
    Equations("c is not carried: every step starts from the initial c", carried="h"),
    Equations("no state is carried: every step starts from the initial states", carried=""),
    Equations("a given h_0 is ignored", taken="c"),
    Equations("a given c_0 is ignored", taken="h"),
    Equations("given initial states are ignored", taken=""),
)
"""Faults that hand-written LSTMs have in their equations."""


def _changes(equations: Equations) -> dict[str, Any]:
    """What is other than in the LSTM."""
    values = {item.name: getattr(equations, item.name) for item in fields(equations)}
    return {
        name: value
        for name, value in values.items()
        if name != "fault" and value is not getattr(LSTM, name)
    }


TWICE_FAULTY: tuple[Equations, ...] = tuple(
    replace(second, fault=f"{first.fault}; and {second.fault}", **_changes(first))
    for first, second in itertools.combinations(FAULTY, 2)
    if not _changes(first).keys() & _changes(second).keys()
)
"""Two of these faults at once, where they are not about the same."""


class Blocks(NamedTuple):
    """M sets of parameters: weight_ih (M, 4, H, I), weight_hh (M, 4, H, H), bias (M, 4, H).

    Gates are in the order i, f, g, o. An axis of 1 in place of M is shared by all.
    """

    weight_ih: Array
    weight_hh: Array
    bias: Array


class Simulated(NamedTuple):
    """Hidden and cell states of every step, each (M, T, N, H)."""

    h: Array
    c: Array


def simulate(x: Array, states: Sequence[Array], blocks: Blocks, equations: Equations) -> Simulated:
    """Run M LSTMs over `x` (T, N, I) from `states`, h and c, each (N, H)."""
    count = max(len(array) for array in blocks)
    h_0, c_0 = (
        np.broadcast_to(state * (name in equations.taken), (count, *state.shape))
        for name, state in zip("hc", states, strict=True)
    )
    h, c = h_0, c_0
    by_x, by_h = (
        weight.reshape(len(weight), -1, weight.shape[-1]).swapaxes(1, 2)
        for weight in (blocks.weight_ih, blocks.weight_hh)
    )
    bias = blocks.bias.reshape(len(blocks.bias), 1, -1)
    hs, cs = [], []
    with np.errstate(all="ignore"):
        for step in x:
            a_i, a_f, a_g, a_o = np.split(step @ by_x + h @ by_h + bias, 4, axis=-1)
            i, f, o = map(equations.gate, (a_i, a_f, a_o))
            gates = Gates(i, f, equations.candidate(a_g), o, c)
            new = equations.cell(gates)
            hs.append(equations.hidden(gates, equations.squash(new)))
            cs.append(new)
            h = hs[-1] if "h" in equations.carried else h_0
            c = cs[-1] if "c" in equations.carried else c_0
    return Simulated(np.stack(hs, 1), np.stack(cs, 1))
