"""Minimal examples are small: sizes of 1 to 3, few non-zero elements, simple numbers.

Faulty LSTMs are stood in for by the reference on a case that is changed as the fault would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reference import Array, Case, forward_bound, lstm, trace
from strategies import lstm_cases
from strategies.search import search


class Holds(Exception):
    """A case for which holds what is searched."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case = case


def minimal(holds: Callable[[Case], bool], seed: int = 0, **options: Any) -> Case:
    """The minimal case for which `holds`, searched with `seed`."""

    def body(case: Case) -> None:
        if holds(case):
            raise Holds(case)

    with pytest.raises(Holds) as found:
        search(lstm_cases(**options), body, seed=str(seed), max_examples=1000)
    return found.value.case


def sizes(case: Case) -> list[int]:
    """Every size of `case`."""
    c = case.configuration
    return [c.input_size, c.hidden_size, c.num_layers, case.seq_len, case.batch_size]


def non_zeros(case: Case) -> Array:
    """Every element of `case` that is not zero."""
    states = [state for state in (case.h_0, case.c_0) if state is not None]
    parts = [*case.parameters.values(), case.input, *states]
    values = np.concatenate([part.astype(np.float64).ravel() for part in parts])
    return values[values != 0]


def changed(case: Case, change: Callable[[str, Array], Array]) -> Case:
    """`case` with every array replaced."""
    states: dict[str, Any] = {}
    if case.h_0 is not None and case.c_0 is not None:
        states = {"h_0": change("h_0", case.h_0), "c_0": change("c_0", case.c_0)}
    drawn = {name: change(name, array) for name, array in case.parameters.items()}
    return replace(case, parameters=drawn, **states)


def without(start: str) -> Callable[[Case], Case]:
    """A fault that forgets every tensor whose name begins with `start`."""
    return lambda case: changed(
        case, lambda name, array: np.zeros_like(array) if name.startswith(start) else array
    )


def gates(order: tuple[int, ...]) -> Callable[[Case], Case]:
    """A fault that takes the gates in another order."""

    def reordered(name: str, array: Array) -> Array:
        if not name.startswith(("weight_ih", "weight_hh", "bias")):
            return array
        return np.concatenate([np.split(array, 4)[gate] for gate in order])

    return lambda case: changed(case, reordered)


def reverses_states(case: Case) -> Case:
    """A fault that takes the initial states of layers and directions in reverse order."""
    return changed(case, lambda name, array: array[::-1] if name in ("h_0", "c_0") else array)


def forgets_second_layer_bias(case: Case) -> Case:
    """A fault that leaves ``bias_ih_l1`` out."""
    return without("bias_ih_l1")(case)


def swaps_directions(case: Case) -> Case:
    """A fault that gives each direction the other's parameters."""
    if not case.configuration.bidirectional:
        return case
    drawn = dict(case.parameters)
    for name in case.parameters:
        if not name.endswith("_reverse"):
            other = f"{name}_reverse"
            drawn[name], drawn[other] = case.parameters[other], case.parameters[name]
    return replace(case, parameters=drawn)


def ignores_lengths(case: Case) -> Case:
    """A fault that takes padding for input."""
    return replace(case, lengths=None)


FAULTS: dict[str, Callable[[Case], Case]] = {
    "swaps i and f": gates((1, 0, 2, 3)),
    "swaps g and o": gates((0, 1, 3, 2)),
    "rotates gates": gates((1, 2, 3, 0)),
    "forgets bias_hh": without("bias_hh"),
    "forgets weight_hh": without("weight_hh"),
    "forgets weight_hr": without("weight_hr"),
    "ignores h_0": without("h_0"),
    "ignores c_0": without("c_0"),
    "reverses states": reverses_states,
    "forgets second layer's bias": forgets_second_layer_bias,
    "swaps directions": swaps_directions,
    "ignores lengths": ignores_lengths,
}


def caught(fault: Callable[[Case], Case]) -> Callable[[Case], bool]:
    """Whether a case tells the fault from the truth, by more than rounding explains."""

    def holds(case: Case) -> bool:
        truth, faulty = trace(case), lstm(fault(case))
        pairs = [
            (t, f) for (_, t), (_, f) in zip(truth.result.items(), faulty.items(), strict=True)
        ]
        if all(np.array_equal(t, f) for t, f in pairs):
            return False
        bounds = [bound for _, bound in forward_bound(truth).items()]
        return any((np.abs(t - f) > e).any() for (t, f), e in zip(pairs, bounds, strict=True))

    return holds


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_lstm_cases_shrink_to_few_numbers_for_a_fault(name: str) -> None:
    """In most of a few searches: sizes at most 3, at most 8 non-zeros, quarters and halves."""
    good = []
    for seed in range(3):
        case = minimal(caught(FAULTS[name]), seed)
        values = non_zeros(case)
        simple = np.array_equal(values * 4, np.rint(values * 4))
        good.append(max(sizes(case)) <= 3 and len(values) <= 8 and simple)
    assert sum(good) >= 2


def test_lstm_cases_shrink_to_nothing() -> None:
    """Without a condition the minimal case has sizes of 1 and zeros everywhere."""
    case = minimal(lambda _: True)
    assert sizes(case) == [1] * 5
    assert len(non_zeros(case)) == 0
    assert case.dtype.name == "float64"


def test_lstm_cases_shrink_to_one_bidirectional_step() -> None:
    """The minimal bidirectional case has sizes of 1 and zeros everywhere.

    A second layer may stay: a network of one layer has no choice of dropout, so that the choices
    after it stand for something else.
    """
    case = minimal(lambda case: case.configuration.bidirectional)
    assert sizes(case) in ([1] * 5, [1, 1, 2, 1, 1])
    assert len(non_zeros(case)) == 0


def test_lstm_cases_shrink_to_one_number_in_a_state() -> None:
    """The minimal case whose c_n exceeds 0.1 has a single 1."""
    case = minimal(lambda case: bool((lstm(case).c_n > 0.1).any()))
    assert sizes(case) == [1] * 5
    assert len(non_zeros(case)) <= 2
    assert set(non_zeros(case)) == {1.0}


def test_lstm_cases_shrink_sizes_one_by_one() -> None:
    """A lower bound on one size leaves the others at 1."""
    assert sizes(minimal(lambda case: case.configuration.hidden_size >= 3)) == [1, 3, 1, 1, 1]
    assert sizes(minimal(lambda case: case.seq_len >= 5)) == [1, 1, 1, 5, 1]
    assert sizes(minimal(lambda case: case.batch_size >= 4)) == [1, 1, 1, 1, 4]
    assert sizes(minimal(lambda case: case.configuration.input_size >= 6)) == [6, 1, 1, 1, 1]
    assert sizes(minimal(lambda case: case.configuration.proj_size > 0)) == [1, 2, 1, 1, 1]
