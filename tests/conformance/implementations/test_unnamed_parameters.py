"""Parameters that an adapter does not name: using them shows, and having them does no harm."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance import Budget, Failed, HandWritten, Passed, UsageError, check
from conformance.implementations.by_hand.disturbing import numbers
from reference import DTYPES, Case, Configuration
from tests.hand_written.further import sigmoid
from tests.support.cases import random_case

BOTH: dict[str, Any] = {
    "weight_ih": "x.weight",
    "weight_hh": "h.weight",
    "bias": ("x.bias", "h.bias"),
    "call": "input",
    "returns": "output",
}
OF_NUMPY = {"weight_ih": "W", "weight_hh": "U", "call": "input", "returns": "output"}


class Linears(nn.Module):
    """Right, with what else `more` makes; the sum of the gates is that of `summed`."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.size = hidden_size
        self.x = nn.Linear(input_size, 4 * hidden_size)
        self.h = nn.Linear(hidden_size, 4 * hidden_size)
        self.more(hidden_size)

    def more(self, size: int) -> None:
        """Make nothing."""

    def summed(self, x: Any, h: Any, c: Any) -> Any:
        return self.x(x) + self.h(h)

    def forward(self, x: Any) -> Any:
        h = c = x.new_zeros(x.size(1), self.size)
        outputs = []
        for step in x:
            i, f, g, o = self.summed(step, h, c).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs)


class Peeps(Linears):
    """Gates see c by weights that are zero when they are new."""

    def more(self, size: int) -> None:
        self.p = nn.Parameter(torch.zeros(4 * size, size))
        self.q = nn.Parameter(torch.zeros(3))

    def summed(self, x: Any, h: Any, c: Any) -> Any:
        return super().summed(x, h, c) + c @ self.p.T


class Spare(Linears):
    """Has a head, a parameter for nothing, a buffer of ones that counts, and a lazy head."""

    def more(self, size: int) -> None:
        self.head, self.lazy = nn.Linear(size, 3), nn.LazyLinear(2)
        self.nothing = nn.Parameter(torch.zeros(5))
        self.register_buffer("one", torch.ones(1))

    def summed(self, x: Any, h: Any, c: Any) -> Any:
        return super().summed(x, h, c) * self.one

    def forward(self, x: Any) -> Any:
        output = super().forward(x)
        return output, self.head(output), self.lazy(output)


class Tied(Linears):
    """A weight of the gates has a second name, under which it comes first."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        x, h = self.x, self.h
        del self.x, self.h
        self.again = nn.ParameterList([x.weight])
        self.x, self.h = x, h


class ThreeBiases(Linears):
    """Adds a third bias, `times` as often as it should."""

    times = 1

    def more(self, size: int) -> None:
        self.b = nn.Parameter(torch.zeros(4 * size))

    def summed(self, x: Any, h: Any, c: Any) -> Any:
        return super().summed(x, h, c) + self.times * self.b


class ThirdTwice(ThreeBiases):
    """Adds it twice."""

    times = 2


class InNumPy:
    """Right, from a start that it holds; `spare` is for nothing."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.W = np.zeros((4 * hidden_size, input_size))
        self.U = np.zeros((4 * hidden_size, hidden_size))
        self.start, self.spare = np.zeros(hidden_size), np.zeros((2, 2))

    def __call__(self, x: Any) -> Any:
        h = c = np.zeros((x.shape[1], self.U.shape[1]), x.dtype) + self.start
        outputs = []
        for step in x:
            i, f, g, o = np.split(step @ self.W.T + h @ self.U.T, 4, -1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return np.stack(outputs)


@pytest.mark.parametrize(
    ("factory", "arguments"),
    [
        (Spare, {**BOTH, "returns": "output, _, _"}),
        (Tied, BOTH),
        (Peeps, {**BOTH, "kept": "p"}),
        (ThreeBiases, {**BOTH, "bias": ("x.bias", "h.bias", "b")}),
        (InNumPy, {**OF_NUMPY, "kept": ("start",)}),
    ],
)
def test_parameters_without_effect_do_no_harm(factory: Any, arguments: dict[str, Any]) -> None:
    """Nor do those that the adapter declares, those with two names, or a third bias."""
    mine = HandWritten(factory, **arguments)
    for name in ("results_match_reference", "gradients_match_backpropagation"):
        verdict = check(name, mine, budget=Budget(12, seed=1))
        assert verdict.conformant, verdict
    assert isinstance(check("results_match_reference", mine, budget=Budget(3, seed=1)), Passed)


@pytest.mark.parametrize(
    ("factory", "arguments", "told"),
    [
        (Peeps, BOTH, "only while p keeps its value from the constructor"),
        (ThreeBiases, BOTH, "only while b keeps its value from the constructor"),
        (InNumPy, OF_NUMPY, "only while start keeps its value from the constructor"),
        (ThirdTwice, {**BOTH, "bias": ("x.bias", "h.bias", "b")}, ""),
    ],
)
def test_parameters_that_are_used_are_not_those_of_the_lstm(
    factory: Any, arguments: dict[str, Any], told: str
) -> None:
    """The verdict names them, and no other that has no effect; a named third bias is filled."""
    verdict = check("results_match_reference", HandWritten(factory, **arguments))
    assert isinstance(verdict, Failed), verdict
    assert any(told in line for line in verdict.lines()), verdict.lines()


def test_numbers_of_parameters_are_exact_and_their_own() -> None:
    """They are positive, the same in each instance, and exact in every dtype."""
    found = numbers("fc.weight", (30, 20))
    assert np.array_equal(found, numbers("fc.weight", (30, 20)))
    assert found.min() >= 1 / 8
    assert found.max() <= 1
    assert not np.array_equal(found, numbers("fc.bias", (30, 20)))
    assert all(np.array_equal(found, found.astype(dtype.numpy)) for dtype in DTYPES.values())


def test_parameters_are_listed_that_nothing_names() -> None:
    """The adapter that keeps one does not list it, and is another object."""
    mine = HandWritten(Peeps, **BOTH)
    case: Case = random_case(Configuration(2, 3), dtype="float32")
    assert mine.unnamed(case) == ["p", "q"]
    other = mine.keeping(["p"])
    assert (mine.unnamed(case), other.unnamed(case)) == (["p", "q"], ["q"])
    made = other.subject(case).holder
    assert not made.p.any()
    assert made.q.all()
    assert mine.subject(case).holder.p.all()


def test_what_is_kept_must_be_a_parameter() -> None:
    """Anything else is refused, with what parameters there are."""
    with pytest.raises(UsageError, match=r"r is not a parameter; the parameters are .*p, q"):
        _ = HandWritten(Peeps, **BOTH, kept="r").supports
