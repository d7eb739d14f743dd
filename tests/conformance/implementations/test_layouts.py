"""Layouts of parameters other than PyTorch's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.implementations.layouts import GATES, Layout, Stored
from reference import Case
from reference.cell import sigmoid
from strategies import lstm_cases

ONE_STEP = lstm_cases(
    dtypes=["float64"],
    num_layers=(1, 1),
    seq_len=(1, 1),
    bidirectional=False,
    batched=True,
    batch_first=False,
    projection=False,
    lengths=False,
    bias=True,
    states=True,
    weights=["unit", "default", "small"],
)
LAYOUTS = st.builds(
    Layout,
    gates=st.permutations(GATES).map("".join),
    transposed=st.booleans(),
    biases=st.sampled_from([1, 2]),
    forget_bias=st.sampled_from([0.0, 1.0]),
)


def one_step(case: Case, layout: Layout) -> np.ndarray:
    """h after one step, computed from what `layout` stores, each gate looked up by its place."""
    stored = layout.stored(case)
    assert case.h_0 is not None
    assert case.c_0 is not None
    x, h, c = case.input[0], case.h_0[0], case.c_0[0]
    if not layout.transposed:
        stored = stored._replace(weight_ih=stored.weight_ih.T, weight_hh=stored.weight_hh.T)
    a = x @ stored.weight_ih + h @ stored.weight_hh + sum(stored.biases)
    size = case.configuration.hidden_size
    at = {gate: a[:, n * size : (n + 1) * size] for n, gate in enumerate(layout.gates)}
    c = sigmoid(at["f"] + layout.forget_bias) * c + sigmoid(at["i"]) * np.tanh(at["g"])
    return sigmoid(at["o"]) * np.tanh(c)


@given(ONE_STEP, LAYOUTS)
def test_layout_stores_the_same_lstm(case: Case, layout: Layout) -> None:
    """An LSTM that reads its parameters by its layout computes what PyTorch's layout computes."""
    np.testing.assert_allclose(one_step(case, layout), one_step(case, Layout()), atol=1e-12)


@given(lstm_cases(dtypes=["float32"]), LAYOUTS)
def test_gradients_are_restored_to_the_place_they_were_stored_from(
    case: Case, layout: Layout
) -> None:
    """What `restored` gives for stored weights are PyTorch's weights, under their names."""
    for suffix in case.configuration.suffixes():
        restored = layout.restored(layout.stored(case, suffix), suffix)
        for name, array in restored.items():
            if name.startswith("weight"):
                np.testing.assert_array_equal(array, case.parameters[name])


def test_single_bias_hands_its_gradient_to_both() -> None:
    """The gradient by a sum is the gradient by each of its terms."""
    bias = np.arange(8.0)
    stored = Stored(np.zeros((8, 1)), np.zeros((8, 2)), (bias,))
    restored = Layout(gates="iofg", biases=1).restored(stored)
    np.testing.assert_array_equal(restored["bias_ih_l0"], bias[[0, 1, 4, 5, 6, 7, 2, 3]])
    np.testing.assert_array_equal(restored["bias_hh_l0"], restored["bias_ih_l0"])


@pytest.mark.parametrize("options", [{"gates": "ifg"}, {"gates": "iffo"}, {"biases": 0}])
def test_impossible_layout_is_refused(options: dict) -> None:
    """Gates that are no permutation and any other number of biases raise."""
    with pytest.raises(ValueError, match="must be"):
        Layout(**options)
