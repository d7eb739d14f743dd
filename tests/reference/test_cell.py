"""The logistic function of the cell; the cell itself is tested through the network."""

import numpy as np
import pytest

from reference.cell import sigmoid


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_sigmoid_is_exact_where_a_hand_can_compute_it(dtype: type) -> None:
    """It is 1/2 at 0 and exactly 0 and 1 at the infinities, in the type of its argument."""
    s = sigmoid(np.array([0, -np.inf, np.inf], dtype))
    assert s.dtype == dtype
    np.testing.assert_array_equal(s, [0.5, 0, 1])


def test_sigmoid_of_ln_3_is_three_quarters() -> None:
    """1 / (1 + 1/3) = 3/4 at ln 3, and 1/4 at -ln 3."""
    s = sigmoid(np.array([np.log(3), -np.log(3)]))
    np.testing.assert_allclose(s, [0.75, 0.25], rtol=1e-15)


def test_sigmoid_is_small_and_right_far_below_zero() -> None:
    """It is exp(a) where exp(a) is small, down to where that underflows, without a warning."""
    a = np.array([-50.0, -300.0, -700.0, -1e4])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(sigmoid(a), np.exp(a), rtol=1e-15)
