"""How often each corner of the space is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from reference import Array, Case, trace
from strategies import lstm_cases
from strategies.sizes import KERNEL_SIZES

CASES = 3000


def tensors(case: Case) -> list[Array]:
    """Every floating-point array of `case`."""
    states = [state for state in (case.h_0, case.c_0) if state is not None]
    return [*case.parameters.values(), case.input, *states]


def saturated(case: Case) -> bool:
    """Whether some pre-activation is where sigmoid and tanh are flat: beyond 8."""
    steps = [step for layer in trace(case).layers for step in layer.steps]
    return any(bool((np.abs(a) > 8).any()) for s in steps for a in (s.a_i, s.a_f, s.a_g, s.a_o))


def sparse(array: Array) -> bool:
    """Whether a tensor of some size has a few non-zero elements only."""
    return array.size >= 12 and bool(0 < np.count_nonzero(array) <= 4)


def corners(case: Case) -> Iterator[str]:
    """What is particular about `case`."""
    c = case.configuration
    sizes = [c.input_size, c.hidden_size, *([case.batch_size] if case.batched else [])]
    ragged = case.lengths is not None
    found = {
        "batch first": c.batch_first,
        "bias": c.bias,
        "no bias": not c.bias,
        "one direction": not c.bidirectional,
        "two directions": c.bidirectional,
        "projection": c.proj_size > 0,
        "no projection": not c.proj_size,
        "states": case.h_0 is not None,
        "no states": case.h_0 is None,
        "batched": case.batched,
        "unbatched": not case.batched,
        "unbatched with states": not case.batched and case.h_0 is not None,
        "equal input and hidden sizes": c.input_size == c.hidden_size,
        "equal batch and sequence": case.batched and case.batch_size == case.seq_len,
        "input size 1": c.input_size == 1,
        "hidden size 1": c.hidden_size == 1,
        "batch size 1": case.batched and case.batch_size == 1,
        "one step": case.seq_len == 1,
        "kernel size": not set(sizes).isdisjoint(KERNEL_SIZES),
        "long sequence": case.seq_len > 16,
        "lengths": ragged,
        "saturated": saturated(case),
        "tame": all(np.abs(array.astype(np.float64)).max() < 4 for array in tensors(case)),
        "zero tensor": any(not array.astype(bool).any() for array in tensors(case)),
        "sparse tensor": any(map(sparse, tensors(case))),
        "two directions, two layers": c.bidirectional and c.num_layers > 1,
        "projection, two layers": c.proj_size > 0 and c.num_layers > 1,
        "lengths, two directions": ragged and c.bidirectional,
    }
    yield from (name for name, holds in found.items() if holds)
    yield case.dtype.name
    yield f"{c.num_layers} layers" if c.num_layers <= 3 else "more layers"
    yield "distinct sizes" if len({*sizes, case.seq_len}) > len(sizes) else "some sizes equal"
    if case.lengths is not None and case.batch_size > 1:
        steps = np.diff(case.lengths)
        yield "equal lengths" if not steps.any() else "different lengths"
        if (steps > 0).any():
            yield "unsorted lengths"
        if case.lengths.min() == 1 < case.seq_len:
            yield "a length of 1"


EXPECTED = {
    *("float64", "float32", "float16", "bfloat16"),
    *("1 layers", "2 layers", "3 layers", "more layers", "one direction", "two directions"),
    *("two directions, two layers", "projection, two layers", "lengths, two directions"),
    *("projection", "no projection", "bias", "no bias", "batch first", "states", "no states"),
    *("batched", "unbatched", "unbatched with states", "lengths", "equal lengths"),
    *("different lengths", "unsorted lengths", "a length of 1", "distinct sizes"),
    *("some sizes equal", "equal input and hidden sizes", "equal batch and sequence"),
    *("input size 1", "hidden size 1", "batch size 1", "one step", "kernel size"),
    *("long sequence", "saturated", "tame", "zero tensor", "sparse tensor"),
}


@pytest.mark.slow
def test_distribution_holds_every_corner() -> None:
    """Every corner has at least 1 % of the cases, and distinct sizes more than half."""
    counts: Counter[str] = Counter()

    @settings(
        max_examples=CASES,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(lstm_cases())
    def count(case: Case) -> None:
        counts.update(["all", *corners(case)])

    count()
    assert counts["all"] >= CASES
    shares = {name: counts[name] / counts["all"] for name in EXPECTED}
    assert {name: share for name, share in shares.items() if share < 0.01} == {}
    assert shares["distinct sizes"] > 0.5
    assert 0.04 < shares["kernel size"] < 0.1
    assert shares["sparse tensor"] < 0.25
