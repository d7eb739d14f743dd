"""Requirements on second derivatives of torch modules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume

from conformance.checking.activations import judging
from conformance.checking.comparison import close
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch, Quantity, blamed
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import unequal
from conformance.recording.noting import bind, note
from conformance.requirements.helpers.gradients import CASES, cotangents, module_gradients
from conformance.requirements.helpers.needs import and_also, offering
from conformance.requirements.helpers.torch_only import differentiated
from reference import Array, Case, Result, backward, trace
from reference.precision import DTYPES_OWN

STEP = 2.0**-12


_differentiable_twice = and_also(
    module_gradients, offering("second_derivatives", "second derivatives")
)


def _precise_activations(implementation: Implementation) -> Implementation | str:
    rough = max(precision(implementation).units()) > DTYPES_OWN.activation
    return "its activations are not as precise as the dtype" if rough else implementation


@requirement(
    source="torch.autograd.grad documentation, create_graph: higher order derivatives",
    applies=and_also(_differentiable_twice, _precise_activations),
    **{
        **CASES,
        "share_of_cases": 0.2,
        "hidden_size": (1, 4),
        "input_size": (1, 4),
        "seq_len": (1, 5),
        "num_layers": (1, 2),
    },
    dtypes=["float64"],
    weights=["zeros", "one", "default", "unit", "small"],
    should=True,
)
def second_derivatives_are_right(implementation: TorchModule, case: Case) -> float:
    """The gradient of a directional derivative is the difference quotient of true gradients.

    The true gradients are evaluated in the wider type. Two central differences d(h) and d(2h)
    give Richardson's extrapolation (4 d(h) - d(2h)) / 3, whose error is far below its distance
    from d(h); allowed is that distance, and 1e-9 of the largest element for rounding. No case is
    tried where the activations are measured not to be as precise as the dtype.
    """
    import torch

    from conformance.implementations.pytorch.tensors import to_array, to_tensor

    assume(judging(implementation, case.dtype, case.device) == DTYPES_OWN)
    weights = cotangents(case)
    near, far = _difference(case, weights, STEP), _difference(case, weights, 2 * STEP)
    expected = {name: (4 * near[name] - far[name]) / 3 for name in near}
    module = differentiated(implementation, case)
    names, leaves = zip(*module.leaves.items(), strict=True)
    loss = module.loss(weights)
    directions = {
        f"v_{name}": to_tensor(_direction(leaf.shape), case.device)
        for name, leaf in module.leaves.items()
    }
    noted = note(
        "{leaves} = {leaf}\n"
        "{first} = torch.autograd.grad({loss}, {leaves}, create_graph=True)\n"
        "{slope} = sum((a * b).sum() for a, b in zip({first}, {directions}.values()))\n"
        "{second} = torch.autograd.grad({slope}, {leaves})",
        new=("leaves", "first", "slope", "second"),
        leaf=tuple(leaves),
        loss=loss,
        directions=directions,
    )
    with blamed():
        first = torch.autograd.grad(loss, leaves, create_graph=True)
    directional = torch.stack(
        [
            (gradient * direction).sum()
            for gradient, direction in zip(first, directions.values(), strict=True)
        ]
    ).sum()
    with blamed():
        second = torch.autograd.grad(directional, leaves)
    noted.gave(leaves, first, directional, second)
    for index, gradient in enumerate(second):
        bind(gradient, second, f"[{index}]")
    scale = max(float(np.abs(array).max(initial=0)) for array in expected.values())
    return max(
        close(
            f"second derivative by {name}",
            to_array(tensor, name),
            expected[name],
            np.abs(expected[name] - near[name]).astype(np.float64) + 1e-9 * max(1.0, scale),
            quantity=Quantity.OTHER,
        )
        for name, tensor in zip(names, second, strict=True)
    )


def _direction(shape: tuple[int, ...]) -> Array:
    pattern: Array = (1 - np.arange(np.prod(shape, dtype=int)) * 3 % 5 / 2).reshape(shape)
    return pattern


def _difference(case: Case, weights: Result, step: float) -> dict[str, Array]:
    """Compute the central difference of the true gradients along :func:`_direction`."""
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
    applies=_differentiable_twice,
    **{**CASES, "share_of_cases": 0.2, "hidden_size": (1, 4), "seq_len": (1, 5)},
    dtypes=["float32"],
    should=True,
)
def float32_has_second_derivatives(implementation: TorchModule, case: Case) -> None:
    """Second derivatives in float32 can be computed and are finite."""
    import torch

    module = differentiated(implementation, case)
    leaves = list(module.leaves.values())
    loss = module.loss(cotangents(case))
    note(
        "{first} = torch.autograd.grad({loss}, {leaves}, create_graph=True)\n"
        "sum(each.square().sum() for each in {first}).backward()",
        new=("first",),
        loss=loss,
        leaves=tuple(leaves),
    )
    with blamed():
        first = torch.autograd.grad(loss, leaves, create_graph=True)
        squares = torch.stack([each.square().sum() for each in first])
        squares.sum().backward()  # type: ignore[no-untyped-call]
    for name, leaf in module.leaves.items():
        if leaf.grad is not None and not bool(torch.isfinite(leaf.grad).all()):
            finite = "{it}.grad is None or bool({it}.grad.isfinite().all())"
            shown = unequal(finite, True, it=leaf)
            what = f"second derivative by {name}"
            raise Mismatch(what, "", "not finite", "finite", ending=shown)
