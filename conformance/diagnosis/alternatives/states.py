"""LSTMs that take initial or final states for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from reference import Array, Case, Result


def given(case: Case) -> tuple[Array, Array]:
    """The initial states; :class:`ValueError` if the case has none."""
    if case.h_0 is None or case.c_0 is None:
        raise ValueError("no initial states")
    return case.h_0, case.c_0


def initial(change: Callable[[Case, Array, Array], tuple[Array, Array]]) -> Callable[[Case], Case]:
    """A change of the initial states that are given."""

    def changed(case: Case) -> Case:
        h_0, c_0 = change(case, *given(case))
        return replace(case, h_0=h_0, c_0=c_0)

    return changed


def start_from_ones(case: Case) -> Case:
    """Ones for initial states that are not given."""
    if case.h_0 is not None:
        raise ValueError("initial states are given")
    sizes = case.configuration.output_size, case.configuration.hidden_size
    h_0, c_0 = (np.ones(case.state_shape(size), case.dtype.numpy) for size in sizes)
    return replace(case, h_0=h_0, c_0=c_0)


Order = Callable[[Array], Array]
"""From the places (L, D) of layers and directions in a state to those that are read instead."""


def slots(case: Case, order: Order) -> Array:
    """What `order` reads in each of the case's D * L places."""
    layers = case.configuration.num_layers
    places = np.arange(layers * case.configuration.num_directions)
    return order(places.reshape(layers, -1)).ravel()


def starts_in(order: Order) -> Callable[[Case], Case]:
    """A change of the initial states' order."""
    return initial(lambda case, h, c: (h[slots(case, order)], c[slots(case, order)]))


def ends_in(order: Order) -> Callable[[Case, Result], Result]:
    """A change of the final states' order."""
    return lambda case, r: Result(r.output, r.h_n[slots(case, order)], r.c_n[slots(case, order)])


def by_length(case: Case) -> Array:
    """Rows from the longest to the shortest; :class:`ValueError` without lengths."""
    if case.lengths is None:
        raise ValueError("no lengths")
    return np.argsort(-case.lengths, kind="stable")


def sorted_rows(case: Case, result: Result) -> Result:
    """Final states in the order of lengths, where there are lengths."""
    if case.lengths is None:
        return result
    order = by_length(case)
    return Result(result.output, result.h_n[:, order], result.c_n[:, order])


ZEROS = AlteredLSTM(
    "that returns zeros", result=lambda _, r: Result(0 * r.output, 0 * r.h_n, 0 * r.c_n)
)
"""The simplest of all."""

STATES = (
    AlteredLSTM("that takes h_0 for c_0 and c_0 for h_0", case=initial(lambda _, h, c: (c, h))),
    AlteredLSTM(
        "that returns c_n for h_n and h_n for c_n",
        result=lambda _, r: Result(r.output, r.c_n, r.h_n),
    ),
    AlteredLSTM("that starts from ones where no states are given", case=start_from_ones),
    AlteredLSTM(
        "that returns zeros for h_n and c_n",
        result=lambda _, r: Result(r.output, 0 * r.h_n, 0 * r.c_n),
    ),
    AlteredLSTM(
        "that takes the initial states in direction-major order",
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
        "that starts its layers from the initial states of the top layer first",
        case=starts_in(lambda at: at[::-1]),
    ),
    AlteredLSTM(
        "that returns the final states of the top layer first", result=ends_in(lambda at: at[::-1])
    ),
    AlteredLSTM(
        "that starts every layer from the initial states of the lowest",
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
        "that takes the initial states to be in the order of lengths",
        case=initial(lambda case, h, c: (h[:, (at := np.argsort(by_length(case)))], c[:, at])),
    ),
    AlteredLSTM("that returns the final states in the order of lengths", result=sorted_rows),
)
"""States taken for others."""
