"""Whether an LSTM is computed by one of PyTorch's own."""

from __future__ import annotations

import sys
from typing import Any

from conformance.checking import originals, process_state
from conformance.implementations.declared import ADAPTERS
from conformance.implementations.failures import Failure, blamed
from conformance.implementations.implementation import Implementation
from conformance.recording.tape import paused
from strategies import lstm_cases
from strategies.search import search

KERNELS = {"lstm": "torch.nn.LSTM", "lstm_cell": "torch.nn.LSTMCell"}
"""The modules of PyTorch by the names of the functions of torch that they call."""


def computed_by(implementation: Implementation) -> tuple[str, ...]:
    """Return which of PyTorch's LSTMs a call of `implementation` calls, by their names.

    The simplest case is run, and the functions of torch that it calls are looked at. Only what has
    been tried when it was loaded is run: torch modules and hand-written classes.
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

    def run(case: Any) -> None:
        try:
            with blamed(), paused(), Watching():
                implementation.run(case)
        except Failure:
            return  # which is for the requirements to show

    originals.begin()
    with process_state.restored():
        search(lstm_cases(supports), run, seed="", max_examples=1)
    originals.put_back()
    return tuple(name for kernel, name in KERNELS.items() if kernel in called)
