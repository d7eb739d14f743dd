"""Gradients of a torch module by autograd."""

from __future__ import annotations

from collections.abc import Collection

import torch

from conformance.failures import Misbehaviour, Mismatch, blamed
from conformance.tensors import to_array, to_tensor
from conformance.torch_modules import TorchLSTM
from reference import Array, Case, Result

RESULTS = ("output", "h_n", "c_n")


class Differentiated:
    """One module and its leaves: input, initial states and parameters that require gradients.

    `frozen` names leaves that do not. `train` puts the module in train mode.
    """

    def __init__(
        self,
        implementation: TorchLSTM,
        case: Case,
        *,
        train: bool = True,
        frozen: Collection[str] = (),
    ) -> None:
        self.implementation = implementation
        self.case = case
        self.module = implementation.build(case).train(train)
        self.leaves: dict[str, torch.Tensor] = {}
        for name in ("input", "h_0", "c_0"):
            array = getattr(case, name)
            if array is not None:
                self.leaves[name] = to_tensor(array, case.device)
        self.leaves.update(implementation.parameters(self.module, case))
        for name, leaf in self.leaves.items():
            leaf.requires_grad_(name not in frozen)

    def loss(self, cotangents: Result, of: Collection[str] = RESULTS) -> torch.Tensor:
        """Sum of the results named in `of`, each times its cotangent, after a new call."""
        states = (self.leaves["h_0"], self.leaves["c_0"]) if "h_0" in self.leaves else None
        answer = self.implementation.call_with(self.module, self.case, self.leaves["input"], states)
        results = dict(zip(RESULTS, answer, strict=True))
        chosen = [name for name in RESULTS if name in of]
        for name in chosen:
            if results[name].grad_fn is None:
                raise Misbehaviour(f"{name} does not require gradients")
        cotangent = dict(cotangents.items())
        for name in chosen:
            got, expected = tuple(results[name].shape), cotangent[name].shape
            if got != expected:
                raise Mismatch(f"{name}.shape", "", str(got), str(expected))
        terms = [(results[n] * to_tensor(cotangent[n], self.case.device)).sum() for n in chosen]
        return torch.stack(terms).sum()

    def backward(self, cotangents: Result, of: Collection[str] = RESULTS) -> None:
        """Accumulate the gradients of :meth:`loss` in the leaves."""
        loss = self.loss(cotangents, of)
        with blamed():
            loss.backward()  # type: ignore[no-untyped-call]

    def gradients(self) -> dict[str, Array]:
        """What has been accumulated in each leaf that is not frozen; zeros where nothing has."""
        return {
            name: to_array(
                torch.zeros_like(leaf) if leaf.grad is None else leaf.grad, f"gradient of {name}"
            )
            for name, leaf in self.leaves.items()
            if leaf.requires_grad
        }


def backward(
    implementation: TorchLSTM,
    case: Case,
    cotangents: Result,
    of: Collection[str] = RESULTS,
    *,
    train: bool = True,
) -> dict[str, Array]:
    """Gradients of the loss on the results named in `of`, by the names of the leaves."""
    differentiated = Differentiated(implementation, case, train=train)
    differentiated.backward(cotangents, of)
    return differentiated.gradients()
