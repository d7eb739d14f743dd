"""Gradients in both directions, each step from the one that is seen."""

from __future__ import annotations

import numpy as np
import pytest

from conformance import Budget, check
from conformance.implementations.failures import Mismatch
from conformance.requirements.helpers.gradients import close_gradients, cotangents
from conformance.requirements.parts import turned
from conformance.requirements.repeated import Extremes
from conformance.requirements.stepwise_gradients import known_gradients, seen_through
from reference import Arithmetic, Array, Case, Configuration, backward, trace

LENGTHS = np.array([5, 2, 4])


def case_of(lengths: Array | None = LENGTHS, **options: int | bool) -> Case:
    """A layer of random numbers in float64 and both directions."""
    rng = np.random.default_rng(5)
    configuration = Configuration(2, 3, bidirectional=True, **options)  # type: ignore[arg-type]
    shapes = configuration.parameter_shapes()
    x = rng.normal(size=(3, 5, 2) if configuration.batch_first else (5, 3, 2))
    return Case(
        configuration,
        {name: rng.normal(size=shape) for name, shape in shapes.items()},
        x,
        rng.normal(size=(2, 3, configuration.output_size)),
        rng.normal(size=(2, 3, configuration.hidden_size)),
        lengths,
    )


def test_rows_are_turned_within_their_length() -> None:
    """What is beyond the length of a row stays where it is, and two turns change nothing."""
    case = case_of()
    steps = np.tile(np.arange(5)[:, None, None], (1, 3, 1))
    assert turned(case, steps)[..., 0].T.tolist() == [
        [4, 3, 2, 1, 0],
        [1, 0, 2, 3, 4],
        [3, 2, 1, 0, 4],
    ]
    x = case.time_major(case.input)
    assert np.array_equal(turned(case, turned(case, x)), x)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "ragged"])
@pytest.mark.parametrize("options", [{}, {"proj_size": 2, "batch_first": True}], ids=str)
def test_true_gradients_in_both_directions_are_known(
    lengths: Array | None, options: dict[str, int | bool]
) -> None:
    """From the true output and the true gradient by the input follow all true gradients."""
    case = seen_through(case_of(lengths, **options))
    evaluated, weights = trace(case), cotangents(case)
    true = backward(evaluated, weights)
    output, model = evaluated.result.output.astype(np.float64), Arithmetic.of(case.dtype)
    known, bound = known_gradients(case, output, true["input"], weights, model)
    assert known.keys() == true.keys()
    assert close_gradients(true, known, bound) < 1
    assert max(float(each.max()) for each in bound.values()) < 1e-10


def test_wrong_gradient_in_reverse_is_seen() -> None:
    """That by one gate of the reverse direction is wrong at one step, and the parameters' are."""
    case = seen_through(case_of())
    evaluated, weights = trace(case), cotangents(case)
    true = backward(evaluated, weights)
    wrong = true["input"].copy()
    wrong[2, 0, -1] += 1e-6
    output, model = evaluated.result.output.astype(np.float64), Arithmetic.of(case.dtype)
    got = {**true, "input": wrong}
    with pytest.raises(Mismatch, match="gradient of input"):
        close_gradients(got, *known_gradients(case, output, wrong, weights, model))


def test_extremes_are_the_lowest_and_the_highest_and_nan_remains() -> None:
    """Of each element by itself."""
    torch = pytest.importorskip("torch")
    extremes = Extremes()
    for numbers in ([1.0, 5.0, float("nan")], [3.0, 2.0, 0.0], [2.0, 4.0, 1.0]):
        extremes.take([torch.tensor(numbers)])
    (low,), (high,) = extremes.both
    assert low[:2].tolist() == [1, 2]
    assert high[:2].tolist() == [3, 5]
    assert low.isnan()[2]
    assert high.isnan()[2]


def test_sums_over_calls_are_not_taken_for_wrong_gradients() -> None:
    """Of an LSTM with its last state alone each output is a call, which rounds by itself."""
    limited = pytest.importorskip("tests.right.limited")
    name = "gradients_in_16_bits_are_right_step_by_step"
    verdict = check(name, limited.ReturnsItsLastHiddenStateAlone(), "cpu", Budget(100, 1))
    assert verdict.outcome == "passed", verdict.lines()
