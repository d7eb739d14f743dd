"""What is called and holds the parameters: a torch module, any other object, or a function."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.by_hand.held import (
    arrays_held,
    is_array,
    is_tensor,
    put,
    reached,
)
from conformance.implementations.failures import NoResult
from reference import Array, DType

Values = dict[str, Any]
"""What is given in a call, by name."""


def subject(holder: Any, dtype: DType, device: str = "cpu", tensors: bool = False) -> Subject:
    """Wrap `holder`, an instance of a user's class or a function, for use with arrays of `dtype`.

    - `device`: where the tensors of a torch module or function are;
    - `tensors`: whether a function computes with torch tensors, which its arguments do not show.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(holder, torch.nn.Module):
        from conformance.implementations.by_hand.torch_subjects import TorchSubject

        return TorchSubject(holder, dtype, device)
    if tensors or any(is_tensor(value) for value in arrays_held(holder).values()):
        from conformance.implementations.by_hand.torch_subjects import Tensors

        return Tensors(holder, dtype, device)
    from conformance.implementations.by_hand.lists import Lists, lists_held

    if not arrays_held(holder) and lists_held(holder):
        return Lists(holder)
    return Subject(holder)


class Subject:
    """An object that holds parameters in NumPy arrays; :mod:`.held` describes their names.

    A function has no parameters here: they are passed as arguments. `differentiable` is whether
    gradients can be computed, `registered` whether the object is a torch module.
    """

    differentiable = registered = False

    def __init__(self, holder: Any) -> None:
        self.holder = holder

    @property
    def classes(self) -> list[type[Any]]:
        """The classes of the holder and of its submodules, but those of torch itself."""
        modules = getattr(self.holder, "modules", lambda: [self.holder])()
        own = dict.fromkeys(map(type, modules))
        return [each for each in own if not each.__module__.startswith("torch.")]

    def stack(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        """Join arrays along a new axis."""
        return np.stack(arrays, axis)

    def cat(self, arrays: Sequence[Any]) -> Any:
        """Join arrays along their last axis."""
        return np.concatenate(arrays, -1)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, by name."""
        return {name: tuple(value.shape) for name, value in arrays_held(self.holder).items()}

    def parameters(self) -> list[str]:
        """List the names of what may be a parameter: of tensors those that need a gradient, if any.

        An array of NumPy may as well be a state.
        """
        return [*self.shapes()]

    def shared(self) -> list[list[str]]:
        """List the names of each parameter of a torch module that has several."""
        return []

    def fill(self, name: str, array: Array) -> None:
        """Set the parameter `name` to `array`, whose shape may lack axes of 1.

        Raises :class:`UsageError` if there is no such parameter, or if it has another shape.
        """
        self._put(name, self.given(fitted(name, array, tuple(self.leaf(name).shape))))

    def leaf(self, name: str) -> Any:
        """Return the parameter `name` itself. Raises :class:`UsageError` if there is none."""
        found = None
        with contextlib.suppress(AttributeError, LookupError, StopIteration, TypeError, ValueError):
            found = reached(self.holder, name)
        if is_array(found) or is_tensor(found):
            return found
        known = ", ".join(self.shapes()) or "none"
        raise UsageError(f"{name} is not a parameter; the parameters are {known}")

    def whole(self, name: str) -> Any:
        """Return the parameter `name`, or the tensor that it is a part of."""
        found = self.leaf(name)
        owner = reached(self.holder, name.rpartition(".")[0])
        return owner if is_tensor(owner) else found

    def _put(self, name: str, new: Any) -> None:
        put(self.holder, name, new)

    def replace(self, name: str, array: Array) -> None:
        """Set the parameter `name` to `array`, in the dtype that the parameter has."""
        self._put(name, array.astype(self.leaf(name).dtype))

    def embed(self, name: str, x: Array) -> tuple[Any, str, int]:
        """Make the table of embeddings, the parameter `name`, give the rows of `x` (..., features).

        Returns what to give in place of `x`, which is token ids (...), and where `x` is now: the
        name of a parameter, and its first row.
        """
        self.leaf(name)
        self._put(name, self.given(x.reshape(-1, x.shape[-1])))
        return self.given(np.arange(x[..., 0].size).reshape(x.shape[:-1])), name, 0

    def submodule(self, name: str) -> Any:
        """Return the submodule `name`. Raises :class:`UsageError` if there is none."""
        raise UsageError(f"{name}(...): only a torch module has submodules")

    def submodules(self, kind: str = "", **having: int) -> list[str]:
        """List the submodules of a torch module, but those of TorchScript.

        With `kind` only those whose class, or one of its bases, has this in its name, and which
        have these attributes.
        """
        return []

    def drawing(self, values: Sequence[Any] | None) -> contextlib.AbstractContextManager[list[Any]]:
        """Make a context in which random tensors are `values`, in the order in which they are made.

        Without `values` nothing is replaced. The context gives a list of the shapes made so far.
        """
        if values:
            raise UsageError("draws=...: random numbers are replaced in torch tensors only")
        return contextlib.nullcontext([])

    def backward(self, loss: Any) -> None:
        """Compute gradients of `loss`; raises :class:`UsageError` unless it is a tensor."""
        raise UsageError("gradients are computed of torch tensors only")

    def given(self, array: Array) -> Any:
        """Copy `array` to the type that the holder computes with."""
        return array.copy()

    def constants(self, names: Collection[str], size: int, columns: bool, of: Any) -> Values:
        """Make those of `names` in :data:`MADE`, for `size` units and the NumPy dtype `of`."""
        shape = (size, 1) if columns else (size,)
        made = {"eye": np.eye(size, dtype=of), "zeros": np.zeros(shape, of)}
        return {name: self.given(array) for name, array in made.items() if name in names}

    def taken(self, value: Any, what: str) -> Array:
        """Convert a result, called `what`, to a NumPy array.

        Raises :class:`NoResult` if the result is of a type that NumPy does not take for an array.
        """
        torch = sys.modules.get("torch")
        tensor = torch is not None and torch.is_tensor(value)
        if tensor or isinstance(value, np.generic) or not hasattr(value, "__array__"):
            raise NoResult(f"{what} is a {type(value).__name__}, not an array")
        return np.asarray(value)

    def called(
        self, method: str, given: list[Any], named: dict[str, Any], hooked: Collection[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Call the holder; returns the answer, and the inputs of the submodules in `hooked`.

        What a generator yields is a list, and so is a dict of steps.
        """
        call = getattr(self.holder, method) if method else self.holder
        return _listed(call(*given, **named)), {}


def _listed(answer: Any) -> Any:
    """Return `answer` with a list in place of a generator, or of a dict of steps by their number.

    These may be in a tuple or another dict. The state before the first step, which a dict of steps
    can have at -1, is left out.
    """
    if inspect.isgenerator(answer):
        return list(answer)
    if isinstance(answer, dict) and 0 in answer and all(isinstance(key, int) for key in answer):
        return [answer[key] for key in sorted(answer) if key >= 0]
    if isinstance(answer, dict):
        return {key: _listed(value) for key, value in answer.items()}
    return tuple(map(_listed, answer)) if type(answer) is tuple else answer


def fitted(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """Reshape `array` to `shape`.

    That may have axes of 1 in other places, as a bias (1, n) has, and the gates on an axis of their
    own, as weights (4, n, m) have. Raises :class:`UsageError`, about the parameter `name`, for any
    other difference.
    """
    own, wanted = ([size for size in each if size != 1] for each in (shape, array.shape))
    gates = [n for n, size in enumerate(shape[:-1]) if size == 4]
    apart = [[*shape[:n], 4 * shape[n + 1], *shape[n + 2 :]] for n in gates]
    if own != wanted and wanted not in [[size for size in each if size != 1] for each in apart]:
        raise UsageError(f"{name} has shape {shape}, but the shape {array.shape} is expected")
    return array.reshape(shape)
