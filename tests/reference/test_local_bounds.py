"""The local bounds: what must stay below them, and what must not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from conformance import load
from reference import DTYPES, Arithmetic, Array, Case, Precision, Result, local_bound
from reference.cell import Weights
from reference.local_bounds import local_layers, results_of
from reference.local_gradients import local_gradient_bound
from reference.local_layer import previous
from reference.products import Magnitudes, through
from tests.reference import autograd
from tests.reference.adversarial import FAMILIES, SHARES, family, tame
from tests.reference.cases import KINDS, lstm_cases
from tests.reference.rounded import AdverseLSTM, RoundedLSTM, share
from tests.support.devices import skip_unless_torch_computes

ONE_LAYER = {
    kind: {"num_layers": 1} | options
    for kind, options in KINDS.items()
    if options.get("num_layers", 1) == 1
}


def local_share(case: Case, got: Result, arithmetic: Arithmetic | None = None) -> float:
    return share(got, *local_bound(case, got.output, arithmetic))


@pytest.mark.parametrize("kind", ONE_LAYER)
@given(data=st.data())
@settings(max_examples=8)
def test_steps_from_the_true_output_give_the_true_results(kind: str, data: st.DataObject) -> None:
    """Where nothing errs, the reference computes itself, in every configuration of one layer."""
    case = data.draw(lstm_cases(dtypes=("float64",), **ONE_LAYER[kind]))
    true = reference.lstm(case)
    expected, bound = local_bound(case, true.output.astype(np.float64))
    for (name, array), (_, near), (_, allowed) in zip(
        true.items(), expected.items(), bound.items(), strict=True
    ):
        assert array.shape == near.shape == allowed.shape
        assert (allowed >= 0).all()
        np.testing.assert_allclose(near, array.astype(np.float64), atol=1e-13, err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ONE_LAYER)
@given(data=st.data())
@settings(max_examples=6)
def test_rounded_lstm_stays_below_the_local_bound(
    kind: str, dtype: str, data: st.DataObject
) -> None:
    """So does NumPy with each stored quantity rounded, in either order of summation."""
    case = data.draw(lstm_cases(dtypes=(dtype,), steps=(1, 12), **ONE_LAYER[kind]))
    backwards = data.draw(st.booleans())
    assert local_share(case, RoundedLSTM(DTYPES[dtype], backwards)(case)) <= 1


@given(data=st.data())
@settings(max_examples=40)
def test_adverse_lstm_stays_below_the_local_bound(data: st.DataObject) -> None:
    """Operations that all err by as much as the model allows stay below the bound."""
    case = data.draw(lstm_cases(dtypes=("float64",), scales=(0.25, 1.0, 3.0), num_layers=1))
    arithmetic = Arithmetic(2.0**-20, 2.0**-24, 2.0**-18, 2.0**-18, subnormal=0.0, largest=np.inf)
    lstm = AdverseLSTM(arithmetic, seed=data.draw(st.integers(0, 2**16)))
    assert local_share(case, lstm(case), arithmetic) <= 1


@pytest.mark.parametrize("bound", SHARES)
def test_worst_roundings_reach_a_bound_and_do_not_exceed_it(bound: str) -> None:
    """Every rounding is a free variable, set to the sign of the derivative by it."""
    found = SHARES[bound](family("float32", hidden=1, steps=1), tame("float32"))
    assert 0.7 < found <= 1


def test_gradient_that_is_added_up_row_by_row_in_16_bits_stays_below_its_bound() -> None:
    """There are as many additions as rows, less one, in a single step."""
    case = family("bfloat16", hidden=1, inputs=1, steps=1, rows=24)
    assert SHARES["gradient"](case, tame("bfloat16")) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("bound", SHARES)
@pytest.mark.parametrize("name", FAMILIES)
def test_worst_roundings_of_every_family_stay_below_every_bound(name: str, bound: str) -> None:
    """The gradient of a weight may be added up row by row in 16 bits, too."""
    for dtype in ("float32", "float16", "bfloat16"):
        assert SHARES[bound](family(dtype, **FAMILIES[name]), tame(dtype)) <= 1


def test_previous_h_is_that_of_the_step_before_in_each_direction() -> None:
    """The first step of a row takes h_0; in reverse that is the row's last step."""
    observed = np.arange(6.0).reshape(3, 2, 1)
    h_0, active = np.full((2, 1), -1.0), np.array([[True, True], [True, True], [True, False]])
    forward, first = previous(observed, h_0, active, reverse=False)
    assert forward[..., 0].tolist() == [[-1, -1], [0, 1], [2, 3]]
    assert first.tolist() == [[True, True], [False, False], [False, False]]
    reverse, first = previous(observed, h_0, active, reverse=True)
    assert reverse[..., 0].tolist()[:2] == [[2, 3], [4, -1]]
    assert reverse[2, 0, 0] == -1
    assert first[:2].tolist() == [[False, False], [False, True]]


def test_wrong_step_is_found_where_it_is_and_nowhere_else() -> None:
    """An h that is off by a hundredth is above its bound in that step, and nothing before it."""
    case = wide_case("float32")
    got = RoundedLSTM(case.dtype)(case)
    output = got.output.copy()
    output[17, 1, 3] += np.float32(0.01)
    expected, bound = local_bound(case, output)
    off = np.abs(output - expected.output) > bound.output
    assert off[17].any()
    assert not off[:17].any()
    assert off[17].sum() == 1  # later ones may be wrong by what is shown for this one


def test_bound_is_narrow_at_any_length() -> None:
    """After 40 steps it is no wider than after 10, where the one that is carried has grown."""
    case = wide_case("float32")
    got = RoundedLSTM(case.dtype)(case)
    _, bound = local_bound(case, got.output)
    carried = reference.forward_bound(reference.trace(case))
    assert bound.output[30:].max() < 2 * bound.output[:10].max()
    assert bound.output[30:].max() < carried.output[30:].max() / 3


def test_tf32_products_are_above_the_bound_unless_declared() -> None:
    """With the declaration, they are below it."""
    case = wide_case("float32")
    cut = replace(
        case,
        parameters={
            name: array if name.startswith("bias") else _cut(array)
            for name, array in case.parameters.items()
        },
    )
    got = RoundedLSTM(case.dtype)(cut)
    assert local_share(case, got) > 1
    declared = Arithmetic.of(case.dtype, Precision(products="tf32"))
    assert local_share(case, got, declared) <= 1


def test_other_run_of_a_layer_is_within_what_two_runs_may_differ_by() -> None:
    """Sums in another order give other bits, whose distance grows from step to step."""
    case = wide_case("float32", steps=6)
    one, other = (RoundedLSTM(case.dtype, backwards)(case) for backwards in (False, True))
    assert (one.output != other.output).any()
    layers = local_layers(case, one.output, Arithmetic.of(case.dtype), strayed=True)
    _, bound = results_of(case, layers)
    assert (np.abs(one.output - other.output) <= bound.output).all()
    assert (np.abs(one.h_n - other.h_n) <= bound.h_n).all()
    off = other.output + np.float32(0.1)
    assert (np.abs(one.output - off) > bound.output).any()


def test_sums_of_absolute_values_in_float32_are_rounded_up() -> None:
    """Of many weights they are never too small, not below the smallest numbers either."""
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((300, 1000)).astype(np.float32).astype(np.float64)
    weight[:, ::7] *= 2.0**-100
    large, small = (
        Magnitudes.of(Weights(each, each, *np.zeros((2, 300)))).ih for each in (weight, weight[:9])
    )
    assert large.dtype == np.float32
    assert small.dtype == np.float64
    for scale in (1.0, 1 + 2.0**-30, 1e-30, 1e-42, 1e-300):
        sizes = scale * np.abs(generator.standard_normal((3, 1000)))
        true = sizes.astype(np.longdouble) @ np.abs(weight.T).astype(np.longdouble)
        bound = through(sizes, large)
        assert (bound >= true).all()
        assert (bound <= true * (1 + 1e-3) + 1e-34).all()
    assert np.isinf(through(np.full((1, 1000), 1e300), large)).all()


def test_several_layers_need_the_input_of_the_top_one() -> None:
    """It is not part of the case."""
    case = wide_case("float32", num_layers=2)
    with pytest.raises(ValueError, match="input of an upper layer"):
        local_bound(case, np.zeros(case.output_shape()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"proj_size": 3}, {"bias": False}])
def test_autograd_stays_below_the_local_gradient_bound(dtype: str, options: dict[str, Any]) -> None:
    """In every dtype, with and without a projection, also where rows have lengths."""
    skip_unless_torch_computes(dtype)
    for lengths in (None, np.array([9, 4, 1])):
        case = seen_through(dtype, lengths, **options)
        cotangents = autograd.random_cotangents(case)
        got = autograd.of_module(case, cotangents)
        nearest = reference.trace(case).result.output.astype(
            case.dtype.numpy
        )  # what another run may give
        for strayed, output in ((False, autograd_output(case)), (True, nearest)):
            expected, bound = local_gradient_bound(
                case, output, got["input"], cotangents, strayed=strayed
            )
            assert set(expected) == set(got)
            for name, array in got.items():
                assert (np.abs(array - expected[name]) <= bound[name]).all(), name


def test_truncated_back_propagation_is_found_at_its_step() -> None:
    """A da that is halved is above its bound in its step, and none is that comes before it."""
    case = seen_through("float64")
    cotangents = autograd.random_cotangents(case)
    got = autograd.of_module(case, cotangents)["input"].copy()
    got[3, :, -16:] *= 0.5
    expected, bound = local_gradient_bound(case, autograd_output(case), got, cotangents)
    off = np.abs(got - expected["input"]) > bound["input"]
    assert off[3].any()
    assert not off[4:].any()


def test_local_gradients_need_an_input_for_each_gate() -> None:
    """With other weights, da is not seen."""
    case = wide_case("float32")
    zeros = np.zeros(case.output_shape())
    cotangents = Result(zeros, zeros[:1], zeros[:1])
    with pytest.raises(ValueError, match="identity"):
        local_gradient_bound(case, zeros, np.zeros(case.input.shape), cotangents)


def _cut(values: Array) -> Array:
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.trunc(mantissa * 2**11) / 2**11, exponent).astype(values.dtype)


def wide_case(dtype: str, steps: int = 40, num_layers: int = 1) -> Case:
    """Twelve units with default weights."""
    case = family(dtype, hidden=12, steps=steps, rows=3, scale=0.4)
    if num_layers == 1:
        return case
    configuration = replace(case.configuration, num_layers=num_layers)
    numpy = case.dtype.numpy
    shapes = configuration.parameter_shapes()
    return Case(configuration, {n: np.zeros(s, numpy) for n, s in shapes.items()}, case.input)


def seen_through(dtype: str, lengths: Array | None = None, **options: Any) -> Case:
    """A case with an input for each gate."""
    base = family(dtype, hidden=4, inputs=3 + 16, steps=9, rows=3, scale=0.4)
    c = replace(base.configuration, **options)
    numpy, rng = base.dtype.numpy, np.random.default_rng(1)
    parameters = {
        name: (0.4 * rng.standard_normal(shape)).astype(numpy)
        for name, shape in c.parameter_shapes().items()
    }
    parameters["weight_ih_l0"][:, -16:] = np.eye(16)
    h_0 = rng.standard_normal((1, 3, c.output_size)).astype(numpy)
    return Case(c, parameters, base.input, h_0, base.c_0, lengths)


def autograd_output(case: Case) -> Array:
    """The output of torch."""
    return load("torch.nn.LSTM").run(case).output
