"""LSTMs that confuse initial or final states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from reference import Array, Case, Result


def given(case: Case) -> tuple[Array, Array]:
    """Return the initial states; raises :class:`ValueError` if the case has none."""
    if case.h_0 is None or case.c_0 is None:
        raise ValueError("no initial states")
    return case.h_0, case.c_0


def initial(change: Callable[[Case, Array, Array], tuple[Array, Array]]) -> Callable[[Case], Case]:
    """Make a change of the initial states that are given."""

    def changed(case: Case) -> Case:
        h_0, c_0 = change(case, *given(case))
        return replace(case, h_0=h_0, c_0=c_0)

    return changed


def start_from_ones(case: Case) -> Case:
    """Give ones for omitted initial states; raises :class:`ValueError` if states are given."""
    if case.h_0 is not None:
        raise ValueError("initial states are given")
    sizes = case.configuration.output_size, case.configuration.hidden_size
    h_0, c_0 = (np.ones(case.state_shape(size), case.dtype.numpy) for size in sizes)
    return replace(case, h_0=h_0, c_0=c_0)


Order = Callable[[Array], Array]
"""From the places (L, D) of layers and directions in a state to the places read instead."""


def slots(case: Case, order: Order) -> Array:
    """List for each of the D * L places of a state the place that `order` reads instead."""
    layers = case.configuration.num_layers
    places = np.arange(layers * case.configuration.num_directions)
    return order(places.reshape(layers, -1)).ravel()


def starts_in(order: Order) -> Callable[[Case], Case]:
    """Make a change of the order of layers and directions in the initial states."""
    return initial(lambda case, h, c: (h[slots(case, order)], c[slots(case, order)]))


def ends_in(order: Order) -> Callable[[Case, Result], Result]:
    """Make a change of the order of layers and directions in the final states."""
    return lambda case, r: Result(r.output, r.h_n[slots(case, order)], r.c_n[slots(case, order)])


def by_length(case: Case) -> Array:
    """Order rows from the longest to the shortest; raises :class:`ValueError` without lengths."""
    if case.lengths is None:
        raise ValueError("no lengths")
    return np.argsort(-case.lengths, kind="stable")


def sorted_rows(case: Case, result: Result) -> Result:
    """Sort the rows of the final states by length, if there are lengths."""
    if case.lengths is None:
        return result
    order = by_length(case)
    return Result(result.output, result.h_n[:, order], result.c_n[:, order])


ZEROS = AlteredLSTM(
    "that returns zeros", result=lambda _, r: Result(0 * r.output, 0 * r.h_n, 0 * r.c_n)
)
"""The simplest hypothesis."""

STATES = (
    AlteredLSTM("that swaps h_0 and c_0", case=initial(lambda _, h, c: (c, h))),
    AlteredLSTM(
        "that swaps h_n and c_n",
        result=lambda _, r: Result(r.output, r.c_n, r.h_n),
    ),
    AlteredLSTM("that starts from ones where no states are given", case=start_from_ones),
    AlteredLSTM(
        "that returns zeros for h_n and c_n",
        result=lambda _, r: Result(r.output, 0 * r.h_n, 0 * r.c_n),
    ),
    AlteredLSTM(
        "that reads the initial states in direction-major order",
        case=starts_in(lambda at: np.arange(at.size).reshape(at.T.shape).T),
    ),
    AlteredLSTM(
        "that returns the final states in direction-major order", result=ends_in(np.transpose)
    ),
    AlteredLSTM(
        "that starts each direction from the other's initial states",
        case=starts_in(lambda at: at[:, ::-1]),
    ),
    AlteredLSTM(
        "that returns the forward direction's final states for both",
        result=ends_in(lambda at: np.repeat(at[:, :1], at.shape[1], 1)),
    ),
    AlteredLSTM(
        "that reads the initial states with the top layer first",
        case=starts_in(lambda at: at[::-1]),
    ),
    AlteredLSTM(
        "that returns the final states with the top layer first",
        result=ends_in(lambda at: at[::-1]),
    ),
    AlteredLSTM(
        "that starts every layer from the initial states of the lowest layer",
        case=starts_in(lambda at: np.repeat(at[:1], len(at), 0)),
    ),
    AlteredLSTM(
        "that returns the final states of the top layer only",
        result=ends_in(lambda at: at[-1:]),
    ),
    AlteredLSTM(
        "that starts all rows from the first row's initial states",
        case=initial(lambda _, h, c: (h[:, :1] + 0 * h, c[:, :1] + 0 * c)),
    ),
    AlteredLSTM(
        "that reads the initial states as if rows were sorted by length",
        case=initial(lambda case, h, c: (h[:, (at := np.argsort(by_length(case)))], c[:, at])),
    ),
    AlteredLSTM("that returns the final states with rows sorted by length", result=sorted_rows),
)
"""Every hypothesis on initial and final states."""
