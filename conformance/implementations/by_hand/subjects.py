"""What is called and holds the parameters: a torch module, any other object, or a function."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.failures import NoResult
from reference import Array, DType


def subject(holder: Any, dtype: DType, device: str = "cpu", tensors: bool = False) -> Subject:
    """Wrap `holder`, an instance of a user's class or a function, for use with arrays of `dtype`.

    - `device`: where the tensors of a torch module or function are;
    - `tensors`: whether a function computes with torch tensors, which its arguments do not show.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(holder, torch.nn.Module):
        return TorchSubject(holder, dtype, device)
    if tensors or any(_is_tensor(value) for value in _attributes(holder).values()):
        return Tensors(holder, device)
    return Subject(holder)


class Subject:
    """An object whose parameters are NumPy arrays, as attributes or in dicts that are attributes.

    A parameter has the name ``W`` as an attribute and ``params.W`` in a dict. A function has no
    parameters here: they are passed as arguments.
    """

    stack: Any = staticmethod(np.stack)

    def __init__(self, holder: Any) -> None:
        self.holder = holder

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, by name."""
        return {name: tuple(value.shape) for name, value in _attributes(self.holder).items()}

    def fill(self, name: str, array: Array) -> None:
        """Set the parameter `name` to `array`, whose shape may lack axes of 1.

        Raises :class:`UsageError` if there is no such parameter, or if it has another shape.
        """
        self._put(name, self.given(fitted(name, array, tuple(self.leaf(name).shape))))

    def leaf(self, name: str) -> Any:
        """Return the parameter `name` itself. Raises :class:`UsageError` if there is none."""
        shapes = self.shapes()
        if name not in shapes:
            known = ", ".join(shapes) or "none"
            raise UsageError(f"{name} is not a parameter; the parameters are {known}")
        return self._reached(name)

    def _reached(self, name: str) -> Any:
        return _attributes(self.holder)[name]

    def _put(self, name: str, new: Any) -> None:
        owner, _, last = name.rpartition(".")
        if owner:
            getattr(self.holder, owner)[last] = new
        else:
            setattr(self.holder, last, new)

    def submodule(self, name: str) -> Any:
        """Return the submodule `name`. Raises :class:`UsageError` if there is none."""
        raise UsageError(f"{name}(...): only a torch module has submodules")

    def given(self, array: Array) -> Any:
        """Copy `array` to the type that the holder computes with."""
        return array.copy()

    def taken(self, value: Any, what: str) -> Array:
        """Convert a result, called `what`, to a NumPy array.

        Raises :class:`NoResult` if the result is of another type than the holder computes with.
        """
        if not isinstance(value, np.ndarray):
            raise NoResult(f"{what} is a {type(value).__name__}, not an array")
        return value

    def called(
        self, method: str, given: list[Any], named: dict[str, Any], hooked: Collection[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Call the holder; returns the answer, and the inputs of the submodules in `hooked`."""
        call = getattr(self.holder, method) if method else self.holder
        return call(*given, **named), {}


class Tensors(Subject):
    """A :class:`Subject` that computes with torch tensors on `device`."""

    def __init__(self, holder: Any, device: str) -> None:
        import torch

        super().__init__(holder)
        self.stack = torch.stack
        self.device = device

    def given(self, array: Array) -> Any:
        """Copy `array` to a tensor."""
        from conformance.implementations.pytorch.tensors import to_tensor

        return to_tensor(array, self.device)

    def taken(self, value: Any, what: str) -> Array:
        """Convert a result, called `what`; raises :class:`NoResult` if it is not a tensor."""
        from conformance.implementations.pytorch.tensors import to_array

        return to_array(value, what)


class TorchSubject(Tensors):
    """A torch module, in eval mode. Tensors that are plain attributes count as parameters."""

    def __init__(self, module: Any, dtype: DType, device: str) -> None:
        from conformance.implementations.pytorch.tensors import TORCH_DTYPES

        super().__init__(module.to(device, TORCH_DTYPES[dtype.name]).eval(), device)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, buffer and tensor attribute, by name."""
        named = [*self.holder.named_parameters(), *self.holder.named_buffers()]
        for prefix, module in self.holder.named_modules():
            start = f"{prefix}." if prefix else ""
            named += [(start + key, value) for key, value in vars(module).items()]
        return {name: tuple(value.shape) for name, value in named if _is_tensor(value)}

    def _reached(self, name: str) -> Any:
        owner, _, last = name.rpartition(".")
        return getattr(self.holder.get_submodule(owner), last)

    def _put(self, name: str, new: Any) -> None:
        import torch

        old = self._reached(name)
        if isinstance(old, torch.nn.Parameter):
            with torch.no_grad():
                old.copy_(new)
        else:
            owner, _, last = name.rpartition(".")
            setattr(self.holder.get_submodule(owner), last, new)

    def submodule(self, name: str) -> Any:
        """Return the submodule `name`. Raises :class:`UsageError` if there is none."""
        try:
            return self.holder.get_submodule(name)
        except AttributeError:
            raise UsageError(f"there is no submodule {name!r}") from None

    def called(
        self, method: str, given: list[Any], named: dict[str, Any], hooked: Collection[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Call as :meth:`Subject.called` does; forward pre-hooks take the inputs of submodules."""
        inputs: dict[str, Any] = {}

        def hook(name: str) -> Any:
            return lambda _, arguments: inputs.update({name: arguments[0]})

        with contextlib.ExitStack() as hooks:
            for name in hooked:
                handle = self.submodule(name).register_forward_pre_hook(hook(name))
                hooks.callback(handle.remove)
            answer, _ = super().called(method, given, named)
        return answer, inputs


def fitted(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """Reshape `array` to `shape`, which may have axes of 1 in other places, as a bias (1, n) has.

    Raises :class:`UsageError`, about the parameter `name`, for any other difference.
    """
    if [size for size in shape if size != 1] != [size for size in array.shape if size != 1]:
        raise UsageError(f"{name} has shape {shape}, but the shape {array.shape} is expected")
    return array.reshape(shape)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.is_tensor(value) and value.is_floating_point()


def _attributes(holder: Any) -> dict[str, Any]:
    """Find the floating-point arrays and tensors in the attributes of `holder`, and in dicts there.

    Dicts within dicts are not searched.
    """

    def found(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            array = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim
            if array or _is_tensor(value):
                yield f"{prefix}{name}", value
            elif isinstance(value, dict) and not prefix:
                yield from found(value, f"{name}.")

    return dict(found(getattr(holder, "__dict__", {}), ""))
