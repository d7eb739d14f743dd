"""LSTMs that confuse, drop or change their parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from reference import Array, Weights

GATES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}


def of_gates(w: Weights, change: Callable[[Array], Array]) -> Weights:
    """Apply `change` to weights and biases that are stacked by gates."""
    return w._replace(
        weight_ih=change(w.weight_ih),
        weight_hh=change(w.weight_hh),
        bias_ih=change(w.bias_ih),
        bias_hh=change(w.bias_hh),
    )


def gate_orders() -> Iterator[AlteredLSTM]:
    """Yield the 23 wrong orders of gates, beginning with those that swap two gates."""
    orders = sorted(permutations("ifgo"), key=lambda order: sum(map(str.__ne__, order, "ifgo")))
    for order in orders[1:]:
        places = [order.index(gate) for gate in "ifgo"]
        moved = [GATES[gate] for gate, read in zip("ifgo", order, strict=True) if gate != read]
        two = f" ({' and '.join(moved)} are swapped)" if len(moved) == 2 else ""
        yield AlteredLSTM(
            f"that reads the gates in the order {', '.join(order)}{two}", weights=taking(places)
        )


def taking(places: list[int]) -> Callable[[Weights], Weights]:
    """Make a change that reads each gate from the quarter of the parameters given in `places`."""
    return lambda w: of_gates(w, lambda a: np.concatenate([np.split(a, 4)[at] for at in places]))


def by_gate(a: Array) -> Array:
    """Transpose the matrix of each gate, if the matrix is square."""
    if a.shape[0] != 4 * a.shape[1]:
        return a
    return np.concatenate([gate.T for gate in np.split(a, 4)])


def by_column(a: Array) -> Array:
    """Read the same memory column by column."""
    return a.reshape(a.shape[::-1]).T


def interleaved(a: Array) -> Array:
    """Take every fourth row as one gate."""
    return np.concatenate([a[gate::4] for gate in range(4)])


def transposed(ih: bool, hh: bool, how: Callable[[Array], Array]) -> Callable[[Weights], Weights]:
    """Make a change of ``weight_ih``, of ``weight_hh``, or of both."""
    return lambda w: w._replace(
        weight_ih=how(w.weight_ih) if ih else w.weight_ih,
        weight_hh=how(w.weight_hh) if hh else w.weight_hh,
    )


def scaled(factor: float, *names: str) -> Callable[[Weights], Weights]:
    """Make a change that multiplies the parameters `names` by `factor`."""
    return lambda w: w._replace(**{name: factor * getattr(w, name) for name in names})


def forget_bias(w: Weights) -> Weights:
    """Add 1 to the bias of the forget gate."""
    return w._replace(bias_ih=w.bias_ih + np.repeat([0, 1, 0, 0], len(w.bias_ih) // 4))


def unprojected(w: Weights) -> Weights:
    """Replace ``weight_hr`` by the identity matrix, cut to the same shape."""
    return w._replace(weight_hr=None if w.weight_hr is None else np.eye(*w.weight_hr.shape))


def with_forget_bias(hypothesis: AlteredLSTM) -> AlteredLSTM:
    """Make the hypothesis that 1 is added to the forget gate's bias as well."""

    def changed(w: Weights) -> Weights:
        return forget_bias(hypothesis.weights(w))

    says = f"{hypothesis.says} and adds 1 to the forget gate's bias"
    return replace(hypothesis, says=says, weights=changed)


WEIGHTS = (
    *gate_orders(),
    AlteredLSTM("without bias_hh", weights=scaled(0, "bias_hh")),
    AlteredLSTM("without bias_ih", weights=scaled(0, "bias_ih")),
    AlteredLSTM("without biases", weights=scaled(0, "bias_ih", "bias_hh")),
    AlteredLSTM("that adds bias_ih twice", weights=scaled(2, "bias_ih")),
    AlteredLSTM("that adds bias_hh twice", weights=scaled(2, "bias_hh")),
    AlteredLSTM("that adds both biases twice", weights=scaled(2, "bias_ih", "bias_hh")),
    AlteredLSTM(
        "that adds bias_ih in place of bias_hh", weights=lambda w: w._replace(bias_hh=w[2])
    ),
    AlteredLSTM(
        "that adds bias_hh in place of bias_ih", weights=lambda w: w._replace(bias_ih=w[3])
    ),
    AlteredLSTM("that adds 1 to the forget gate's bias", weights=forget_bias),
    AlteredLSTM("without weight_hh", weights=scaled(0, "weight_hh")),
    AlteredLSTM("without weight_ih", weights=scaled(0, "weight_ih")),
    *(
        AlteredLSTM(f"whose {names} {verb} {read}", weights=transposed(ih, hh, how))
        for how, read in (
            (by_gate, "transposed, gate by gate"),
            (by_column, "read column by column"),
        )
        for names, verb, ih, hh in (
            ("weight_ih", "is", True, False),
            ("weight_hh", "is", False, True),
            ("weight_ih and weight_hh", "are", True, True),
        )
    ),
    AlteredLSTM(
        "that reads every fourth row of the parameters as one gate",
        weights=lambda w: of_gates(w, interleaved),
    ),
    AlteredLSTM("that cuts h to proj_size instead of projecting h", weights=unprojected),
)
"""Every hypothesis on parameters."""

BIASED_ORDERS = tuple(map(with_forget_bias, gate_orders()))
"""Wrong orders of gates, with 1 added to the forget gate."""
