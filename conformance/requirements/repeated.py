"""Requirements on hundreds of calls: each is right, from any thread, and gives its memory back."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import close
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import paused
from conformance.requirements.helpers.gradients import (
    close_gradients,
    cotangents,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.needs import torch_module
from conformance.requirements.helpers.torch_only import entered, to_tensor
from conformance.requirements.variations import resized
from reference import Case

CALL = "torch.nn.LSTM documentation: a call returns output, (h_n, c_n), a function of its arguments"
_CASES: dict[str, Any] = {
    "level": "module",
    "hidden_size": (1, 6),
    "input_size": (1, 6),
    "num_layers": (1, 2),
    "seq_len": (1, 4),
    "batch_size": (1, 4),
    "share_of_cases": 0.15,
}
_HUNDREDS = 260
_FEW: dict[str, Any] = {**_CASES, "share_of_cases": 0.15}

Answers = list[tuple[Any, ...]]


def _calling(implementation: TorchModule, module: Any, case: Case) -> Callable[[], tuple[Any, ...]]:
    """Make a function that calls `module` with the tensors of `case`, always the same."""
    tensors = {name: to_tensor(array, case.device) for name, array in case.arguments().items()}
    states = (tensors["h_0"], tensors["c_0"]) if "h_0" in tensors else None
    return lambda: implementation.call_with(module, case, tensors["input"], states)


def _all_agree(implementation: TorchModule, case: Case, answers: Sequence[Any], when: str) -> float:
    """Compare the tensors of many answers to one case with the truth."""
    import torch

    known = truth(case, implementation)
    share = 0.0
    for tensors, (name, true), (_, bound) in zip(
        zip(*answers, strict=True), known.result.items(), known.bound.items(), strict=True
    ):
        with blamed():
            got = torch.stack(tensors).detach().cpu().double().numpy()
        whole = np.broadcast_to(true, (len(tensors), *true.shape))
        share = max(share, close(f"{name} of each call {when}", got, whole, bound))
    return share


@requirement(source=CALL, applies=torch_module, **_CASES)
def hundreds_of_calls_are_all_right(implementation: TorchModule, case: Case) -> float:
    """The same call gives true results 260 times, while another thread calls its own module.

    A fault that shows once in fifty calls is found in the default profile, which makes thousands.
    """
    with paused(), blamed(), entered(implementation) as within:
        modules = within.build(case), within.build(case)
        call, elsewhere = (_calling(within, each, case) for each in modules)
        ended = threading.Event()

        def load() -> None:
            while not ended.is_set():
                elsewhere()

        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(load)
            try:
                answers = [call() for _ in range(_HUNDREDS)]
            finally:
                ended.set()
            loading.result()
    return _all_agree(implementation, case, answers, "under load")


@requirement(source=CALL, applies=torch_module, **_FEW)
def threads_can_share_a_module(implementation: TorchModule, case: Case) -> float:
    """Two threads, neither of which made the module, get true results when both call it at once."""
    cases = [case, resized(case, case.seq_len, case.batch_size)]
    with paused(), blamed(), entered(implementation) as within:
        module = within.build(case)
        calls = [_calling(within, module, each) for each in cases]

        def repeat(call: Callable[[], Any]) -> Answers:
            return [call() for _ in range(_HUNDREDS // 5)]

        with ThreadPoolExecutor(len(calls)) as pool:
            answers = [*pool.map(repeat, calls)]
    return max(
        _all_agree(implementation, each, found, "in a thread")
        for each, found in zip(cases, answers, strict=True)
    )


_CALLS = 104
"""Calls in each of the windows in which memory is measured."""
_WINDOWS = 4
"""Windows, in the first of which what is kept for later calls may be made."""


@requirement(
    source="Python documentation: an object to which no reference is left is freed; " + CALL,
    applies=torch_module,
    **{**_CASES, "seq_len": (2, 4), "share_of_cases": 0.08},
    weights=["default", "unit"],
)
def calls_give_their_memory_back(implementation: TorchModule, case: Case) -> float:
    """Of 416 calls, trained or without gradients, nothing is left, and the last is as the first.

    There is a leak if in each window of 104 calls after the first the interpreter's blocks of
    memory grow by at least two in five calls, or the bytes of tensors grow at all. An object that
    is kept in every second call is above that; what the interpreter keeps for later, on lists of
    free objects, grows by less, and less in each window.

    The lowest and the highest of each number in all results, and in the gradients of the trained
    calls, are within the bounds.
    """
    share = 0.0
    for training in {not isinstance(module_gradients(implementation), str), False}:
        mode = "train" if training else "eval"
        with paused(), blamed(), entered(implementation) as within:
            module = within.build(case).train(training)
            call = _calling(within, module, case)
            learning = within.parameters(module, case) if training else {}
            results, gradients = Extremes(), Extremes()
            gc.collect()
            gc.freeze()  # so that only what is made from here on is looked at
            try:
                held = [_held_after(call, learning, results, gradients) for _ in range(_WINDOWS)]
            finally:
                gc.unfreeze()
        blocks, numbers = np.diff(np.array(held), axis=0).min(axis=0)
        if blocks * 5 >= _CALLS * 2 or numbers > 0:
            got = f"{blocks} blocks and {numbers} bytes of tensors more"
            raise Mismatch(f"memory after {_CALLS} calls in {mode} mode", "", got, "as before")
        share = max(share, _all_agree(implementation, case, results.both, f"in {mode} mode"))
        if training:
            share = max(share, _learned(implementation, case, [*learning], gradients))
    return share


class Extremes:
    """The lowest and the highest of each element of tensors, of all that were taken in."""

    def __init__(self) -> None:
        self.both: tuple[tuple[Any, ...], ...] = ()

    def take(self, tensors: Sequence[Any]) -> None:
        """Take in one more of each tensor; NaN remains."""
        import torch

        now = [each.detach() for each in tensors]
        if not self.both:
            self.both = tuple(tuple(each.clone() for each in now) for _ in range(2))
        for tensor, low, high in zip(now, *self.both, strict=True):
            torch.minimum(low, tensor, out=low)
            torch.maximum(high, tensor, out=high)


def _held_after(
    call: Callable[[], tuple[Any, ...]],
    learning: Mapping[str, Any],
    results: Extremes,
    gradients: Extremes,
) -> tuple[int, int]:
    """Call many times; returns the blocks of memory in use then, and the bytes in new tensors.

    If there are parameters that are `learning`, every second call is followed by a backward pass;
    else gradients are off.
    """
    import torch

    with torch.set_grad_enabled(bool(learning)):
        for number in range(_CALLS):
            answer = call()
            results.take(answer)
            if learning and number % 2:
                for parameter in learning.values():
                    parameter.grad = None
                answer[0].sum().backward()
                gradients.take(
                    [
                        torch.zeros_like(each) if each.grad is None else each.grad
                        for each in learning.values()
                    ]
                )
            del answer
    gc.collect()
    tensors = (each for each in gc.get_objects() if issubclass(type(each), torch.Tensor))
    return sys.getallocatedblocks(), sum(each.untyped_storage().nbytes() for each in tensors)


def _learned(
    implementation: TorchModule, case: Case, names: Sequence[str], gradients: Extremes
) -> float:
    """Compare the lowest and the highest gradients, by parameters, of the sum of the output."""
    from conformance.implementations.pytorch.tensors import to_array

    weights = replace(cotangents(case, ()), output=np.ones(case.output_shape(), case.dtype.numpy))
    known = true_gradients(implementation, case, weights)
    return max(
        close_gradients({n: to_array(t, n) for n, t in zip(names, of, strict=True)}, *known)
        for of in gradients.both
    )
