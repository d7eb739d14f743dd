"""Gradients are those of back-propagation through time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.comparison import close
from conformance.failures import Mismatch, blamed
from conformance.implementation import Implementation, documented_shapes
from conformance.requirement import requirement
from conformance.requirements.needs import torch_module
from conformance.requirements.torch_only import autograd, differentiated
from reference import Array, Case, Result, backward, gradient_bound, trace

CHAIN_RULE = "the chain rule applied to the equations of the torch.nn.LSTM documentation"
ALL = ("output", "h_n", "c_n")


def _differentiable(implementation: Implementation) -> str | None:
    if not implementation.supports.gradients:
        return "offers no gradients"
    return torch_module(implementation)


_CASES: dict[str, Any] = {
    "level": "training",
    "applies": _differentiable,
    "hidden_size": (1, 9),
    "input_size": (1, 9),
    "seq_len": (1, 12),
    "batch_size": (1, 6),
    "num_layers": (1, 3),
    "share_of_cases": 0.5,
}


def cotangents(case: Case, of: Collection[str] = ALL) -> Result:
    """Small simple numbers to multiply each result with, zero for those that are not in `of`."""
    arrays = []
    for name, shape in documented_shapes(case).items():
        pattern = 1 - np.arange(np.prod(shape, dtype=int)) * 5 % 7 / 4
        arrays.append((pattern * (name in of)).reshape(shape).astype(case.dtype.numpy))
    return Result.of(arrays)


def _agree(
    got: Mapping[str, Array],
    expected: Mapping[str, Array],
    bound: Mapping[str, Array],
    times: int = 1,
) -> float:
    missing = set(got) - set(expected)
    assert not missing, missing
    return max(
        close(f"gradient of {name}", got[name], times * expected[name], times * bound[name])
        for name in got
    )


def _matches(
    implementation: Any, case: Case, of: Collection[str] = ALL, *, train: bool = True
) -> float:
    weights = cotangents(case, of)
    evaluated = trace(case)
    expected, bound = backward(evaluated, weights), gradient_bound(evaluated, weights)
    return _agree(autograd(implementation, case, weights, of, train=train), expected, bound)


@requirement(source=CHAIN_RULE, **_CASES)
def gradients_match_backpropagation(implementation: Implementation, case: Case) -> float:
    """Gradients by input, h_0, c_0 and parameters, of all results together, are the true ones."""
    return _matches(implementation, case)


@requirement(source=CHAIN_RULE, **_CASES)
def gradients_of_output_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on output alone are those of back-propagation through time."""
    return _matches(implementation, case, ("output",))


@requirement(source=CHAIN_RULE, **_CASES)
def gradients_of_h_n_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on h_n alone are those of back-propagation through time."""
    return _matches(implementation, case, ("h_n",))


@requirement(source=CHAIN_RULE, **_CASES)
def gradients_of_c_n_are_right(implementation: Implementation, case: Case) -> float:
    """Gradients of a loss on c_n alone are those of back-propagation through time."""
    return _matches(implementation, case, ("c_n",))


@requirement(
    source="torch.nn.Module.eval documentation: it changes what modules compute, not autograd",
    **_CASES,
)
def gradients_are_the_same_in_eval(implementation: Implementation, case: Case) -> float:
    """In eval mode the gradients are those of train mode without dropout."""
    return _matches(implementation, case, train=False)


@requirement(source=CHAIN_RULE, **{**_CASES, "lengths": True})
def gradients_pass_through_packed_batches(implementation: Implementation, case: Case) -> float:
    """Gradients of a packed batch are right; what is beyond a row's length has none."""
    return _matches(implementation, case)


@requirement(
    source=CHAIN_RULE,
    **{**_CASES, "seq_len": (2, 12), "num_layers": (1, 1), "bidirectional": False},
    lengths=False,
    dtypes=["float64", "float32"],
    weights=["zeros", "one", "default", "unit", "small", "wide"],
)
def gradient_reaches_first_step(implementation: Implementation, case: Case) -> float:
    """A loss on the last step has the true gradient by the input of the first step, not zero."""
    output = np.zeros(case.output_shape(), case.dtype.numpy)
    case.time_major(output)[-1] = 1
    weights = replace(cotangents(case, ()), output=output)
    evaluated = trace(case)
    first = {
        "input": case.time_major(backward(evaluated, weights)["input"])[0],
    }
    bound = {"input": case.time_major(gradient_bound(evaluated, weights)["input"])[0]}
    got = autograd(implementation, case, weights, ("output",))
    return _agree({"input": case.time_major(got["input"])[0]}, first, bound)


@requirement(
    source="torch.Tensor.backward documentation: it accumulates gradients in the leaves", **_CASES
)
def backward_twice_accumulates(implementation: Implementation, case: Case) -> float:
    """Backward passes without resetting the gradients, two of them of one graph, give their sum."""
    weights = cotangents(case)
    evaluated = trace(case)
    expected, bound = backward(evaluated, weights), gradient_bound(evaluated, weights)
    module = differentiated(implementation, case)
    module.backward(weights)
    loss = module.loss(weights)
    with blamed():
        loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        loss.backward()  # type: ignore[no-untyped-call]
    u = 2 * case.dtype.unit_roundoff
    allowed = {name: bound[name] + u * (np.abs(expected[name]) + bound[name]) for name in bound}
    return _agree(module.gradients(), expected, allowed, times=3)


@requirement(
    source="torch.Tensor.requires_grad documentation: gradients are computed for leaves that "
    "require them",
    **_CASES,
)
def frozen_leaves_change_no_other_gradient(implementation: Implementation, case: Case) -> float:
    """Freezing some leaves leaves the gradients of the others as they are."""
    weights = cotangents(case)
    evaluated = trace(case)
    expected, bound = backward(evaluated, weights), gradient_bound(evaluated, weights)
    worst = 0.0
    for parity in (0, 1):
        frozen = [name for index, name in enumerate(expected) if index % 2 == parity]
        if len(frozen) == len(expected):
            continue
        module = differentiated(implementation, case, frozen=frozen)
        module.backward(weights)
        got = module.gradients()
        for name in frozen:
            if module.leaves[name].grad is not None:
                raise Mismatch(f"gradient of frozen {name}", "", "a tensor", "None")
        worst = max(worst, _agree(got, expected, bound))
    return worst


STEP = 2.0**-12


@requirement(
    source="torch.autograd.grad documentation, create_graph: higher order derivatives",
    **{
        **_CASES,
        "share_of_cases": 0.2,
        "hidden_size": (1, 4),
        "input_size": (1, 4),
        "seq_len": (1, 5),
        "num_layers": (1, 2),
    },
    dtypes=["float64"],
    weights=["zeros", "one", "default", "unit", "small"],
)
def second_derivatives_are_right(implementation: Implementation, case: Case) -> float:
    """The gradient of a directional derivative is the difference quotient of true gradients.

    The true gradients are evaluated in the wider type. Two central differences d(h) and d(2h)
    give Richardson's extrapolation (4 d(h) - d(2h)) / 3, whose error is far below its distance
    from d(h); allowed is that distance, and 1e-9 of the largest element for rounding.
    """
    import torch

    from conformance.tensors import to_array, to_tensor

    weights = cotangents(case)
    near, far = _difference(case, weights, STEP), _difference(case, weights, 2 * STEP)
    expected = {name: (4 * near[name] - far[name]) / 3 for name in near}
    module = differentiated(implementation, case)
    names, leaves = zip(*module.leaves.items(), strict=True)
    with blamed():
        first = torch.autograd.grad(module.loss(weights), leaves, create_graph=True)
    directional = torch.stack(
        [
            (gradient * to_tensor(_direction(leaf.shape), case.device)).sum()
            for gradient, leaf in zip(first, leaves, strict=True)
        ]
    ).sum()
    with blamed():
        second = torch.autograd.grad(directional, leaves)
    scale = max(float(np.abs(array).max(initial=0)) for array in expected.values())
    return max(
        close(
            f"second derivative by {name}",
            to_array(tensor, name),
            expected[name],
            np.abs(expected[name] - near[name]).astype(np.float64) + 1e-9 * max(1.0, scale),
        )
        for name, tensor in zip(names, second, strict=True)
    )


def _direction(shape: tuple[int, ...]) -> Array:
    pattern: Array = (1 - np.arange(np.prod(shape, dtype=int)) * 3 % 5 / 2).reshape(shape)
    return pattern


def _difference(case: Case, weights: Result, step: float) -> dict[str, Array]:
    """Central difference of the true gradients along :func:`_direction`."""
    ahead, behind = (backward(trace(_moved(case, by)), weights) for by in (step, -step))
    return {name: (ahead[name] - behind[name]) / (2 * step) for name in ahead}


def _moved(case: Case, by: float) -> Case:
    def moved(array: Array | None) -> Array | None:
        return None if array is None else array + by * _direction(array.shape)

    x = moved(case.input)
    assert x is not None
    parameters = {
        name: array + by * _direction(array.shape) for name, array in case.parameters.items()
    }
    return replace(case, parameters=parameters, input=x, h_0=moved(case.h_0), c_0=moved(case.c_0))


@requirement(
    source="torch.autograd.grad documentation, create_graph: higher order derivatives; no dtype is "
    "excepted",
    **{**_CASES, "share_of_cases": 0.2, "hidden_size": (1, 4), "seq_len": (1, 5)},
    dtypes=["float32"],
)
def float32_has_second_derivatives(implementation: Implementation, case: Case) -> None:
    """Second derivatives do not raise in float32 and are finite."""
    import torch

    module = differentiated(implementation, case)
    leaves = list(module.leaves.values())
    with blamed():
        loss = module.loss(cotangents(case))
        first = torch.autograd.grad(loss, leaves, create_graph=True)
        squares = torch.stack([each.square().sum() for each in first])
        squares.sum().backward()  # type: ignore[no-untyped-call]
    for leaf in leaves:
        if leaf.grad is not None and not bool(torch.isfinite(leaf.grad).all()):
            raise Mismatch("second derivative", "", "not finite", "finite")
