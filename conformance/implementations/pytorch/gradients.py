"""Gradients of a torch module, by autograd."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import nn

from conformance.implementations.failures import NoResult, WrongAttribute, blamed
from conformance.implementations.implementation import documented_shapes
from conformance.implementations.pytorch.tensors import inputs, to_array, to_tensor
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import untrue
from conformance.recording.noting import bind, note
from reference import RESULTS, Array, Case, Result


class Differentiated:
    """A module for `case`, and its leaves: input, initial states and parameters.

    The leaves require gradients, except for those named in `frozen`, and have none yet. The module
    is in train mode, or in eval mode if not `train`; it is built unless one is given. `given` are
    the arguments, by name, which are leaves too. `answer` is what the last call returned: output,
    h_n and c_n.
    """

    answer: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    def __init__(
        self,
        implementation: TorchModule,
        case: Case,
        *,
        train: bool = True,
        frozen: Collection[str] = (),
        module: nn.Module | None = None,
    ) -> None:
        self.implementation = implementation
        self.case = case
        self.module = (implementation.build(case) if module is None else module).train(train)
        self.given = inputs(case)
        self.leaves = {**self.given, **implementation.parameters(self.module, case)}
        for name, leaf in self.leaves.items():
            if leaf.requires_grad != (name not in frozen):
                stem = "x" if name == "input" else name
                operand: dict[str, Any] = {stem: leaf}
                note(f"{{{stem}}}.requires_grad_({name not in frozen})", **operand)
            leaf.requires_grad_(name not in frozen)
        self.reset()

    def reset(self) -> None:
        """Take the gradient from every leaf that has one."""
        for leaf in self.leaves.values():
            if leaf.grad is not None:
                note("{leaf}.grad = None", leaf=leaf)
                leaf.grad = None

    def expand(self, name: str, axis: int) -> None:
        """Give as the argument `name` the first part of that leaf along `axis`, expanded to all."""
        leaf = self.leaves[name]
        text = f"{{expanded}} = {{leaf}}.narrow({axis}, 0, 1).expand_as({{leaf}})"
        made = note(text, new=("expanded",), leaf=leaf)
        self.given[name] = leaf.narrow(axis, 0, 1).expand_as(leaf)
        made.gave(self.given[name])

    def results(self, of: Collection[str] = RESULTS) -> dict[str, torch.Tensor]:
        """Call the module; returns those of its results that are named in `of`.

        Raises :class:`NoResult` for a result that does not require gradients.
        """
        given = self.given
        states = (given["h_0"], given["c_0"]) if "h_0" in given else None
        self.answer = self.implementation.call_with(self.module, self.case, given["input"], states)
        pairs = zip(RESULTS, self.answer, strict=True)
        results: dict[str, Any] = {name: result for name, result in pairs if name in of}
        shapes = documented_shapes(self.case)
        for name, result in results.items():
            if result.grad_fn is None:
                message = f"{name} does not require gradients"
                raise NoResult(message, untrue("{it}.grad_fn is not None", message, it=result))
            if tuple(result.shape) != shapes[name]:
                raise WrongAttribute(name, "shape", tuple(result.shape), shapes[name], result)
        return results

    def loss(self, cotangents: Result, of: Collection[str] = RESULTS) -> torch.Tensor:
        """Call the module and sum the results named in `of`, each times its cotangent."""
        results = self.results(of)
        cotangent = dict(cotangents.items())
        weights = {f"d_{n}": to_tensor(cotangent[n], self.case.device) for n in results}
        operands: dict[str, Any] = {**results, **weights}
        noted = note(
            f"{{loss}} = {' + '.join(f'({{{n}}} * {{d_{n}}}).sum()' for n in results)}",
            new=("loss",),
            **operands,
        )
        with blamed():
            terms = [(result * weights[f"d_{n}"]).sum() for n, result in results.items()]
            loss = torch.stack(terms).sum()
        noted.gave(loss)
        return loss

    def backward(self, cotangents: Result, of: Collection[str] = RESULTS) -> None:
        """Compute :meth:`loss` and add its gradients to those in the leaves."""
        loss = self.loss(cotangents, of)
        note("{loss}.backward()", loss=loss)
        with blamed():
            loss.backward()  # type: ignore[no-untyped-call]

    def pull(self, cotangents: Result, of: Collection[str] = RESULTS) -> None:
        """Call the module and pass the cotangents, with the strides that they have, to autograd."""
        results = self.results(of)
        arrays = dict(cotangents.items())
        weights = tuple(to_tensor(arrays[name], self.case.device) for name in results)
        given = tuple(results.values())
        note("torch.autograd.backward({results}, {weights})", results=given, weights=weights)
        with blamed():
            torch.autograd.backward(given, weights)

    def output(self) -> Array:
        """Read the output of the last call."""
        return to_array(self.answer[0], "output")

    def gradients(self) -> dict[str, Array]:
        """Read the gradient in each leaf that is not frozen; it is zero if there is none."""
        found = {}
        for name, leaf in self.leaves.items():
            if leaf.requires_grad:
                gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
                bind(gradient, leaf, ".grad")
                found[name] = to_array(gradient, f"gradient of {name}")
        return found


def backward(
    implementation: TorchModule,
    case: Case,
    cotangents: Result,
    of: Collection[str] = RESULTS,
    *,
    train: bool = True,
) -> dict[str, Array]:
    """Compute the gradients of the sum of the results named in `of` times their cotangents.

    Returns them by the names of the leaves; see :class:`Differentiated`.
    """
    differentiated = Differentiated(implementation, case, train=train)
    differentiated.backward(cotangents, of)
    return differentiated.gradients()
