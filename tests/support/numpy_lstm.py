"""A plain LSTM in NumPy, row by row and gate by gate, to be broken by overriding a method.

It shares no code with the reference, so that what a diagnosis says of a broken one is no echo.
"""

import math
from collections.abc import Callable

import numpy as np

from conformance import Case, Result, Support
from reference import Array

QUARTERS = {"i": 0, "f": 1, "g": 2, "o": 3}


class NumPyLSTM:
    """A right LSTM in float64."""

    name = "NumPyLSTM"
    supports = Support(dtypes=("float64",), gradients=False)

    def quarter(self, gate: str) -> int:
        """Which quarter of the stacked parameters is taken for a gate."""
        return QUARTERS[gate]

    def matrix(self, name: str, stacked: Array) -> Array:
        """The matrix ``weight_ih`` or ``weight_hh`` that is multiplied with."""
        return stacked

    def bias(self, name: str, bias: Array) -> Array:
        """What is added for ``bias_ih`` or ``bias_hh``."""
        return bias

    def sigmoid(self, a: float) -> float:
        return 1 / (1 + math.exp(-a))

    def candidate(self, a: float) -> float:
        return math.tanh(a)

    def squash(self, c: float) -> float:
        return math.tanh(c)

    def cell_state(self, i: float, f: float, g: float, c: float) -> float:
        """The next c."""
        return f * c + i * g

    def hidden_state(self, o: float, c: float) -> float:
        """The next h, from the next c."""
        return o * self.squash(c)

    def steps(self, length: int, seq_len: int, direction: int) -> int:
        """How many steps change the state of a row."""
        return length

    def shown(self, h: Array, c: Array, top: bool) -> Array:
        """What a step puts out."""
        return h

    def run(self, case: Case) -> Result:
        options = case.configuration
        x = case.time_major(case.input)
        h_n, c_n = (np.array(state) for state in case.initial_states())
        lengths = [len(x)] * case.batch_size if case.lengths is None else case.lengths.tolist()
        for layer in range(options.num_layers):
            halves = []
            for direction in range(options.num_directions):
                slot = layer * options.num_directions + direction
                suffix = f"_l{layer}" + "_reverse" * direction
                cell = self.cell(case, suffix)
                half = np.zeros((*x.shape[:2], h_n.shape[-1]))
                for row, length in enumerate(lengths):
                    times = range(self.steps(length, len(x), direction))
                    for t in reversed(times) if direction else times:
                        h, c = cell(x[t, row], h_n[slot, row], c_n[slot, row])
                        h_n[slot, row], c_n[slot, row] = h, c
                        if t < length:
                            half[t, row] = self.shown(h, c, layer == options.num_layers - 1)
                halves.append(half)
            x = np.concatenate(halves, axis=2)
        if not case.batched:
            h_n, c_n = h_n[:, 0], c_n[:, 0]
        return Result(case.user_order(x), h_n, c_n)

    def cell(self, case: Case, suffix: str) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
        """From x, h and c of one row to the next h and c."""
        size = case.configuration.hidden_size
        p = case.parameters
        ih, hh = (self.matrix(n, p[n + suffix]) for n in ("weight_ih", "weight_hh"))
        biases = [
            self.bias(name, p[name + suffix])
            for name in ("bias_ih", "bias_hh")
            if case.configuration.bias
        ]

        def step(x: Array, h: Array, c: Array) -> tuple[Array, Array]:
            new_h, new_c = np.zeros(size), np.zeros(size)
            for unit in range(size):
                a = {}
                for gate in "ifgo":
                    row = self.quarter(gate) * size + unit
                    a[gate] = ih[row] @ x + hh[row] @ h + sum(bias[row] for bias in biases)
                i, o = self.sigmoid(a["i"]), self.sigmoid(a["o"])
                f, g = self.sigmoid(a["f"]), self.candidate(a["g"])
                new_c[unit] = self.cell_state(i, f, g, c[unit])
                new_h[unit] = self.hidden_state(o, new_c[unit])
            projection = p.get("weight_hr" + suffix)
            return (new_h if projection is None else projection @ new_h), new_c

        return step
