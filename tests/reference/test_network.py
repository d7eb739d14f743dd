"""The reference network: against the oracle, and against numbers computed by hand."""

from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from reference import DTYPES, Arithmetic, Array, Case, Configuration, Result, forward_bound
from tests.reference import oracle
from tests.reference.cases import KINDS, dropout_masks, lstm_cases


def assert_agrees_with_oracle(case: Case) -> None:
    """The reference is within the bound of its own arithmetic, that of the wider type."""
    masks = dropout_masks(case)
    trace = reference.trace(case, masks)
    u = case.dtype.wide_roundoff
    bound = forward_bound(trace, Arithmetic(u, u, 4 * u, 4 * u, subnormal=0.0, largest=np.inf))
    answer = oracle.lstm(case, masks)
    for (name, ours), true, (_, allowed) in zip(
        trace.result.items(), answer, bound.items(), strict=True
    ):
        exact = np.array(oracle.exact(ours), object)
        assert exact.shape == np.array(true, object).shape, name
        assert np.isfinite(allowed).all(), name
        error = abs(exact - np.array(true, object))
        assert (error <= allowed.astype(np.float64)).all(), name


def uniform_case(
    configuration: Configuration, steps: int, batch: int, seed: int = 0, **optional: Any
) -> Case:
    """A float64 case with everything uniform in (-1, 1) and initial states."""
    rng = np.random.default_rng(seed)
    count = configuration.num_layers * configuration.num_directions
    return Case(
        configuration,
        {
            name: rng.uniform(-1, 1, shape)
            for name, shape in configuration.parameter_shapes().items()
        },
        rng.uniform(-1, 1, (steps, batch, configuration.input_size)),
        rng.uniform(-1, 1, (count, batch, configuration.output_size)),
        rng.uniform(-1, 1, (count, batch, configuration.hidden_size)),
        **optional,
    )


def zeroed(case: Case, **parameters: Array) -> Case:
    """`case` with all parameters zero but those given."""
    zeros = {name: np.zeros_like(array) for name, array in case.parameters.items()}
    return replace(case, parameters=zeros | parameters)


def assert_same(ours: Result, theirs: Result) -> None:
    for (name, left), (_, right) in zip(ours.items(), theirs.items(), strict=True):
        np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=12)
def test_lstm_agrees_with_the_oracle(kind: str, data: st.DataObject) -> None:
    """On every kind of configuration the reference is within its own bound of the oracle."""
    assert_agrees_with_oracle(data.draw(lstm_cases(**KINDS[kind])))


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=12)
def test_lstm_agrees_with_the_oracle_in_every_dtype(dtype: str, data: st.DataObject) -> None:
    """Cases of every type are computed in the wider one, to within that one's bound."""
    case = data.draw(lstm_cases(dtypes=(dtype,)))
    assert reference.lstm(case).output.dtype == case.dtype.wide
    assert_agrees_with_oracle(case)


def test_lstm_of_zero_parameters_halves_c_and_shows_half_of_its_tanh() -> None:
    """With zero parameters f = i = o = 1/2 and g = 0, so c_t = c_0 / 2^t and h_t = tanh(c_t) / 2.

    Then h does not depend on its predecessor, and every number is exact up to the tanh.
    """
    case = zeroed(uniform_case(Configuration(3, 2), steps=4, batch=2))
    result = reference.lstm(case)
    assert case.c_0 is not None
    halved = [case.c_0[0].astype(case.dtype.wide) / 2**t for t in (1, 2, 3, 4)]
    np.testing.assert_array_equal(result.output, [np.tanh(c) / 2 for c in halved])
    np.testing.assert_array_equal(result.c_n[0], halved[-1])


def test_lstm_with_an_open_forget_gate_and_a_shut_input_gate_keeps_c() -> None:
    """A forget gate of 1 and an input gate of 0 carry c_0 through all steps unchanged."""
    case = uniform_case(Configuration(2, 2), steps=5, batch=3)
    biases = np.array([-1e4, -1e4, 1e4, 1e4, 0, 0, 0, 0])
    case = replace(case, parameters=dict(case.parameters) | {"bias_ih_l0": biases})
    np.testing.assert_array_equal(reference.lstm(case).c_n, case.c_0)


def test_lstm_with_a_shut_forget_gate_and_an_open_input_gate_replaces_c() -> None:
    """With f = 0 and i = 1 the new c is the candidate alone, here tanh(1)."""
    case = uniform_case(Configuration(2, 1), steps=3, batch=1)
    case = zeroed(case, bias_hh_l0=np.array([1e4, -1e4, 1.0, 0]))
    tanh_1 = np.tanh(case.dtype.wide.type(1))
    np.testing.assert_array_equal(reference.lstm(case).c_n, np.full((1, 1, 1), tanh_1))


def test_lstm_of_one_unit_is_what_a_hand_computes() -> None:
    """One unit, one step, with c = ln 3 and h = 2/5, by pencil and paper.

    With x = 2 and h_0 = -1, a weight_ih of m ln q, a bias_ih of m ln q, a weight_hh of 3 m ln q
    and a bias_hh of m ln q add up to (2 + 1 - 3 + 1) m ln q = m ln q. So::

        a_i = ln 3     i = 1 / (1 + 1/3) = 3/4
        a_f = -ln 3    f = 1 / (1 + 3) = 1/4
        a_g = ln 2     g = (2 - 1/2) / (2 + 1/2) = 3/5
        a_o = 2 - 1 - 2 + 1 = 0, from 1, -1, 2 and 1, so o = 1/2

    From c_0 = 4 ln 3 - 9/5: c = 1/4 c_0 + 3/4 3/5 = ln 3. Then tanh(c) = (3 - 1/3) / (3 + 1/3)
    = 4/5, and h = 2/5.
    """
    unit = np.array([log(3), -log(3), log(2)])
    case = Case(
        Configuration(1, 1),
        {
            "weight_ih_l0": np.array([*unit, 1.0])[:, None],
            "weight_hh_l0": np.array([*(3 * unit), 2.0])[:, None],
            "bias_ih_l0": np.array([*unit, -1.0]),
            "bias_hh_l0": np.array([*unit, 1.0]),
        },
        np.full((1, 1, 1), 2.0),
        np.full((1, 1, 1), -1.0),
        np.full((1, 1, 1), 4 * log(3) - 9 / 5),
    )
    result = reference.lstm(case)
    np.testing.assert_allclose(result.c_n.item(), log(3), rtol=0, atol=1e-15)
    np.testing.assert_allclose(result.h_n.item(), 2 / 5, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(result.output, result.h_n)


def test_projection_multiplies_what_the_unit_shows() -> None:
    """With zero gates and c_0 = (1, 2), weight_hr = (2, -1) gives h = tanh(1/2) - tanh(1) / 2."""
    case = uniform_case(Configuration(1, 2, proj_size=1), steps=1, batch=1)
    case = replace(zeroed(case, weight_hr_l0=np.array([[2.0, -1.0]])), c_0=np.array([[[1.0, 2.0]]]))
    result = reference.lstm(case)
    assert result.h_n.item() == pytest.approx(np.tanh(0.5) - np.tanh(1) / 2, abs=1e-16)


def test_reverse_direction_is_the_forward_one_on_reversed_time() -> None:
    """The second half of the output is that of a forward LSTM on flipped input, flipped."""
    both = uniform_case(Configuration(3, 2, bidirectional=True), steps=4, batch=2)
    assert both.h_0 is not None
    assert both.c_0 is not None
    forward = replace(
        both,
        configuration=Configuration(3, 2),
        parameters={
            name.removesuffix("_reverse"): array
            for name, array in both.parameters.items()
            if name.endswith("_reverse")
        },
        input=both.input[::-1],
        h_0=both.h_0[1:],
        c_0=both.c_0[1:],
    )
    result, flipped = reference.lstm(both), reference.lstm(forward)
    np.testing.assert_array_equal(result.output[..., 2:], flipped.output[::-1])
    np.testing.assert_array_equal(result.h_n[1:], flipped.h_n)
    np.testing.assert_array_equal(result.c_n[1:], flipped.c_n)


def test_reverse_h_n_is_the_reverse_output_of_the_first_step() -> None:
    """Also of ragged rows, since the reverse direction ends at time 0."""
    case = uniform_case(
        Configuration(3, 2, bidirectional=True), steps=4, batch=2, lengths=np.array([2, 4])
    )
    result = reference.lstm(case)
    np.testing.assert_array_equal(result.h_n[1], result.output[0, :, 2:])


def test_forward_h_n_is_the_output_of_each_rows_last_step() -> None:
    """A row of length 2 ends at time 1, one of length 4 at time 3."""
    case = uniform_case(Configuration(3, 2), steps=4, batch=2, lengths=np.array([2, 4]))
    result = reference.lstm(case)
    np.testing.assert_array_equal(result.h_n[0], result.output[[1, 3], [0, 1]])


def test_padding_reaches_nothing() -> None:
    """What the input holds beyond a row's length changes no number, even if it is NaN."""
    configuration = Configuration(3, 2, num_layers=2, bidirectional=True)
    case = uniform_case(configuration, steps=4, batch=3, lengths=np.array([1, 4, 2]))
    poisoned = case.input.copy()
    poisoned[1:, 0] = np.nan
    poisoned[2:, 2] = np.inf
    result = reference.lstm(replace(case, input=poisoned))
    assert_same(result, reference.lstm(case))
    assert not result.output[1:, 0].any()
    assert not result.output[2:, 2].any()


def test_trace_lists_layers_in_pytorchs_order() -> None:
    """Layer-major, the forward direction first, with time descending in the reverse one."""
    case = uniform_case(Configuration(3, 2, num_layers=2, bidirectional=True), steps=3, batch=2)
    layers = reference.trace(case).layers
    assert [layer.suffix for layer in layers] == ["_l0", "_l0_reverse", "_l1", "_l1_reverse"]
    assert [list(layer.order) for layer in layers] == [[0, 1, 2], [2, 1, 0]] * 2


@pytest.mark.parametrize(("num_layers", "count"), [(1, 1), (2, 0), (2, 2), (3, 1)])
def test_trace_refuses_a_wrong_number_of_dropout_masks(num_layers: int, count: int) -> None:
    """There is one mask for each pair of adjacent layers."""
    case = uniform_case(Configuration(3, 2, num_layers=num_layers), steps=2, batch=2)
    with pytest.raises(ValueError, match=f"{num_layers - 1} dropout masks are needed"):
        reference.trace(case, [np.ones((2, 2, 2))] * count)


def test_dropout_masks_of_one_change_nothing_and_of_zero_hide_the_layer_below() -> None:
    """All ones is the network itself, all zeros the upper layer on an input of zeros."""
    case = uniform_case(Configuration(3, 2, num_layers=2, dropout=0.5), steps=3, batch=2)
    assert_same(reference.lstm(case, [np.ones((3, 2, 2))]), reference.lstm(case))
    assert case.h_0 is not None
    assert case.c_0 is not None
    upper = replace(
        case,
        configuration=Configuration(2, 2),
        parameters={
            name.replace("_l1", "_l0"): array
            for name, array in case.parameters.items()
            if name.endswith("_l1")
        },
        input=np.zeros((3, 2, 2)),
        h_0=case.h_0[1:],
        c_0=case.c_0[1:],
    )
    hidden = reference.lstm(case, [np.zeros((3, 2, 2))]).output
    np.testing.assert_array_equal(hidden, reference.lstm(upper).output)


def test_lstm_of_an_empty_batch_is_empty() -> None:
    """No rows in, no rows out, in the usual shapes."""
    case = uniform_case(Configuration(3, 2, bidirectional=True), steps=4, batch=0)
    shapes = [array.shape for _, array in reference.lstm(case).items()]
    assert shapes == [(4, 0, 4), (2, 0, 2), (2, 0, 2)]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=5)
def test_lstm_shapes_are_those_the_case_promises(kind: str, data: st.DataObject) -> None:
    """The output has the case's output_shape, h_n and c_n its state_shape."""
    case = data.draw(lstm_cases(**KINDS[kind]))
    result = reference.lstm(case)
    assert result.output.shape == case.output_shape()
    assert result.h_n.shape == case.state_shape(case.configuration.output_size)
    assert result.c_n.shape == case.state_shape(case.configuration.hidden_size)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
def test_rounded_results_are_the_nearest_of_the_dtype(dtype: reference.DType) -> None:
    """Rounding to a type is off by no more than its unit roundoff, relatively."""
    result = reference.lstm(uniform_case(Configuration(3, 2), steps=4, batch=2))
    rounded = reference.rounded(result, dtype)
    for (name, wide), (_, narrow) in zip(result.items(), rounded.items(), strict=True):
        assert narrow.dtype == dtype.numpy
        error = np.abs(narrow.astype(wide.dtype) - wide)
        assert (error <= dtype.unit_roundoff * np.abs(wide)).all(), name


def test_rounded_results_overflow_to_infinity() -> None:
    """A number beyond the largest of the type becomes infinite, in silence."""
    huge = np.full((1, 1, 1), 1e6)
    rounded = reference.rounded(Result(huge, -huge, huge), DTYPES["float16"])
    assert [array.item() for _, array in rounded.items()] == [np.inf, -np.inf, np.inf]
