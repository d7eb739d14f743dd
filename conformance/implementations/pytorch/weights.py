"""Ways to give a torch module other weights after it was constructed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils.parametrize import register_parametrization

from conformance.implementations.failures import blamed
from conformance.implementations.pytorch.tensors import to_tensor
from conformance.implementations.pytorch.wrapped import Wrapped
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import note
from reference import Array, Case

Change = Callable[[nn.Parameter, torch.Tensor], object]


def _edit(
    text: str, change: Change, laid_out: Callable[[Array], Array] = np.asarray
) -> Callable[[TorchModule, nn.Module, Case], None]:
    """Make a way that changes one parameter after the other, as the line `text` does."""

    def way(implementation: TorchModule, module: nn.Module, target: Case) -> None:
        for name, parameter in implementation.parameters(module, target).items():
            weight = to_tensor(laid_out(target.parameters[name]), target.device)
            note(text, parameter=parameter, weight=weight)
            change(parameter, weight)

    return way


def _strided(array: Array) -> Array:
    """Lay an array out with its axes exchanged in memory, or a vector with gaps."""
    if array.ndim == 2:
        return np.ascontiguousarray(array.T).T
    return np.repeat(array, 2)[::2]


SET = "{parameter}.data = {weight}"


def _copy(parameter: nn.Parameter, weight: torch.Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(weight)


def _set_data(parameter: nn.Parameter, weight: torch.Tensor) -> None:
    parameter.data = weight


def _load(implementation: TorchModule, module: nn.Module, target: Case) -> None:
    implementation.load(module, target.parameters)


def _replace(implementation: TorchModule, module: nn.Module, target: Case) -> None:
    for name, array in target.parameters.items():
        weight = to_tensor(array, target.device)
        new = "torch.nn.Parameter({weight})"
        _set(implementation, module, name, nn.Parameter(weight), new, weight=weight)


def _set(
    implementation: TorchModule,
    module: nn.Module,
    name: str,
    parameter: nn.Parameter,
    text: str,
    **operands: Any,
) -> None:
    """Make `parameter`, written as `text` with `operands`, the parameter `name` of `module`."""
    path, _, attribute = implementation.rename(name).rpartition(".")
    owner = f".get_submodule({path!r})" if path else ""
    note(f"{{module}}{owner}.{attribute} = {text}", module=module, **operands)
    with blamed():
        setattr(module.get_submodule(path), attribute, parameter)


def _step(implementation: TorchModule, module: nn.Module, target: Case) -> None:
    """Take a step of stochastic gradient descent; `target` must have every weight negated."""
    note(
        "for parameter in {module}.parameters():\n"
        "    parameter.grad = 2 * parameter.detach()\n"
        "torch.optim.SGD({module}.parameters(), lr=1.0).step()\n"
        "{module}.zero_grad()",
        module=module,
    )
    for parameter in implementation.parameters(module, target).values():
        parameter.grad = 2 * parameter.detach()
    torch.optim.SGD(module.parameters(), lr=1.0).step()
    module.zero_grad()


WAYS: dict[str, Callable[[TorchModule, nn.Module, Case], None]] = {
    "in place": _edit("with torch.no_grad():\n    {parameter}.copy_({weight})", _copy),
    "through .data": _edit(
        "{parameter}.data.copy_({weight})", lambda each, weight: each.data.copy_(weight)
    ),
    "by an optimizer": _step,
    "by load_state_dict": _load,
    "as another .data": _edit(SET, _set_data),
    "as new parameters": _replace,
}
"""How a module gets the weights of a case in which every weight is negated, by name."""


strided = _edit(SET, _set_data, _strided)
"""Give a module the weights of a case, laid out otherwise in memory."""


def functional(implementation: TorchModule, module: nn.Module, target: Case) -> Wrapped:
    """Give what ``torch.func.functional_call`` computes with the weights of `target`."""
    weights = {
        implementation.rename(name): to_tensor(array, target.device)
        for name, array in target.parameters.items()
    }

    def called(inner: Any, *given: Any) -> Any:
        return functional_call(inner, weights, given)

    text = "lambda *given: torch.func.functional_call({module}, {weights}, given)"
    return Wrapped.of(module, called, text, weights=weights)


def negated(module: nn.Module) -> Wrapped:
    """Give what ``torch.func.functional_call`` computes with the parameters of `module` negated."""

    def called(inner: nn.Module, *given: Any) -> Any:
        return functional_call(
            inner, {name: -each for name, each in inner.named_parameters()}, given
        )

    weights = "dict((name, -each) for name, each in {module}.named_parameters())"
    text = f"lambda *given: torch.func.functional_call({{module}}, {weights}, given)"
    return Wrapped.of(module, called, text)


def rectify(implementation: TorchModule, module: nn.Module, case: Case) -> None:
    """Put every parameter under a parametrization by a ReLU."""
    for name in case.parameters:
        path, _, attribute = implementation.rename(name).rpartition(".")
        owner = f".get_submodule({path!r})" if path else ""
        register = "torch.nn.utils.parametrize.register_parametrization"
        note(f"{register}({{module}}{owner}, {attribute!r}, torch.nn.ReLU())", module=module)
        register_parametrization(module.get_submodule(path), attribute, nn.ReLU())


def negate(module: nn.Module) -> None:
    """Negate all parameters in place."""
    note("for each in {module}.parameters():\n    each.data.neg_()", module=module)
    for each in module.parameters():
        each.data.neg_()


def sharing(
    implementation: TorchModule, case: Case, first: Mapping[str, str]
) -> tuple[TorchModule, nn.Module]:
    """Build a module in which each parameter is that with the name that `first` has for its name.

    Returns the implementation as well, as it finds these parameters, of which modules list one.
    """
    module = implementation.build(case)
    own = implementation.parameters(module, case)
    shared = {name: own[first[name]] for name in own}
    for name, parameter in shared.items():
        if parameter is not own[name]:
            _set(implementation, module, name, parameter, "{shared}", shared=parameter)
    within = copy.copy(implementation)
    within.parameters = lambda *_: dict(shared)  # type: ignore[method-assign]
    return within, module
