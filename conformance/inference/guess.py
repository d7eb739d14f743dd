"""What has been found out about an unknown class."""

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
    """What has been found out so far, and how far off it is.

    - `scheme`, `method`, `call`, `reading`: which parameters hold the weights, what is called with
      which arguments, and what the axes of its input mean;
    - `equations`, `forget_bias`: what a step computes, and adds to the forget gate by itself;
    - `ih`, `hh`: the uses of blocks; `turned`: whether a per-gate weight_hh is transposed;
    - `biases`: what each adds to the gates, (4, HIDDEN); `initial`: those that are an initial h or
      c; `unexplained`: those that do something else;
    - `exact`: how many of the arrays that came back are explained, of `total` that have the shape
      of something that an LSTM returns, and of `returned` in all; `error`: how far off these
      `total` are on average.
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
    exact: int = 0
    total: int = 0
    returned: int = 0
    error: float = np.inf

    @property
    def whole(self) -> bool:
        """Whether everything that came back in the shape of an LSTM's results is explained."""
        return 0 < self.total <= self.exact

    @property
    def complete(self) -> bool:
        """Whether everything that came back is explained."""
        return self.whole and self.returned <= self.exact

    @property
    def says(self) -> list[str]:
        """What no LSTM has, after "an LSTM": in the equations, and in how its input is taken."""
        return [each for each in (self.equations.says, self.reading.says) if each]

    @property
    def flaws(self) -> int:
        """How many things there are that no LSTM has."""
        return len(self.says) + sum(0 < len(set(use)) < 4 for use in (self.ih, self.hh))

    @property
    def rank(self) -> tuple[int, int, int, float, float]:
        """Smaller is better; the error counts where nothing is explained."""
        error = 0.0 if self.exact else self.error
        return -self.exact, self.flaws, -self.total, error, self.forget_bias

    def plain(self, numbers: Numbers) -> Guess:
        """The same, with everything else used in the order in which the weights by x are.

        What to assume of a class that nothing explains.
        """
        biases = {}
        for place, name in enumerate(self.scheme.biases):
            bias = numbers.bias[name]
            if bias.size == HIDDEN:
                biases[name] = np.outer(np.array(self.ih) == place % 4, bias)
            else:
                biases[name] = bias.reshape(4, HIDDEN)[list(self.ih)]
        return replace(
            self, hh=self.ih, biases=biases, unexplained=(), equations=LSTM, forget_bias=0.0
        )
