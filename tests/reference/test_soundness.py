"""Bounds say something of nearly everything that is drawn, in every dtype."""

import pytest

from reference import DTYPES

from .soundness import MEASURED, measured

MOST = {"results": 0.05, "gradients": 0.15, "stepwise": 0.1}
"""The share of elements of which a bound may say nothing."""
NARROW = ("float16", "bfloat16")
"""Dtypes in which all results of a large case, 700 and more, can have a bound that says nothing."""
DRAWN = [(what, dtype) for what in MOST for dtype in MEASURED[what][2].get("dtypes", DTYPES)]


@pytest.mark.slow
@pytest.mark.parametrize(("what", "dtype"), DRAWN)
def test_bounds_say_something_of_most_elements(what: str, dtype: str) -> None:
    """Of thousands of results and gradients of PyTorch, all of which are within their bounds."""
    elements = 100_000 if what == "results" and dtype in NARROW else 6_000
    tally = measured(what, dtype, elements=elements, seed=1)["torch.nn.LSTM"]
    assert tally.sound
    assert tally.silent <= MOST[what] * tally.informed
