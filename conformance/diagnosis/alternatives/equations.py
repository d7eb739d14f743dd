"""The equations of one step: those of the LSTM, and variants known from faulty LSTMs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import Any

import numpy as np

from reference import Array, Step, Weights
from reference.cell import sigmoid

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Equations:
    """The equations of one step, by default those of the LSTM; `says` describes the change.

    - `gate`, `candidate`, `squash`: the activations of i, f and o, of g, and of c;
    - `next_c`, `next_h`: c and h, from the quantities of the step that come before them;
    - `carried`: the states passed from step to step; `taken`: the initial states that are used.
    """

    says: str = ""
    gate: Function = sigmoid
    candidate: Function = np.tanh
    squash: Function = np.tanh
    next_c: Callable[[Step], Array] = field(default=lambda s: s.f * s.c_prev + s.i * s.g)
    next_h: Callable[[Step], Array] = field(default=lambda s: s.o * s.tanh_c)
    carried: str = "hc"
    taken: str = "hc"

    @property
    def changes(self) -> dict[str, Any]:
        """List the fields that differ from the LSTM, by name."""
        values = {item.name: getattr(self, item.name) for item in fields(self)[1:]}
        return {name: value for name, value in values.items() if value is not getattr(LSTM, name)}

    def step(self, x: Array, h: Array, c: Array, a: Array) -> Step:
        """Compute the step from pre-activations `a` (..., 4 * hidden_size), without projection."""
        a_i, a_f, a_g, a_o = np.moveaxis(a.reshape(*a.shape[:-1], 4, -1), -2, 0)
        i, f, o = self.gate(a_i), self.gate(a_f), self.gate(a_o)
        # c and h are filled in one after the other, as each may read all that comes before it
        s = Step(x, h, c, a_i, a_f, a_g, a_o, i, f, self.candidate(a_g), o, c, c, h, h)
        s = s._replace(c=self.next_c(s))
        s = s._replace(tanh_c=self.squash(s.c))
        next_h = self.next_h(s)
        return s._replace(h_full=next_h, h=next_h)

    def cell(self, x: Array, h: Array, c: Array, w: Weights) -> Step:
        """Compute a step as :func:`reference.lstm_cell`, with these equations."""
        s = self.step(x, h, c, x @ w.weight_ih.T + w.bias_ih + h @ w.weight_hh.T + w.bias_hh)
        return s if w.weight_hr is None else s._replace(h=s.h @ w.weight_hr.T)


LSTM = Equations()


def linear(a: Array) -> Array:
    """Return `a`."""
    return a


def relu(a: Array) -> Array:
    """Return `a` where `a` is positive, else 0."""
    return np.maximum(a, 0)


def falling(a: Array) -> Array:
    """Return the sigmoid of ``-a``, ``1 / (1 + exp(a))``."""
    return sigmoid(-a)


def flatter(a: Array) -> Array:
    """Return ``2 * sigmoid(a) - 1``, which is ``tanh(a / 2)``."""
    half: Array = np.tanh(a / 2)
    return half


def softsign(a: Array) -> Array:
    """Return ``a / (1 + |a|)``."""
    squashed: Array = a / (1 + np.abs(a))
    return squashed


def hard_sigmoid(slope: float) -> Function:
    """Make the activation ``slope * a + 0.5``, clipped to [0, 1]."""
    return lambda a: np.clip(slope * a + 0.5, 0, 1)


ACTIVATIONS = (
    Equations("with sigmoid on the candidate", candidate=sigmoid),
    Equations("without tanh on the candidate", candidate=linear),
    Equations("without tanh on the cell state", squash=linear),
    Equations("without any tanh", candidate=linear, squash=linear),
    Equations("with relu on the candidate", candidate=relu),
    Equations("with relu in place of tanh", candidate=relu, squash=relu),
    Equations("with 2 sigmoid(a) - 1 in place of tanh", candidate=flatter, squash=flatter),
    Equations("with softsign in place of tanh", candidate=softsign, squash=softsign),
    Equations("with 1 / (1 + exp(a)) in place of sigmoid", gate=falling),
    Equations("with tanh on the gates", gate=np.tanh),
    Equations("without sigmoid on the gates", gate=linear),
    Equations("with sigmoid and tanh exchanged", gate=np.tanh, candidate=sigmoid),
    Equations("with the hard sigmoid 0.2 a + 0.5 in place of sigmoid", gate=hard_sigmoid(0.2)),
    Equations("with the hard sigmoid a / 6 + 0.5 in place of sigmoid", gate=hard_sigmoid(1 / 6)),
    Equations("with sigmoid on the cell state", squash=sigmoid),
)
"""Equations with other activations."""

HIDDEN = (
    Equations("whose hidden state is the cell state", next_h=lambda s: s.c),
    Equations(
        "whose cell returns c for h and h for c",
        next_c=lambda s: s.o * np.tanh(s.f * s.c_prev + s.i * s.g),
        next_h=lambda s: s.f * s.c_prev + s.i * s.g,
    ),
    Equations("without an output gate, h = tanh(c)", next_h=lambda s: s.tanh_c),
    Equations("without sigmoid on the output gate", next_h=lambda s: s.a_o * s.tanh_c),
    Equations("with tanh on the output gate", next_h=lambda s: np.tanh(s.a_o) * s.tanh_c),
    Equations(
        "that adds the hidden state of the previous step",
        next_h=lambda s: s.h_prev + s.o * s.tanh_c,
    ),
    Equations("that computes h = tanh(o * c)", next_h=lambda s: np.tanh(s.o * s.c)),
    Equations(
        "that computes h from the cell state of the previous step",
        next_h=lambda s: s.o * np.tanh(s.c_prev),
    ),
)
"""Equations with another hidden state."""

CELL_STATES = (
    Equations("without an input gate, c = f * c + g", next_c=lambda s: s.f * s.c_prev + s.g),
    Equations("without a forget gate, c = c + i * g", next_c=lambda s: s.c_prev + s.i * s.g),
    Equations(
        "that adds 1 to the input gate",
        next_c=lambda s: s.f * s.c_prev + sigmoid(s.a_i + 1) * s.g,
    ),
    Equations(
        "with the forget gate inverted, c = (1 - f) * c + i * g",
        next_c=lambda s: (1 - s.f) * s.c_prev + s.i * s.g,
    ),
    Equations("that drops the cell state of the previous step", next_c=lambda s: s.i * s.g),
    Equations(
        "with coupled gates, i = 1 - f",
        next_c=lambda s: s.f * s.c_prev + (1 - s.f) * s.g,
    ),
    Equations(
        "with coupled gates, f = 1 - i",
        next_c=lambda s: (1 - s.i) * s.c_prev + s.i * s.g,
    ),
    Equations("without sigmoid on the input gate", next_c=lambda s: s.f * s.c_prev + s.a_i * s.g),
    Equations("without sigmoid on the forget gate", next_c=lambda s: s.a_f * s.c_prev + s.i * s.g),
    Equations(
        "with tanh on the input gate", next_c=lambda s: s.f * s.c_prev + np.tanh(s.a_i) * s.g
    ),
    Equations(
        "with tanh on the forget gate", next_c=lambda s: np.tanh(s.a_f) * s.c_prev + s.i * s.g
    ),
    Equations("that computes c = f * c + i + g", next_c=lambda s: s.f * s.c_prev + s.i + s.g),
    Equations("that computes c = f * (c + i * g)", next_c=lambda s: s.f * (s.c_prev + s.i * s.g)),
    Equations("that computes c = i * g - f * c", next_c=lambda s: s.i * s.g - s.f * s.c_prev),
    Equations(
        "that computes c = tanh(f * c + i * g)",
        next_c=lambda s: np.tanh(s.f * s.c_prev + s.i * s.g),
        squash=linear,
    ),
)
"""Equations with another cell state."""

STATES = (
    Equations("that starts every step from the initial h", carried="c"),
    Equations("that starts every step from the initial c", carried="h"),
    Equations("that starts every step from the initial states", carried=""),
    Equations("that ignores h_0", taken="c"),
    Equations("that ignores c_0", taken="h"),
    Equations("that ignores h_0 and c_0", taken=""),
)
"""Equations whose states are not passed on, or whose initial states are ignored."""

EQUATIONS = (*ACTIVATIONS, *HIDDEN, *CELL_STATES, *STATES)
"""Every change of the equations."""

PAIRS: tuple[Equations, ...] = tuple(
    replace(second, says=f"{first.says} and {second.says}", **first.changes)
    for first, second in combinations(EQUATIONS, 2)
    if not first.changes.keys() & second.changes.keys()
)
"""Two changes at once, where these do not concern the same field."""
