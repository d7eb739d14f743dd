"""The reference gradients: against finite differences, torch.autograd and hand-made numbers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from reference import Array, Case, Configuration, Result
from reference.gradients import backward
from tests.reference import autograd
from tests.reference.autograd import random_cotangents
from tests.reference.cases import KINDS, dropout_masks, lstm_cases

LOSSES = {
    "of_output": ("output",),
    "of_h_n": ("h_n",),
    "of_c_n": ("c_n",),
    "of_all": ("output", "h_n", "c_n"),
}


def finite_differences(case: Case, cotangents: Result, step: float = 2.0**-20) -> dict[str, Array]:
    """Central differences of the reference's result, in the wide type, one element at a time."""
    masks, wide = dropout_masks(case), case.dtype.wide

    def loss(changed: Case) -> np.floating:
        pairs = zip(reference.lstm(changed, masks).items(), cotangents.items(), strict=True)
        return np.sum(
            [(array * cotangent.astype(wide)).sum() for (_, array), (_, cotangent) in pairs]
        )

    def differences(array: Array, name: str) -> Array:
        found = np.zeros(array.shape, wide)
        for index in np.ndindex(array.shape):
            ends = []
            for moved in (array[index] + step, array[index] - step):
                changed = array.copy()
                changed[index] = moved
                fields: dict[str, Any] = {name: changed}
                if name in case.parameters:
                    fields = {"parameters": {**case.parameters, name: changed}}
                ends.append((changed[index].astype(wide), loss(replace(case, **fields))))
            (high, above), (low, below) = ends
            found[index] = (above - below) / (high - low)
        return found

    arrays = {"input": case.input, **case.parameters}
    if case.h_0 is not None and case.c_0 is not None:
        arrays |= {"h_0": case.h_0, "c_0": case.c_0}
    return {name: differences(array, name) for name, array in arrays.items()}


def assert_close(ours: dict[str, Array], theirs: dict[str, Array], tolerance: float) -> None:
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        size = max(1.0, float(np.abs(array).max(initial=0)))
        np.testing.assert_allclose(array, theirs[name], rtol=0, atol=tolerance * size, err_msg=name)
        assert array.shape == theirs[name].shape, name


def zeros_case(steps: int, c_0: float, **optional: Any) -> Case:
    """A cell of one unit whose parameters are zero, so that i = f = o = 1/2 and g = 0."""
    configuration = Configuration(1, 1)
    parameters = {n: np.zeros(shape) for n, shape in configuration.parameter_shapes().items()}
    x, h_0 = np.ones((steps, 1, 1)), np.ones((1, 1, 1))
    return Case(configuration, parameters, x, h_0, np.full((1, 1, 1), c_0), **optional)


def unit_cotangents(case: Case, name: str) -> Result:
    """Zeros, but ones for `name`."""
    result = reference.lstm(case)
    return Result.of(np.full(array.shape, float(n == name)) for n, array in result.items())


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=4)
def test_gradients_agree_with_finite_differences(kind: str, data: st.DataObject) -> None:
    """Each gradient is the slope of the reference's own result, whatever the loss is taken of."""
    options = {"num_layers": 1, "state": True} | KINDS[kind]
    case = data.draw(
        lstm_cases(dtypes=("float64",), scales=(1.0, 3.0), sizes=(1, 2), steps=(1, 3), **options)
    )
    cotangents = random_cotangents(case, LOSSES[data.draw(st.sampled_from(sorted(LOSSES)))])
    ours = backward(reference.trace(case, dropout_masks(case)), cotangents)
    assert_close(ours, finite_differences(case, cotangents), 1e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=4)
def test_gradients_agree_with_autograd(kind: str, loss: str, data: st.DataObject) -> None:
    """In float64, torch.autograd through cells and through nn.LSTM finds the same gradients."""
    case = data.draw(lstm_cases(dtypes=("float64",), scales=(1.0, 3.0), **KINDS[kind]))
    masks, cotangents = dropout_masks(case), random_cotangents(case, LOSSES[loss])
    ours = backward(reference.trace(case, masks), cotangents)
    assert_close(ours, autograd.of_cells(case, cotangents, masks), 1e-12)
    if masks is None:
        assert_close(ours, autograd.of_module(case, cotangents), 1e-12)


def test_gradients_are_in_the_wide_type_and_named_as_pytorch_does() -> None:
    """Names, order and shapes are those of the case; without states there are none of them."""
    case = replace(zeros_case(2, 1.0), h_0=None, c_0=None)
    gradients = backward(reference.trace(case), unit_cotangents(case, "output"))
    assert list(gradients) == ["input", *case.configuration.parameter_shapes()]
    assert {array.dtype for array in gradients.values()} == {case.dtype.wide}


def test_gradients_of_h_n_by_hand() -> None:
    """With zero weights and one step, h = tanh(c_0 / 2) / 2, and every slope is a closed form."""
    case = zeros_case(1, 0.8)
    gradients = backward(reference.trace(case), unit_cotangents(case, "h_n"))
    t = np.tanh(0.4)
    dc = (1 - t**2) / 2
    gates = [0, dc * 0.8 / 4, dc / 2, t / 4]
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        np.testing.assert_allclose(gradients[name].ravel().astype(float), gates, rtol=1e-15)
    assert float(gradients["c_0"].item()) == pytest.approx(dc / 2, rel=1e-15)
    assert gradients["h_0"].item() == gradients["input"].item() == 0


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_gradient_of_c_n_halves_each_step(steps: int) -> None:
    """With zero weights c is halved in each step, and so is its gradient."""
    case = zeros_case(steps, 0.8)
    gradients = backward(reference.trace(case), unit_cotangents(case, "c_n"))
    assert gradients["c_0"].item() == 2.0**-steps
    assert gradients["bias_ih_l0"][1] == pytest.approx(steps * 2.0**-steps * 0.8 / 2, rel=1e-15)


@given(case=lstm_cases(dtypes=("float64",), ragged=True, batched=True))
@settings(max_examples=20)
def test_padding_has_no_part_in_gradients(case: Case) -> None:
    """Whatever stands beyond a row's length, even NaN, its gradient is zero and changes none."""
    assert case.lengths is not None
    beyond = np.arange(case.seq_len)[:, None] >= case.lengths
    padded = case.time_major(case.input).copy()
    padded[beyond] = np.nan
    other = replace(case, input=np.ascontiguousarray(case.user_order(padded)))
    cotangents = random_cotangents(case)
    ours, theirs = (backward(reference.trace(c), cotangents) for c in (case, other))
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert (case.time_major(ours["input"])[beyond] == 0).all()


@given(case=lstm_cases(dtypes=("float64",), scales=(1.0,)))
@settings(max_examples=20)
def test_gradients_are_linear_in_the_cotangents(case: Case) -> None:
    """The gradients of the three losses add up to those of their sum."""
    trace = reference.trace(case)
    parts = [backward(trace, random_cotangents(case, names)) for names in LOSSES.values()]
    together = parts.pop()
    assert_close(
        together, {name: sum((p[name] for p in parts), np.zeros(())) for name in together}, 1e-15
    )
