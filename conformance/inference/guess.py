"""A guess: what has been found out about an unknown class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from conformance.diagnosis.alternatives.equations import LSTM, Equations
from conformance.implementations.by_hand.expressions import Call
from conformance.inference.numbers import HIDDEN, Numbers, Use
from conformance.inference.readings import Reading
from conformance.inference.schemes import Scheme
from reference import Array


@dataclass(frozen=True)
class Guess:
    """What has been found out so far, and how well it explains what the class returns.

    - `scheme`: which parameters hold the weights
    - `method`, `call`: what is called with which arguments; an empty method is the instance itself
    - `reading`: what the axes of the input mean
    - `equations`: what a step computes
    - `forget_bias`: a constant that the class itself adds to the forget gate
    - `ih`, `hh`: for each gate the block of the weights by x, and by h, that it uses
    - `turned`: whether four separate weights by h are transposed, None if not known
    - `biases`: what each bias adds to the gates, for each layer and direction, (4, HIDDEN)
    - `draws`: the initial states that the class itself draws at random, None if it draws none
    - `initial`: names that look like biases and are the initial h or c
    - `unexplained`: names that look like biases and do something else
    - `exact`: the number of returned arrays that are explained
    - `total`: the number of returned arrays with the shape of something that an LSTM returns
    - `returned`: the number of all returned arrays
    - `error`: the mean error of the `total` arrays
    """

    scheme: Scheme
    method: str
    call: Call
    reading: Reading
    equations: Equations = LSTM
    forget_bias: float = 0.0
    ih: Use = ()
    hh: Use = ()
    turned: bool | None = None
    biases: Mapping[str, Array] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    unexplained: tuple[str, ...] = ()
    draws: Call | None = None
    exact: int = 0
    total: int = 0
    returned: int = 0
    error: float = np.inf

    @property
    def states(self) -> set[str]:
        """The names of the initial states that are given or drawn; the others are zero."""
        drawn = self.draws.names if self.draws else []
        return {"h_0", "c_0"} & {*self.call.names, *drawn}

    @property
    def whole(self) -> bool:
        """Whether everything that was returned in the shape of an LSTM's results is explained."""
        return 0 < self.total <= self.exact

    @property
    def complete(self) -> bool:
        """Whether everything that was returned is explained."""
        return self.whole and self.returned <= self.exact

    @property
    def says(self) -> list[str]:
        """The flaws in the equations and in the reading of the input, to follow "an LSTM"."""
        return [each for each in (self.equations.says, self.reading.says) if each]

    @property
    def flaws(self) -> int:
        """The number of things that a right LSTM does not have."""
        return len(self.says) + sum(0 < len(set(use)) < 4 for use in (self.ih, self.hh))

    @property
    def rank(self) -> tuple[int, int, int, float, float]:
        """The sort key: smaller is better; the error counts only if nothing is explained."""
        error = 0.0 if self.exact else self.error
        return -self.exact, self.flaws, -self.total, error, self.forget_bias

    def plain(self, numbers: Numbers) -> Guess:
        """Return the guess with everything else used in the order of the weights by x.

        That is the simplest assumption about a class that nothing explains. A bias beside the
        weight of a gate is of that gate.
        """
        beside = {
            name.rpartition(".")[0]: block
            for names in (self.scheme.ih, self.scheme.hh)
            if len(names) == 4
            for block, name in enumerate(names)
            if "." in name
        }
        biases = {}
        for place, name in enumerate(self.scheme.biases):
            bias = numbers.bias[name]
            if bias.shape[1] == HIDDEN:
                block = beside.get(name.rpartition(".")[0], place % 4)
                biases[name] = (np.array(self.ih) == block)[:, None] * bias[:, None]
            else:
                biases[name] = bias.reshape(-1, 4, HIDDEN)[:, list(self.ih)]
        return replace(
            self, hh=self.ih, biases=biases, unexplained=(), equations=LSTM, forget_bias=0.0
        )
