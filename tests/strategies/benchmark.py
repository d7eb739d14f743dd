"""What a case costs, beside torch's own forward pass: ``python tests/strategies/benchmark.py``."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from reference import Case, forward_bound, trace
from reference.dtypes import DTYPES
from strategies import lstm_cases

CASES = 300
ROUNDS = 5


def drawn(strategy: st.SearchStrategy[Any], count: int) -> tuple[list[Any], float]:
    """`count` values of `strategy`, and the seconds of processor time that each took."""
    values: list[Any] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(value: Any) -> None:
        values.append(value)

    start = time.process_time()
    keep()
    return values, (time.process_time() - start) / len(values)


def seconds(function: Callable[[], Any]) -> float:
    """The processor time of the quickest of three runs."""
    durations = []
    for _ in range(3):
        start = time.process_time()
        function()
        durations.append(time.process_time() - start)
    return min(durations)


def tensor(array: Any) -> torch.Tensor:
    """`array` in torch, of its own type."""
    dtype = getattr(torch, array.dtype.name)
    return torch.from_numpy(array.astype(np.float64)).to(dtype)


def forward(case: Case) -> Callable[[], Any]:
    """torch's own forward pass of `case`, set up and ready to be timed."""
    c = case.configuration
    lstm = torch.nn.LSTM(
        c.input_size,
        c.hidden_size,
        c.num_layers,
        c.bias,
        c.batch_first,
        c.dropout,
        c.bidirectional,
        c.proj_size,
        dtype=getattr(torch, case.dtype.name),
    )
    lstm.load_state_dict({name: tensor(array) for name, array in case.parameters.items()})
    lstm.eval()
    x: Any = tensor(case.input)
    if case.lengths is not None:
        x = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.from_numpy(case.lengths), c.batch_first, enforce_sorted=False
        )
    state = None
    if case.h_0 is not None and case.c_0 is not None:
        state = tensor(case.h_0), tensor(case.c_0)
    return torch.no_grad()(lambda: lstm(x, state))


def main() -> None:
    """Print medians in milliseconds, and as multiples of torch's forward pass."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    empty = median(drawn(st.integers(), CASES)[1] for _ in range(ROUNDS))
    print(f"an empty body: {1e3 * empty:.2f} ms, taken off the time to draw a case")
    print("ms a case   draw  trace  bound  torch | draw/torch trace/torch bound/torch")
    for dtype in DTYPES:
        rounds = [drawn(lstm_cases(dtypes=dtype), CASES) for _ in range(ROUNDS)]
        draw = median(duration for _, duration in rounds) - empty
        cases = rounds[0][0]
        traces = [trace(case) for case in cases]
        times = {
            "trace": median(seconds(partial(trace, case)) for case in cases),
            "bound": median(seconds(partial(forward_bound, known)) for known in traces),
            "torch": median(seconds(forward(case)) for case in cases),
        }
        columns = [draw, *times.values()]
        shown = "  ".join(f"{1e3 * column:5.2f}" for column in columns)
        ratios = "".join(f"{column / times['torch']:11.1f}" for column in columns[:3])
        print(f"{dtype:9} {shown} |{ratios}")


if __name__ == "__main__":
    main()
