"""Whether an LSTM is computed by one of PyTorch's own."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from conformance.checking import originals, process_state
from conformance.implementations.declared import ADAPTERS
from conformance.implementations.implementation import Implementation
from conformance.implementations.probing import SMALL, small_case, takes
from conformance.recording.noting import paused

KERNELS = {"lstm": "torch.nn.LSTM", "lstm_cell": "torch.nn.LSTMCell"}
"""The modules of PyTorch by the names of the functions of torch that they call."""


def computed_by(implementation: Implementation) -> tuple[str, ...]:
    """Return which of PyTorch's LSTMs a call of `implementation` calls, by their names.

    A small case is run, and the functions of torch that it calls are looked at. Only what was tried
    on such a case when it was loaded is run: torch modules and hand-written classes.
    """
    supports = implementation.supports
    tried = type(implementation).__module__ in ADAPTERS and not supports.own_process
    if not tried or "torch" not in sys.modules:
        return ()
    from torch.overrides import TorchFunctionMode

    called: list[str] = []

    class Watching(TorchFunctionMode):
        """Notes the names of the functions of torch that are called."""

        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            called.append(getattr(func, "__name__", ""))
            return func(*args, **(kwargs or {}))

    configuration = replace(
        SMALL,
        num_layers=supports.min_layers,
        bias=supports.bias[0],
        batch_first=supports.batch_first[0],
        bidirectional=supports.bidirectional[0],
    )
    states, batched = supports.states[0], supports.batched[0]
    case = small_case(configuration, supports.dtypes[0], states=states, batched=batched)
    originals.begin()
    with process_state.restored(), paused(), Watching():
        takes(implementation, case)
    originals.put_back()
    return tuple(name for kernel, name in KERNELS.items() if kernel in called)
