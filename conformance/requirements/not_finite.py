"""Requirements on NaN and infinities: they go where the equations take them, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Quantity
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import ending
from conformance.requirements.parts import rows_of
from conformance.requirements.variations import with_input
from reference import Array, Case, Result, trace


def _spoiled(case: Case, name: str, value: float) -> Case:
    """Put `value` into the input or an initial state, in the middle row."""
    row = case.batch_size // 2
    if name == "input":
        x = case.time_major(case.input).copy()
        x[case.seq_len // 2, row, 0] = value
        return with_input(case, x)
    state: Array = getattr(case, name).copy()
    state[case.seq_len % len(state), row, 0] = value
    spoiled: dict[str, Any] = {name: state}
    return replace(case, **spoiled)


def _other_rows_unchanged(
    implementation: Implementation, case: Case, spoiled: Case
) -> tuple[float, Result]:
    """Compare all rows but the middle one of two cases; returns the result of `spoiled` as well."""
    bound = truth(case, implementation).bound
    before, after = run(implementation, case), run(implementation, spoiled)
    kept = np.delete(np.arange(case.batch_size), case.batch_size // 2)
    allowed = rows_of(case, plus(bound, bound), kept)
    share = agree(rows_of(case, after, kept), rows_of(case, before, kept), allowed)
    return share, after


_ROWS: dict[str, Any] = {
    "level": "core",
    "share_of_cases": 0.7,
    "batched": True,
    "batch_size": (2, 8),
}


@requirement(
    source="IEEE 754: operations on NaN give NaN; the equations, which relate no two rows", **_ROWS
)
def nan_stays_in_its_row(implementation: Implementation, case: Case) -> float:
    """A NaN in a row's input, h_0 or c_0 makes later results of that row NaN, and of no other."""
    worst = 0.0
    for name in case.arguments():
        spoiled = _spoiled(case, name, np.nan)
        share, after = _other_rows_unchanged(implementation, case, spoiled)
        worst = max(worst, share)
        row = np.array([case.batch_size // 2])
        true = rows_of(case, trace(spoiled).result, row)
        _nan_where(_nan(true), rows_of(case, after, row), name)
    return worst


def _nan(result: Result) -> list[Array]:
    return [np.isnan(array.astype(np.float64)) for _, array in result.items()]


def _nan_where(expected: Sequence[Array], got: Result, name: str) -> None:
    """Check that what `got` has is NaN wherever it is `expected`, with a NaN in `name`."""
    for (result, _), where, found in zip(got.items(), expected, _nan(got), strict=True):
        is_nan = found[where] * 1.0
        what = f"isnan({result}) with NaN in {name}"
        close(what, is_nan, np.ones(is_nan.shape), 0.0, quantity=Quantity.OTHER)


@requirement(
    source="IEEE 754: operations on NaN give NaN",
    level="core",
    share_of_cases=0.3,
    hidden_size=(1, 8),
    input_size=(1, 8),
    seq_len=(1, 8),
)
def nan_in_a_parameter_reaches_the_results(implementation: Implementation, case: Case) -> None:
    """A NaN in a weight or a bias, as training that diverged leaves it, makes results NaN.

    There is one in turn in each kind of parameter, of some layer and direction. A result of which
    the equations say that it changes with that parameter is NaN. Where they multiply it by zero, as
    a product of matrices may leave out, nothing is asked.
    """
    if not case.input.size:
        return
    suffixes = case.configuration.suffixes()
    suffix = suffixes[(case.seq_len + case.batch_size) % len(suffixes)]
    for name in [
        each for each in case.parameters if each.partition("_l")[2] == suffix.removeprefix("_l")
    ]:
        spoiled, *others = (_with_parameter(case, name, each) for each in (np.nan, -1, 1))
        true, *finite = (trace(each).result for each in (spoiled, *others))
        changes = [
            one != other for (_, one), (_, other) in zip(*map(Result.items, finite), strict=True)
        ]
        expected = [nan & each for nan, each in zip(_nan(true), changes, strict=True)]
        _nan_where(expected, run(implementation, spoiled), name)


def _with_parameter(case: Case, name: str, value: float) -> Case:
    """Put `value` into the middle of a parameter."""
    array = case.parameters[name].copy()
    array.flat[array.size // 2] = value
    return replace(case, parameters={**case.parameters, name: array})


@requirement(
    source="IEEE 754 arithmetic with infinities; the equations, which relate no two rows",
    **_ROWS,
    num_layers=(1, 1),
)
def infinity_stays_in_its_row(implementation: Implementation, case: Case) -> float:
    """An infinite input or h_0 saturates the gates: results stay finite. Other rows do not change.

    An infinite c_0 stays infinite where the forget gate is one half, and h stays finite. Infinity
    has either sign.
    """
    nonzero = {
        name: np.where(array == 0, np.ones_like(array), array)
        if name.startswith("weight_ih" if case.h_0 is None else ("weight_ih", "weight_hh"))
        else array
        for name, array in case.parameters.items()
    }
    worst = 0.0
    for argument in case.arguments():
        parameters = _with_half_forgotten(case) if argument == "c_0" else nonzero
        finite = replace(case, parameters=parameters)
        sign = 1 if (case.seq_len + case.configuration.hidden_size) % 2 else -1
        spoiled = _spoiled(finite, argument, sign * np.inf)
        share, after = _other_rows_unchanged(implementation, finite, spoiled)
        worst = max(worst, share)
        for name in implementation.supports.results:
            if (argument, name) == ("c_0", "c_n"):
                got, true = np.isinf(after.c_n), np.isinf(trace(spoiled).result.c_n)
                what = "isinf(c_n) with infinity in c_0"
                close(what, got * 1.0, true * 1.0, 0.0, quantity=Quantity.OTHER)
            else:
                _all_finite(name, getattr(after, name))
    return worst


def _with_half_forgotten(case: Case) -> dict[str, Array]:
    """Give the parameters of `case` with those of the forget gate zero, which is then one half."""
    size = case.configuration.hidden_size
    parameters = {name: array.copy() for name, array in case.parameters.items()}
    for name, array in parameters.items():
        if not name.startswith("weight_hr"):
            array[size : 2 * size] = 0
    return parameters


def _all_finite(name: str, got: Array) -> None:
    finite = np.isfinite(got.astype(np.float64))
    text = "fault = not np.isfinite(numbers({it})).all()\nprint('expected finite:', {it})"
    close(
        f"isfinite({name})",
        finite * 1.0,
        np.ones(finite.shape),
        0.0,
        quantity=Quantity.OTHER,
        ending=lambda _: ending(text, it=got),
    )
