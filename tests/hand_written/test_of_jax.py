"""What is inferred of functions and classes that compute with JAX."""

from typing import Any

import pytest

from conformance import Budget, check
from tests.hand_written.inferring import OF_NETWORKS, inferred

pytestmark = pytest.mark.slow

NAMES = ("compiled", "scanned", "OfEquinox", "OfFlax")
"""The functions and classes of of_jax.py."""


@pytest.mark.parametrize("name", NAMES)
def test_infer_finds_the_mapping(name: str) -> None:
    """Arrays of JAX are filled and read as those of NumPy; what is found computes the LSTM."""
    for package in ("jax", "equinox", "flax"):  # of_jax.py imports all of them
        pytest.importorskip(package)
    found: Any = inferred("of_jax.py", name, OF_NETWORKS)
    assert found.fits, found.faults
    assert found.implementation.supports.dtypes == ("float32",)
    verdict = check("results_match_reference", found.implementation, budget=Budget(5, seed=3))
    assert verdict.outcome == "passed", verdict
