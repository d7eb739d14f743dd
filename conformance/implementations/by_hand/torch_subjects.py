"""What is called and computes with torch tensors: a module, another object, or a function."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from conformance.errors import UsageError
from conformance.implementations.by_hand.held import arrays_held, arrays_in, is_tensor
from conformance.implementations.by_hand.subjects import Subject
from conformance.implementations.failures import NoResult
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, to_array, to_tensor
from reference import Array, DType

DRAWS = ("uniform_", "normal_", "randn", "rand", "rand_like", "randn_like", "normal", "uniform")
"""The names of the functions of torch that make random tensors, or fill a tensor."""


class _Drawing(TorchFunctionMode):
    """Replaces random tensors by `values` in order; without any, notes their shapes only.

    A value that needs a gradient, and the tensor that is filled with it, go to `pairs`.
    """

    def __init__(
        self, values: Sequence[Any] | None, shapes: list[Any], pairs: list[tuple[Any, Any]]
    ) -> None:
        super().__init__()
        self.values = None if values is None else iter(values)
        self.shapes = shapes
        self.pairs = pairs

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        drawn = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") not in DRAWS:
            return drawn
        self.shapes.append(tuple(drawn.shape))
        if self.values is None:
            return drawn
        wanted = next(self.values, None)
        if wanted is None or (wanted.shape, wanted.dtype) != (drawn.shape, drawn.dtype):
            made = f"{drawn.dtype} {tuple(drawn.shape)}"
            raise NoResult(f"a random tensor {made} is made, which draws=... does not have")
        if not func.__name__.endswith("_"):
            return wanted
        with torch.no_grad():
            drawn.copy_(wanted)
        if wanted.requires_grad:
            self.pairs.append((wanted, drawn.requires_grad_()))
        return drawn


ONE_HOT = "one_hot"
"""What stands for ``torch.nn.functional.one_hot`` where an embedding is named."""


class _OneHot(TorchFunctionMode):
    """Puts `rows` in place of the one-hot vectors of tokens, of which each is the number of one."""

    def __init__(self, rows: Any) -> None:
        super().__init__()
        self.rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") == ONE_HOT:
            return self.rows[args[0]]
        return func(*args, **(kwargs or {}))


class Tensors(Subject):
    """A :class:`Subject` that computes with torch tensors of `dtype` on `device`."""

    differentiable = True

    def __init__(self, holder: Any, dtype: DType, device: str) -> None:
        super().__init__(holder)
        self.device = device
        self._pairs: list[tuple[Any, Any]] = []

    def stack(self, arrays: Sequence[Any], axis: int = 0) -> Any:
        """Join tensors along a new axis."""
        return torch.stack(list(arrays), axis)

    def cat(self, arrays: Sequence[Any]) -> Any:
        """Join tensors along their last axis."""
        return torch.cat(list(arrays), -1)

    def given(self, array: Array) -> Any:
        """Copy `array` to a tensor."""
        if array.dtype.kind == "i":
            return torch.from_numpy(array.copy()).to(self.device)
        return to_tensor(array, self.device)

    def taken(self, value: Any, what: str) -> Array:
        """Convert a result, called `what`; raises :class:`NoResult` if it is not a tensor."""
        return to_array(value, what)

    def _held(self) -> dict[str, Any]:
        """Find the tensors of floating-point numbers that the holder has, by name."""
        return {name: value for name, value in arrays_held(self.holder).items() if is_tensor(value)}

    def parameters(self) -> list[str]:
        """List what may be a parameter as :meth:`Subject.parameters` does."""
        held, kind = self._held(), torch.nn.Parameter
        of = [name for name, v in held.items() if v.requires_grad or isinstance(v, kind)]
        return of or [*held]

    def replace(self, name: str, array: Array) -> None:
        """Set a parameter as :meth:`Subject.replace` does, on its device."""
        self._put(name, torch.from_numpy(array).to(self.leaf(name)))

    @contextlib.contextmanager
    def drawing(self, values: Sequence[Any] | None) -> Iterator[list[Any]]:
        """Replace random tensors as :meth:`Subject.drawing` does; raises :class:`NoResult`.

        The error is raised where a tensor has another shape or dtype than the value for it.
        """
        shapes: list[Any] = []
        with _Drawing(values, shapes, self._pairs):
            yield shapes

    def backward(self, loss: Any) -> None:
        """Compute gradients of `loss`, also by what random tensors were replaced by."""
        loss.backward()
        for value, drawn in self._pairs:
            if drawn.grad is not None:
                value.backward(drawn.grad)


class TorchSubject(Tensors):
    """A torch module, in eval mode. Tensors that are plain attributes count as parameters."""

    registered = True
    rows: Any = None

    def __init__(self, module: Any, dtype: DType, device: str) -> None:
        super().__init__(module.to(device, TORCH_DTYPES[dtype.name]).eval(), dtype, device)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, buffer and tensor attribute, by name."""
        return {name: tuple(value.shape) for name, value in self._held().items()}

    def _held(self) -> dict[str, Any]:
        """Find tensors as :meth:`Tensors._held` does, but those that get a shape in a call."""
        named = [*self.holder.named_parameters(), *self.holder.named_buffers()]
        for prefix, module in self.holder.named_modules():
            start = f"{prefix}." if prefix else ""
            public = {key: value for key, value in vars(module).items() if key[0] != "_"}
            named += [(start + key, value) for key, value in arrays_in(public).items()]
        lazy = torch.nn.parameter.is_lazy
        return {name: value for name, value in named if is_tensor(value) and not lazy(value)}

    def shared(self) -> list[list[str]]:
        """List the names of each parameter that has several."""
        names: dict[int, list[str]] = {}
        for name, value in self.holder.named_parameters(remove_duplicate=False):
            names.setdefault(id(value), []).append(name)
        return [each for each in names.values() if len(each) > 1]

    def _put(self, name: str, new: Any) -> None:
        old = self.leaf(name)
        if isinstance(old, torch.nn.Parameter):
            if old.shape == new.shape and old.dtype == new.dtype:
                with torch.no_grad():
                    old.copy_(new)
                return
            new = torch.nn.Parameter(new)
        super()._put(name, new)

    def embed(self, name: str, x: Array) -> tuple[Any, str, int]:
        """Replace a table, or an nn.Embedding, as :meth:`Subject.embed` does, and nothing else.

        Any other submodule is replaced by one that returns its input, and :data:`ONE_HOT` by `x`.
        """
        if name == ONE_HOT:
            self.rows = self.given(x.reshape(-1, x.shape[-1]))
            return self.given(np.arange(x[..., 0].size).reshape(x.shape[:-1])), name, 0
        with contextlib.suppress(UsageError):
            return super().embed(name, x)
        module = self.submodule(name)
        if not isinstance(module, torch.nn.Embedding):
            owner, _, last = name.rpartition(".")
            setattr(self.submodule(owner), last, torch.nn.Identity())
            return self.given(x), "", 0
        # the row of the padding has no gradient, so that it must not be one of the tokens
        first = 0 if module.padding_idx is None else module.padding_idx + 1
        rows = x.reshape(-1, x.shape[-1])
        table = np.concatenate([np.zeros((first, rows.shape[1]), x.dtype), rows])
        module.weight = torch.nn.Parameter(self.given(table))
        tokens = first + np.arange(len(rows)).reshape(x.shape[:-1])
        return self.given(tokens), f"{name}.weight", first

    def leaf(self, name: str) -> Any:
        """Return a parameter as :meth:`Subject.leaf` does, or what stands for one-hot vectors."""
        return self.rows if name == ONE_HOT else super().leaf(name)

    def submodule(self, name: str) -> Any:
        """Return the submodule `name`. Raises :class:`UsageError` if there is none."""
        try:
            return self.holder.get_submodule(name)
        except AttributeError:
            raise UsageError(f"there is no submodule {name!r}") from None

    def submodules(self, kind: str = "", **having: int) -> list[str]:
        """List the submodules as :meth:`Subject.submodules` does."""
        return [
            name
            for name, module in self.holder.named_modules()
            if name and not isinstance(module, torch.jit.ScriptModule)
            if any(kind in base.__name__ for base in type(module).__mro__)
            if all(getattr(module, key, None) == value for key, value in having.items())
        ]

    def called(
        self, method: str, given: list[Any], named: dict[str, Any], hooked: Collection[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Call as :meth:`Subject.called` does; forward pre-hooks take the inputs of submodules.

        Of several calls of a submodule the last one counts, but the first one of what has no
        parameters, such as one ReLU for all places.
        """
        inputs: dict[str, Any] = {}

        def hook(name: str) -> Any:
            def seen(of: Any, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
                if name not in inputs or any(True for _ in of.parameters()):
                    inputs[name] = next(iter((*positional, *keywords.values())), None)

            return seen

        with contextlib.ExitStack() as hooks:
            if self.rows is not None:
                hooks.enter_context(_OneHot(self.rows))
            for name in hooked:
                module = self.submodule(name)
                handle = module.register_forward_pre_hook(hook(name), with_kwargs=True)
                hooks.callback(handle.remove)
            answer, _ = super().called(method, given, named)
        return answer, inputs
