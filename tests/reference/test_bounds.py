"""The forward bound: what a hand can check, what must stay below it, and what must not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from reference import (
    DTYPES,
    Arithmetic,
    Array,
    Case,
    Configuration,
    Result,
    Weights,
    forward_bound,
    lstm_cell,
)
from reference.arithmetic import perturbed, sigmoid_slope, tanh_slope
from reference.cell import sigmoid
from reference.products import Products, preactivation_error
from reference.step_bounds import step_bound
from tests.reference.cases import KINDS, dropout_masks, lstm_cases
from tests.reference.rounded import AdverseLSTM, OperationByOperation, RoundedLSTM, share

ORDINARY: dict[str, Any] = {"scales": (1.0,), "sizes": (3, 8), "steps": (1, 6)}
"""Cases with the default initialisation of ``torch.nn.LSTM``."""

EXACT = Arithmetic(0.0, 0.0, 0.0, 0.0, subnormal=0.0, largest=np.inf)


def share_of(lstm: OperationByOperation, case: Case, arithmetic: Arithmetic | None = None) -> float:
    """The share of the bound that `lstm` uses up on `case`."""
    masks = dropout_masks(case)
    trace = reference.trace(case, masks)
    return share(lstm(case, masks), trace.result, forward_bound(trace, arithmetic))


def assert_no_smaller(larger: Result, smaller: Result) -> None:
    for (name, upper), (_, lower) in zip(larger.items(), smaller.items(), strict=True):
        assert (upper >= lower).all(), name


def one_unit_case(dtype: str, steps: int, c_0: float, rows: int = 1, **biases: list[float]) -> Case:
    """Equal rows of one unit on zero input, with all parameters zero but the `biases` given."""
    numpy = DTYPES[dtype].numpy
    configuration = Configuration(1, 1)
    parameters = {
        name: np.zeros(shape, numpy) for name, shape in configuration.parameter_shapes().items()
    }
    parameters |= {name: np.array(values, numpy) for name, values in biases.items()}
    return Case(
        configuration,
        parameters,
        np.zeros((steps, rows, 1), numpy),
        np.zeros((1, rows, 1), numpy),
        np.full((1, rows, 1), c_0, numpy),
    )


def many_rows(case: Case, rows: int) -> Case:
    """An unbatched case as one with so many equal rows."""
    return replace(
        case,
        configuration=replace(case.configuration, batch_first=False),
        input=np.repeat(case.input[:, None], rows, axis=1),
        h_0=None if case.h_0 is None else np.repeat(case.h_0[:, None], rows, axis=1),
        c_0=None if case.c_0 is None else np.repeat(case.c_0[:, None], rows, axis=1),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic_of_a_dtype_allows_four_units_to_the_activations(dtype: str) -> None:
    """Its other numbers are the dtype's own."""
    d, a = DTYPES[dtype], Arithmetic.of(DTYPES[dtype])
    assert (a.unit_roundoff, a.accumulation) == (d.unit_roundoff, d.accumulation)
    assert a.sigmoid == a.tanh == 4 * d.unit_roundoff
    assert (a.subnormal, a.largest) == (d.subnormal, d.largest)


def test_scaled_arithmetic_errs_more_in_the_same_range() -> None:
    """Each error is multiplied; the largest number stays."""
    arithmetic = Arithmetic(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert arithmetic.scaled(2) == Arithmetic(2.0, 4.0, 6.0, 8.0, 10.0, 6.0)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=5)
def test_bound_has_the_shapes_of_the_result(kind: str, data: st.DataObject) -> None:
    """Each element has its own bound, and none is negative or NaN."""
    case = data.draw(lstm_cases(**KINDS[kind]))
    trace = reference.trace(case, dropout_masks(case))
    for (_, true), (_, allowed) in zip(
        trace.result.items(), forward_bound(trace).items(), strict=True
    ):
        assert allowed.shape == true.shape
        assert (allowed >= 0).all()


def test_bound_of_an_empty_batch_is_empty() -> None:
    """No rows, no bounds, in the usual shapes."""
    configuration = Configuration(3, 2, num_layers=2, bidirectional=True)
    shapes = configuration.parameter_shapes()
    case = Case(configuration, {name: np.ones(s) for name, s in shapes.items()}, np.ones((4, 0, 3)))
    bound = forward_bound(reference.trace(case))
    assert [array.shape for _, array in bound.items()] == [(4, 0, 4), (4, 0, 2), (4, 0, 2)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bound_of_a_zero_network_is_what_a_hand_computes(dtype: str) -> None:
    """To first order 2 u on c and 3 u on h, for zero parameters and states and K u = 4 u.

    With f = i = o = 1/2 and g = c = 0 the error of c is that of g times i, 4 u / 2. That of h is
    o times the errors of c and of its tanh, (2 u + 4 u) / 2. All other terms are of order u^2.
    """
    case = one_unit_case(dtype, steps=1, c_0=0)
    bound, u = forward_bound(reference.trace(case)), case.dtype.unit_roundoff
    assert bound.c_n.item() == pytest.approx(2 * u, rel=1e-3)
    assert bound.h_n.item() == pytest.approx(3 * u, rel=1e-3)
    assert bound.output.item() == bound.h_n.item()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bound_of_a_kept_state_grows_by_six_units_a_step(dtype: str) -> None:
    """With f = 1, i = 0, g = 0 and c = 1 a step adds 4 u for f, u for f c and u for the sum."""
    case = one_unit_case(dtype, steps=10, c_0=1, bias_ih_l0=[-1e3, 1e3, 0, 0])
    bound = forward_bound(reference.trace(case))
    assert bound.c_n.item() == pytest.approx(60 * case.dtype.unit_roundoff, rel=1e-3)


@given(data=st.data())
@settings(max_examples=25)
def test_bound_is_proportional_to_the_errors(data: st.DataObject) -> None:
    """Where errors are small, a thousand times larger ones have a thousand times the bound."""
    case = data.draw(lstm_cases(dtypes=("float64",), scales=(1.0,), steps=(1, 1)))
    trace = reference.trace(case)
    arithmetic = Arithmetic.of(case.dtype)
    small, large = (forward_bound(trace, arithmetic.scaled(factor)) for factor in (1, 1000))
    for (_, lower), (_, upper) in zip(small.items(), large.items(), strict=True):
        np.testing.assert_allclose(
            upper.astype(np.float64), 1000 * lower.astype(np.float64), rtol=1e-6
        )


def test_bound_of_exact_arithmetic_is_zero() -> None:
    """Without errors nothing may differ."""
    trace = reference.trace(one_unit_case("float32", 3, c_0=1, bias_ih_l0=[0.5, 1, -1, 2]))
    assert not any(array.any() for _, array in forward_bound(trace, EXACT).items())


@pytest.mark.parametrize("name", ["unit_roundoff", "accumulation", "sigmoid", "tanh", "subnormal"])
@given(data=st.data())
@settings(max_examples=25)
def test_bound_never_falls_as_one_error_grows(name: str, data: st.DataObject) -> None:
    """Doubling one of the errors of the arithmetic lowers no bound of a single step."""
    trace = reference.trace(data.draw(lstm_cases(steps=(1, 1))))
    arithmetic = Arithmetic.of(trace.case.dtype)
    worse = replace(arithmetic, **{name: 2 * getattr(arithmetic, name)})
    assert_no_smaller(forward_bound(trace, worse), forward_bound(trace, arithmetic))


@given(data=st.data())
@settings(max_examples=25)
def test_bound_never_falls_as_all_errors_grow(data: st.DataObject) -> None:
    """In a wider type no bound is larger, over several steps too."""
    trace = reference.trace(data.draw(lstm_cases(dtypes=("bfloat16",))))
    float64, float32, float16, bfloat16 = (
        forward_bound(trace, Arithmetic.of(dtype)) for dtype in DTYPES.values()
    )
    assert_no_smaller(float32, float64)
    assert_no_smaller(float16, float32)
    assert_no_smaller(bfloat16, float32)


@pytest.mark.parametrize("weight_hh", [-256, 0, 256])
def test_bound_is_infinite_where_a_pre_activation_may_overflow(weight_hh: int) -> None:
    """256 times 256 is beyond float16's 65504, but not beyond bfloat16's largest number.

    Where infinities of both signs meet, a correct float16 LSTM returns NaN.
    """
    for dtype, finite in (("float16", False), ("bfloat16", True)):
        case, numpy = one_unit_case(dtype, steps=1, c_0=0), DTYPES[dtype].numpy
        weights = {
            "weight_ih_l0": np.full((4, 1), 256, numpy),
            "weight_hh_l0": np.full((4, 1), weight_hh, numpy),
        }
        case = replace(
            case,
            parameters=dict(case.parameters) | weights,
            input=np.full((1, 1, 1), 256, numpy),
            h_0=np.full((1, 1, 1), 256, numpy),
        )
        for _, array in forward_bound(reference.trace(case)).items():
            assert np.isfinite(array).all() == finite
        assert share_of(RoundedLSTM(case.dtype), case) <= 1


def test_bound_of_padding_is_zero_and_padding_moves_no_bound() -> None:
    """Beyond a row's length the output must be exactly zero, whatever the padding holds."""
    configuration = Configuration(3, 2, num_layers=2, bidirectional=True)
    rng = np.random.default_rng(0)
    shapes = configuration.parameter_shapes()
    parameters = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    x = rng.standard_normal((4, 3, 3))
    poisoned = x.copy()
    poisoned[1:, 0] = np.nan
    poisoned[2:, 2] = np.inf
    clean, dirty = (
        forward_bound(
            reference.trace(Case(configuration, parameters, given, lengths=np.array([1, 4, 2])))
        )
        for given in (x, poisoned)
    )
    assert not clean.output[1:, 0].any()
    assert not clean.output[2:, 2].any()
    for (name, left), (_, right) in zip(clean.items(), dirty.items(), strict=True):
        assert np.isfinite(left).all(), name
        np.testing.assert_array_equal(left, right, err_msg=name)


def test_dropped_values_carry_no_error_to_the_layer_above() -> None:
    """Behind a mask of zeros the upper layer's bound is the same for any layer below."""
    configuration = Configuration(3, 2, num_layers=2, dropout=0.5)
    rng = np.random.default_rng(0)
    shapes = configuration.parameter_shapes()
    parameters = {name: rng.uniform(-1, 1, shape) for name, shape in shapes.items()}
    masks = [np.zeros((4, 1, 2))]
    found = []
    for factor in (1, 3):
        scaled = {n: p * factor if "_l0" in n else p for n, p in parameters.items()}
        case = Case(configuration, scaled, rng.standard_normal((4, 1, 3)))
        found.append(forward_bound(reference.trace(case, masks)))
    np.testing.assert_array_equal(found[0].output, found[1].output)
    assert (found[0].h_n[0] != found[1].h_n[0]).all()


@pytest.mark.parametrize(("num_layers", "largest"), [(1, 2e-5), (3, 1e-4)])
@given(data=st.data())
@settings(max_examples=25)
def test_bound_of_a_default_initialised_float32_lstm_is_small(
    num_layers: int, largest: float, data: st.DataObject
) -> None:
    """On ordinary cases none is above 2e-5 with one layer, 1e-4 with three, half a fifth of it."""
    case = data.draw(lstm_cases(dtypes=("float32",), num_layers=num_layers, **ORDINARY))
    bound = np.concatenate([b.ravel() for _, b in forward_bound(reference.trace(case)).items()])
    assert bound.max() < largest
    assert np.median(bound) < largest / 5


@pytest.mark.parametrize("backwards", [False, True], ids=["first_to_last", "last_to_first"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=40)
def test_rounded_lstm_stays_below_the_bound(
    dtype: str, backwards: bool, data: st.DataObject
) -> None:
    """Rounding every stored quantity to the dtype is allowed, in either order of summation.

    The parameters reach 30 times their default, where the gates saturate.
    """
    case = data.draw(lstm_cases(dtypes=(dtype,)))
    assert share_of(RoundedLSTM(DTYPES[dtype], backwards), case) <= 1


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=10)
def test_rounded_lstm_stays_below_the_bound_in_every_configuration(
    kind: str, data: st.DataObject
) -> None:
    """Also with dropout masks, lengths, a projection, several layers and both directions."""
    case = data.draw(lstm_cases(**KINDS[kind]))
    assert share_of(RoundedLSTM(case.dtype), case) <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=6)
def test_rounded_lstm_stays_below_the_bound_for_64_steps(dtype: str, data: st.DataObject) -> None:
    """Errors that add up and are amplified over many steps stay below their bound."""
    case = data.draw(
        lstm_cases(dtypes=(dtype,), scales=(1.0, 3.0), sizes=(2, 8), steps=(64, 64), num_layers=1)
    )
    backwards = data.draw(st.booleans())
    assert share_of(RoundedLSTM(DTYPES[dtype], backwards), case) <= 1


@pytest.mark.parametrize("accumulation", [2.0**-20, 2.0**-30])
@given(data=st.data())
@settings(max_examples=60)
def test_adverse_lstm_stays_below_the_bound(accumulation: float, data: st.DataObject) -> None:
    """Even operations that all err by as much as the model allows stay below the bound."""
    case = data.draw(lstm_cases(dtypes=("float64",), scales=(0.25, 1.0, 3.0), dropout=0.25))
    lstm = AdverseLSTM(
        Arithmetic(2.0**-20, accumulation, 2.0**-18, 2.0**-18, subnormal=0.0, largest=np.inf),
        seed=data.draw(st.integers(0, 2**16)),
    )
    assert share_of(lstm, case, lstm.arithmetic) <= 1


@pytest.mark.parametrize(
    ("sigmoid", "tanh"), [(0.0, 0.0), (2.0**-3, 2.0**-3), (0.0, 2.0**-2), (2.0**-2, 2.0**-9)]
)
@given(data=st.data())
@settings(max_examples=40)
def test_bound_of_coarse_arithmetic_holds_to_every_order(
    sigmoid: float, tanh: float, data: st.DataObject
) -> None:
    """With u = 1/32 the products of errors count, and many adverse rows stay below the bound."""
    case = data.draw(
        lstm_cases(dtypes=("float64",), scales=(0.25, 1.0, 3.0), sizes=(1, 2), batched=False)
    )
    arithmetic = Arithmetic(2.0**-5, 2.0**-24, sigmoid, tanh, subnormal=0.0, largest=np.inf)
    lstm = AdverseLSTM(arithmetic, seed=data.draw(st.integers(0, 2**16)))
    assert share_of(lstm, many_rows(case, 500), arithmetic) <= 1


def test_bound_covers_roundings_of_roundings() -> None:
    """A zero bfloat16 network whose every operation errs upwards attains the bound on c.

    From c_0 = 1: f = i = 1/2 + K u, g = K u, then both products and their sum times 1 + u.
    """
    case = one_unit_case("bfloat16", steps=1, c_0=1)
    trace, u = reference.trace(case), case.dtype.unit_roundoff
    f, i, g = 0.5 + 4 * u, 0.5 + 4 * u, 4 * u
    error = (f * (1 + u) + i * g * (1 + u)) * (1 + u) - trace.result.c_n.item()
    allowed = forward_bound(trace).c_n.item()
    assert error <= allowed
    assert error == pytest.approx(allowed, rel=1e-6)


@pytest.mark.parametrize(
    ("function", "slope", "span"),
    [(sigmoid, sigmoid_slope, 1), (np.tanh, tanh_slope, 2)],
    ids=["sigmoid", "tanh"],
)
def test_perturbed_function_stays_within_its_slope_and_remainder(
    function: Callable[[Array], Array], slope: Callable[[Array], Array], span: int
) -> None:
    """For any argument and error the deviation and what the slope leaves over are covered."""
    a, error, part = np.meshgrid(
        np.linspace(-6, 6, 49), 2.0 ** np.arange(-20, 5), np.linspace(-1, 1, 9), indexing="ij"
    )
    found = perturbed(function(a), a, error, slope, span, k=0.0)
    change = function(a + part * error) - function(a)
    assert (np.abs(change) <= found.deviation + 1e-15).all()
    assert (np.abs(change - slope(a) * part * error) <= found.fresh + 1e-15).all()


def test_pre_activation_error_covers_four_roundings_of_each_product() -> None:
    """A product, stored, then added three times, each time rounded up, stays within the bound.

    Also where the state h = 1 that it comes from is itself too large by dh.
    """
    u, one, zero = 2.0**-5, np.ones((1, 1)), np.zeros((1, 1))
    w = Weights(np.zeros((4, 1)), np.ones((4, 1)), np.zeros(4), np.zeros(4))
    arithmetic = Arithmetic(u, 0.0, 0.0, 0.0, subnormal=0.0, largest=np.inf)
    for dh in (0.0, 0.5, 2.0):
        products, off = Products.of(zero, one, w), np.full((1, 1), dh)
        found, _ = preactivation_error(zero, one, products, w, zero, off, arithmetic)
        assert ((1 + dh) * ((1 + u) ** 4 - 1) <= found).all()


@pytest.mark.parametrize("proj_size", [0, 2])
def test_jacobian_of_a_step_is_that_of_the_cell(proj_size: int) -> None:
    """Its entries are the central differences of the cell by h and by c."""
    rng = np.random.default_rng(0)
    hidden, features = 3, proj_size or 3
    w_ih, w_hh, b_ih, b_hh = map(rng.standard_normal, [(12, 2), (12, features), (12,), (12,)])
    w_hr = rng.standard_normal((proj_size, hidden)) if proj_size else None
    w = Weights(w_ih, w_hh, b_ih, b_hh, w_hr)
    x, state = rng.standard_normal((1, 2)), rng.standard_normal((1, features + hidden))

    def following(state: Array) -> Array:
        step = lstm_cell(x, state[:, :features], state[:, features:], w)
        return np.concatenate([step.h, step.c], axis=-1)[0]

    columns = [
        (following(state + change) - following(state - change)) / 2e-5
        for change in 1e-5 * np.eye(features + hidden)
    ]
    step = lstm_cell(x, state[:, :features], state[:, features:], w)
    zeros = np.zeros_like(x), np.zeros_like(step.h_prev), np.zeros_like(step.c_prev)
    found = step_bound(step, w, *zeros, EXACT).jacobian[0]
    np.testing.assert_allclose(found, np.stack(columns, axis=-1), atol=1e-9)


def test_bound_of_a_long_sum_is_attained() -> None:
    """A sum of 200 products that errs by gamma_200 uses up nearly all of the bound on c."""
    configuration = Configuration(200, 1, bias=False)
    weights = np.zeros((4, 200))
    weights[2] = 2.0**-8
    parameters = {"weight_ih_l0": weights, "weight_hh_l0": np.zeros((4, 1))}
    case = Case(configuration, parameters, np.ones((1, 50, 200)))
    arithmetic = Arithmetic(0.0, 2.0**-20, 0.0, 0.0, subnormal=0.0, largest=np.inf)
    assert 0.95 < share_of(AdverseLSTM(arithmetic, seed=0), case, arithmetic) <= 1


def test_bound_of_a_kept_state_is_attained_by_coarse_arithmetic() -> None:
    """With f = 1 + K u, i = g = K u and every product and sum rounded up c attains its bound."""
    u, k = 2.0**-5, 2.0**-3
    case = one_unit_case("float64", steps=10, c_0=1, bias_ih_l0=[-1e3, 1e3, 0, 0])
    arithmetic = Arithmetic(u, u, k, k, subnormal=0.0, largest=np.inf)
    c = 1.0
    for _ in range(10):
        c = ((1 + k) * c * (1 + u) + k * k * (1 + u)) * (1 + u)
    allowed = forward_bound(reference.trace(case), arithmetic).c_n.item()
    assert c - 1 <= allowed
    assert c - 1 == pytest.approx(allowed, rel=1e-2)


@given(data=st.data())
@settings(max_examples=25)
def test_bound_of_a_row_is_the_same_in_any_batch(data: st.DataObject) -> None:
    """A row of a ragged batch has the bound that it has alone, without its padding."""
    case = data.draw(
        lstm_cases(dtypes=("float32",), scales=(1.0, 3.0), steps=(1, 8), **KINDS["lengths"])
    )
    together = forward_bound(reference.trace(case))
    assert case.lengths is not None
    for row, length in enumerate(case.lengths):
        alone = replace(
            case,
            input=case.user_order(case.time_major(case.input)[:length, row : row + 1]),
            h_0=None if case.h_0 is None else case.h_0[:, row : row + 1],
            c_0=None if case.c_0 is None else case.c_0[:, row : row + 1],
            lengths=None,
        )
        bound = forward_bound(reference.trace(alone))
        for whole, part in (
            (case.time_major(together.output)[:length, row], alone.time_major(bound.output)[:, 0]),
            (together.h_n[:, row], bound.h_n[:, 0]),
            (together.c_n[:, row], bound.c_n[:, 0]),
        ):
            np.testing.assert_allclose(whole, part, rtol=1e-6)


@pytest.mark.parametrize("what", ["output", "h_n", "c_n"])
def test_bound_of_one_unit_is_attained(what: str) -> None:
    """Of many rows with adverse errors one uses up 95 % of its bound, and none more than all."""
    arithmetic = Arithmetic(2.0**-20, 2.0**-30, 2.0**-18, 2.0**-18, subnormal=0.0, largest=np.inf)
    case = one_unit_case("float64", 1, c_0=2, rows=20000, bias_ih_l0=[0.5, 1, 1, 0.5])
    trace = reference.trace(case)
    found = getattr(AdverseLSTM(arithmetic, seed=0)(case), what)
    error = np.abs(found - getattr(trace.result, what))
    shares = error / getattr(forward_bound(trace, arithmetic), what)
    assert 0.95 < shares.max() <= 1


@dataclass(frozen=True)
class SigmoidOff(RoundedLSTM):
    """Its sigmoid is 2e-5 too large."""

    def sigmoid(self, a: Array) -> Array:
        return self.stored(super().sigmoid(a).astype(np.float64) + 2e-5)


@dataclass(frozen=True)
class TenBitProducts(RoundedLSTM):
    """Cuts the factors of matrix products to 10 mantissa bits."""

    def product(self, x: Array, weight: Array) -> Array:
        return super().product(self._cut(x), self._cut(weight))

    def _cut(self, values: Array) -> Array:
        mantissa, exponent = np.frexp(values)
        return np.ldexp(np.trunc(mantissa * 2**11) / 2**11, exponent).astype(values.dtype)


@dataclass(frozen=True)
class HiddenOff(RoundedLSTM):
    """Its h is 1e-4 too large."""

    def cell(self, a: Array, c: Array) -> tuple[Array, Array]:
        h, c = super().cell(a, c)
        return self.stored(h + np.float32(1e-4)), c


WRONG: dict[str, tuple[str, Callable[..., OperationByOperation]]] = {
    "sigmoid_off_by_2e-5": ("float32", SigmoidOff),
    "products_of_ten_bits": ("float32", TenBitProducts),
    "h_off_by_1e-4": ("float32", HiddenOff),
    "float64_computed_in_float32": ("float64", RoundedLSTM),
}
"""The dtype of the case, and an LSTM that computes it in float32."""


@pytest.mark.parametrize("what", WRONG)
@given(data=st.data())
@settings(max_examples=40)
def test_wrong_lstm_is_above_the_bound(what: str, data: st.DataObject) -> None:
    """On ordinary cases, not projected, each of these errors exceeds the bound somewhere."""
    dtype, wrong = WRONG[what]
    case = data.draw(lstm_cases(dtypes=(dtype,), projection=False, **ORDINARY))
    assert share_of(wrong(DTYPES["float32"]), case) > 1


def test_bound_is_infinite_where_c_may_overflow() -> None:
    """From c_0 = 65504, float16's largest number, c may grow by one in each step.

    A right LSTM that keeps float32 inside returns infinity.
    """
    case = one_unit_case("float16", 20, c_0=65504, bias_ih_l0=[20, 20, 20, 20])
    assert np.isinf(forward_bound(reference.trace(case)).c_n).all()
    smaller = one_unit_case("float16", 2, c_0=40000, bias_ih_l0=[20, 20, 20, 20])
    assert np.isfinite(forward_bound(reference.trace(smaller)).c_n).all()
