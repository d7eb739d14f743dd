"""A torch module that is called in another way than by position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from conformance.recording.noting import note


class Wrapped(torch.nn.Module):
    """What stands in for a module in a call: `called` gets the module and the arguments."""

    def __init__(self, module: torch.nn.Module, called: Callable[..., Any]) -> None:
        super().__init__()
        self._inner = [module]  # in a list, so that its parameters are not registered here too
        self._called = called

    @classmethod
    def of(
        cls, module: torch.nn.Module, called: Callable[..., Any], text: str, **operands: Any
    ) -> Wrapped:
        """Wrap `module`; a script writes `text`, with `module` and `operands` in its gaps."""
        made = note(f"{{changed}} = {text}", new=("changed",), module=module, **operands)
        wrapped = cls(module, called)
        made.gave(wrapped)
        return wrapped

    def forward(self, *arguments: Any) -> Any:
        """Call the module in the other way."""
        return self._called(self._inner[0], *arguments)


FORMS: dict[str, Any] = {
    "lambda x, hx: {module}(x, hx=hx)": lambda module, x, hx: module(x, hx=hx),
    "lambda x, hx: {module}(x, list(hx))": lambda module, x, hx: module(x, list(hx)),
    "lambda x, hx: {module}(x, hx=list(hx))": lambda module, x, hx: module(x, hx=list(hx)),
    "lambda x, hx: {module}(x, tuple(torch.cat([1 - s, s])[len(s):] for s in hx))": (
        lambda module, x, hx: module(x, tuple(torch.cat([1 - s, s])[len(s) :] for s in hx))
    ),
}
"""Ways to give initial states, as a script writes them."""

TWINS: dict[str, Any] = {
    "lambda x, hx: {module}(x, (hx[0], hx[0]))": lambda m, x, hx: m(x, (hx[0], hx[0]))
}
"""The way to give one tensor as both initial states."""

TRIPLETS: dict[str, Any] = {
    "lambda x, hx: {module}(hx[0], hx)": lambda module, _, hx: module(hx[0], hx),
    "lambda x, hx: {module}(hx[1], hx)": lambda module, _, hx: module(hx[1], hx),
    "lambda x, hx: {module}(hx[0], (hx[0], hx[0]))": lambda m, _, hx: m(hx[0], (hx[0], hx[0])),
}
"""Ways to give one tensor as the input and as h_0, as c_0 or as both."""

STRIDED: dict[str, Any] = {
    "lambda x, *hx: {module}(x._replace(data=x.data.repeat_interleave(2, -1)[:, ::2]), *hx)": (
        lambda module, x, *hx: module(x._replace(data=x.data.repeat_interleave(2, -1)[:, ::2]), *hx)
    ),
    "lambda x, *hx: {module}(x._replace(data=x.data.T.contiguous().T), *hx)": (
        lambda module, x, *hx: module(x._replace(data=x.data.T.contiguous().T), *hx)
    ),
}
"""Ways to lay out the data of a packed sequence: with gaps, and transposed."""
