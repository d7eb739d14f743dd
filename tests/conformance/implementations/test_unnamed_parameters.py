"""Parameters that an adapter does not name: using them shows, and having them does no harm."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance import Budget, Failed, HandWritten, Passed, UsageError, check, infer
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
        self.spare = np.zeros((2, 2))
        self.begin(hidden_size)

    def begin(self, size: int) -> None:
        """Make the start."""
        self.start = np.zeros(size)

    def states(self) -> Any:
        """Return h and c to start from."""
        return self.start, self.start

    def __call__(self, x: Any) -> Any:
        h, c = (np.zeros((x.shape[1], self.U.shape[1]), x.dtype) + each for each in self.states())
        outputs = []
        for step in x:
            i, f, g, o = np.split(step @ self.W.T + h @ self.U.T, 4, -1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return np.stack(outputs)


class FromADict(InNumPy):
    """Keeps what it starts from in a dict, h at zero and c not."""

    def begin(self, size: int) -> None:
        self.state = {"h": np.zeros((1, size)), "c": np.full((1, size), 0.25)}

    def states(self) -> Any:
        return self.state["h"], self.state["c"]


class FromTrained(InNumPy):
    """Starts from numbers, as after training."""

    def begin(self, size: int) -> None:
        self.h0, self.c0 = np.linspace(0.1, 0.2, size), np.linspace(-0.3, -0.2, size)

    def states(self) -> Any:
        return self.h0, self.c0


class Learns(Linears):
    """Starts from states that are learned, drawn at first."""

    def more(self, size: int) -> None:
        self.h_0 = nn.Parameter(torch.randn(size))
        self.c_0 = nn.Parameter(torch.zeros(1, size))

    def forward(self, x: Any) -> Any:
        h, c = self.h_0.repeat(x.size(1), 1), self.c_0.repeat(x.size(1), 1)
        outputs = []
        for step in x:
            i, f, g, o = self.summed(step, h, c).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs)


class LearnsWithoutForgetting(Learns):
    """Starts from learned states, and drops the last cell state."""

    def summed(self, x: Any, h: Any, c: Any) -> Any:
        i, f, g, o = super().summed(x, h, c).chunk(4, -1)
        return torch.cat([i, f - 30, g, o], -1)


OF_STARTS: dict[Any, tuple[dict[str, Any], str, str]] = {
    InNumPy: ({"kept": "start"}, "h and c from start", 'kept="start"'),
    FromADict: (
        {"kept": "state.h", "zeroed": "state.c"},
        "h from state.h and c from state.c",
        'kept="state.h", zeroed="state.c"',
    ),
    FromTrained: ({"zeroed": ("h0", "c0")}, "h from h0 and c from c0", 'zeroed=("h0", "c0")'),
    Learns: (
        {"kept": "c_0", "zeroed": "h_0"},
        "h from h_0 and c from c_0",
        'kept="c_0", zeroed="h_0"',
    ),
}
"""For each class that starts from what it holds: how it is declared, what is told, as written."""


@pytest.mark.parametrize("factory", OF_STARTS)
def test_starts_are_named_with_the_arguments_that_hold_them(factory: Any) -> None:
    """The message has them as they are written; with them the class is right; `infer` has them."""
    arguments = BOTH if issubclass(factory, nn.Module) else OF_NUMPY
    held, where, written = OF_STARTS[factory]
    budget = Budget(12, seed=1)
    verdict = check("results_match_reference", HandWritten(factory, **arguments), budget=budget)
    assert isinstance(verdict, Failed), verdict
    why = "which no argument of the adapter names"
    told = f"The LSTM starts {where}, {why}: with {written} the results are right."
    assert told in verdict.lines()
    right = HandWritten(factory, **arguments, **held)
    assert isinstance(check("results_match_reference", right, budget=budget), Passed)
    found = infer(factory)
    assert found.fits, found.faults
    for key in ("kept", "zeroed"):
        names = getattr(found.implementation, key)
        assert names == getattr(right, key), found.code
        assert all(f'"{name}"' in found.code for name in names)
    drawn = [remark for remark in found.remarks if remark.endswith("is set to zero")]
    assert len(drawn) == len(right.zeroed)


def test_starts_do_not_explain_another_fault() -> None:
    """Where results stay wrong with what starts at zero, that is no explanation."""
    wrong = HandWritten(LearnsWithoutForgetting, **BOTH)
    verdict = check("results_match_reference", wrong)
    assert isinstance(verdict, Failed), verdict
    assert not any("The LSTM starts" in line for line in verdict.lines())
    assert not infer(LearnsWithoutForgetting).fits


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
    wrong: list[dict[str, Any]] = [{"kept": "r"}, {"zeroed": "r"}]
    for held in wrong:
        with pytest.raises(UsageError, match=r"r is not a parameter; the parameters are .*p, q"):
            _ = HandWritten(Peeps, **BOTH, **held).supports
