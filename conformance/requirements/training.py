"""Requirements on training as it is done: calls before a backward pass, steps, cotangents."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from conformance.checking.comparison import close
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch, Quantity, blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import note, paused
from conformance.requirements.helpers.gradients import (
    CASES,
    close_gradients,
    cotangents,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.torch_only import differentiated
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.variations import converted, resized, sliced, transposed, with_arrays
from reference import Case, Result, backward, trace

_ROUNDS = 6
GRAPH = (
    "torch.Tensor.backward documentation: it computes the gradient of the tensor by the leaves of "
    "its graph, and accumulates it there"
)


@requirement(source=GRAPH, applies=module_gradients, **CASES)
def calls_before_one_backward_add_up(implementation: TorchModule, case: Case) -> float:
    """After several calls one backward pass gives each its own gradients, and parameters their sum.

    The calls are one of the case, one of the same sizes and one of larger sizes. All terms of the
    sum may be added one by one: so allowed are the bounds of the calls, which are for the additions
    of one call, times the steps of all calls by those of the shortest.
    """
    module = session_of(implementation, case).module
    larger = resized(case, case.seq_len + 2, case.batch_size + 2)
    cases = [case, resized(case, case.seq_len, case.batch_size), larger]
    calls = [differentiated(implementation, each, module=module) for each in cases]
    weights = [cotangents(each) for each in cases]
    losses = tuple(call.loss(each) for call, each in zip(calls, weights, strict=True))
    note("sum({losses}).backward()", losses=losses)
    with blamed():
        sum(losses).backward()  # type: ignore[union-attr]
    known = [true_gradients(implementation, *pair) for pair in zip(cases, weights, strict=True)]
    share = 0.0
    for call, (expected, bound) in zip(calls, known, strict=True):
        got = {name: each for name, each in call.gradients().items() if name not in case.parameters}
        share = max(share, close_gradients(got, expected, bound))
    times = sum(each.seq_len for each in cases) / case.seq_len
    total, allowed = (
        {name: np.sum([each[part][name] for each in known], 0) for name in case.parameters}
        for part in (0, 1)
    )
    u = 2 * case.dtype.unit_roundoff
    allowed = {n: times * (each + u * (np.abs(total[n]) + each)) for n, each in allowed.items()}
    got = {name: each for name, each in calls[0].gradients().items() if name in case.parameters}
    return max(share, close_gradients(got, total, allowed))


@requirement(
    source="torch.inference_mode, torch.no_grad and torch.nn.Module.eval documentation: they "
    "concern what is done under them",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.3},
)
def calls_before_training_change_no_gradient(implementation: TorchModule, case: Case) -> float:
    """A module that was called in any mode, dtype and size before is trained as a new one is.

    So it is in another thread, where that does the backward pass alone, or a call before it, and
    after many training steps.
    """
    other = "float32" if case.dtype.name == "float64" else "float64"
    if case.dtype.name == "float64":  # so that float32 holds the parameters as well
        case = converted(converted(case, other), "float64")
    session = session_of(implementation, case)
    weights = cotangents(case)
    expected, bound = true_gradients(implementation, case, weights)
    share = 0.0

    def trained(after: str, finish: Callable[[Any], object] = lambda loss: loss.backward()) -> None:
        nonlocal share
        module = differentiated(implementation, case, module=session.module)
        try:
            loss = module.loss(weights)
            note("{loss}.backward()", loss=loss)
            with blamed():
                finish(loss)
            share = max(share, close_gradients(module.gradients(), expected, bound))
        except Mismatch as mismatch:
            mismatch.what += f" after {after}"
            raise

    for training in (False, True):
        for grad, name in ((None, "inference_mode"), (False, "no_grad"), (True, "a forward pass")):
            session.train(training)
            session.run(case, grad=grad)
            trained(f"{name} in {'train' if training else 'eval'} mode")
    larger = resized(case, case.seq_len + 5, case.batch_size + 5)
    differentiated(implementation, larger, module=session.module).backward(cotangents(larger))
    trained("a larger backward pass")
    if other in implementation.supports.dtypes:
        session.convert(other)
        session.run(converted(case, other))
        session.convert(case.dtype.name)
        trained(f"a call in {other}")
    session.attempt_a_wrong_call()
    trained("a call that raised")
    with paused(), ThreadPoolExecutor(1) as pool:
        pool.submit(trained, "all of this, in another thread").result()
        trained(
            "a forward pass in another thread", lambda loss: pool.submit(loss.backward).result()
        )

        def after_another_call(loss: Any) -> None:
            pool.submit(session.run, case).result()
            loss.backward()

        trained("a call between, in another thread", after_another_call)
        for _ in range(_ROUNDS):
            trained("many training steps")
    return share


@requirement(
    source="torch.nn.Module.zero_grad documentation: it resets gradients of all model parameters",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.15},
)
def zero_grad_resets_every_gradient(implementation: TorchModule, case: Case) -> float:
    """After zero_grad no parameter has a gradient, or all are zero, as with set_to_none=False."""
    module, share = differentiated(implementation, case), 0.0
    taken = inspect.signature(type(module.module).zero_grad).parameters
    for options in ({}, {"set_to_none": False})[: 1 + ("set_to_none" in taken)]:
        module.backward(cotangents(case))
        given = ", ".join(f"{name}={value}" for name, value in options.items())
        note(f"{{module}}.zero_grad({given})", module=module.module)
        with blamed():
            module.module.zero_grad(**options)
        got = {name: each for name, each in module.gradients().items() if name in case.parameters}
        zeros = {name: np.zeros(each.shape) for name, each in got.items()}
        share = max(share, close_gradients(got, zeros, zeros))
    return share


@requirement(
    source="torch.Tensor.expand and torch.Tensor.stride documentation: strides are a matter of "
    "storage, not of value",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.3},
)
def layout_of_cotangents_does_not_matter(implementation: TorchModule, case: Case) -> float:
    """Cotangents may be expanded, as those of a sum are, transposed or sliced.

    So may the input and the initial states.
    """
    module = differentiated(implementation, case)
    weights = cotangents(case)
    ones = Result.of(np.broadcast_to(np.ones((), a.dtype), a.shape) for _, a in weights.items())
    dense = true_gradients(implementation, case, weights)
    expanded = true_gradients(implementation, case, ones)
    share = 0.0
    for laid_out, known in (
        (ones, expanded),
        (Result.of(sliced(array) for _, array in weights.items()), dense),
        (Result.of(transposed(array) for _, array in weights.items()), dense),
    ):
        module.reset()
        module.pull(laid_out)
        share = max(share, close_gradients(module.gradients(), *known))
    for layout in (sliced, transposed):
        laid = with_arrays(case, layout)
        module = differentiated(implementation, laid, module=module.module)
        module.pull(weights)
        share = max(share, close_gradients(module.gradients(), *dense))
    return share


@requirement(
    source="the chain rule: gradients are linear in the cotangents",
    applies=module_gradients,
    **{**CASES, "share_of_cases": 0.3},
)
def gradients_scale_with_cotangents(implementation: TorchModule, case: Case) -> float:
    """Huge and tiny cotangents give huge and tiny gradients, neither clipped nor lost.

    They are scaled by a power of two whose cube is about the largest number, and by its inverse.
    """
    exponent = int(np.log2(case.dtype.largest)) // 3
    module = differentiated(implementation, case)
    share = 0.0
    for scale in (2.0**exponent, 2.0**-exponent):
        arrays = (array * np.asarray(scale, array.dtype) for _, array in cotangents(case).items())
        weights = Result.of(arrays)
        module.reset()
        module.backward(weights)
        known = true_gradients(implementation, case, weights)
        share = max(share, close_gradients(module.gradients(), *known))
    return share


@requirement(
    source="IEEE 754: operations on NaN give NaN; the equations, which relate no two rows",
    applies=module_gradients,
    **{**CASES, "batch_size": (2, 6), "share_of_cases": 0.3},
    batched=True,
    lengths=False,
)
def nan_cotangent_stays_in_its_row(implementation: TorchModule, case: Case) -> float:
    """A NaN in the cotangent of one row makes its gradients and those of parameters NaN.

    The gradients by the input and the initial states of other rows are as without it.
    """
    weights = cotangents(case)
    row = case.batch_size // 2
    output = weights.output.copy()
    case.time_major(output)[case.seq_len // 2, row, 0] = np.nan
    spoiled = Result(output, weights.h_n, weights.c_n)
    expected, bound = true_gradients(implementation, case, weights)
    with np.errstate(invalid="ignore"):
        lost = backward(trace(case), spoiled)
    module = differentiated(implementation, case)
    module.pull(spoiled)
    got = module.gradients()
    axis = {"input": 0 if case.configuration.batch_first else 1, "h_0": 1, "c_0": 1}
    share = 0.0
    for name, array in got.items():
        is_lost = np.isnan(lost[name].astype(np.float64))
        gone = np.isnan(array.astype(np.float64))[is_lost] * 1.0
        what = f"isnan(gradient of {name})"
        close(what, gone, np.ones(gone.shape), 0.0, quantity=Quantity.OTHER)
        if name in axis:
            kept = [np.delete(each[name], row, axis[name]) for each in (got, expected, bound)]
            share = max(share, close(f"gradient of {name}", *kept, quantity=Quantity.GRADIENT))
    return share
