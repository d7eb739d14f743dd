"""Arrays and tensors in the attributes of an object, in lists and dicts there, and further down."""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

DEEP = 4
"""How many lists, dicts and objects may lie around an array, each within the next one."""


JAX = ("jax", "jaxlib", "flax")
"""The packages whose arrays can be taken for those of NumPy."""


def is_tensor(value: Any) -> bool:
    """Return whether `value` is a tensor of floating-point numbers."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.is_tensor(value) and value.is_floating_point()


def is_array(value: Any) -> bool:
    """Return whether `value` is a floating-point array of NumPy, or one that JAX or Flax holds."""
    if type(value).__module__.partition(".")[0] in JAX:
        return hasattr(value, "shape") and value.dtype.kind == "f" and value.ndim > 0
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0


def arrays_held(holder: Any) -> dict[str, Any]:
    """Find the floating-point arrays and tensors that `holder` has, by name.

    A name is a path: ``W``, ``params.W`` in a dict or in an object that is an attribute, and
    ``layers.0.W`` in a list or a tuple.
    """
    return arrays_in(vars(holder) if hasattr(holder, "__dict__") else {})


def arrays_in(values: MutableMapping[Any, Any]) -> dict[str, Any]:
    """Find the floating-point arrays and tensors in `values`, as :func:`arrays_held` does."""
    return dict(_found(values, "", ()))


def _found(values: MutableMapping[Any, Any], prefix: str, above: tuple[int, ...]) -> Iterator[Any]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        if is_array(value) or is_tensor(value):
            yield path, value
        elif len(above) < DEEP and id(value) not in above:
            yield from _found(inside(value), f"{path}.", (*above, id(value)))


def inside(value: Any) -> MutableMapping[Any, Any]:
    """Return what a dict, a list or an object of a class in Python has, by key, index or name."""
    if isinstance(value, MutableMapping):
        return value
    if isinstance(value, (list, tuple)):
        return dict(enumerate(value))
    ours = hasattr(value, "__dict__") and not isinstance(value, type)
    ours &= not callable(value) or _of_jax(value)
    torch = sys.modules.get("torch")
    registered = torch is not None and isinstance(value, torch.nn.Module)
    written = ours and type(value).__module__ != "builtins"
    return vars(value) if written and not registered else {}


def _of_jax(value: Any) -> bool:
    """Return whether `value` is a module of Equinox or of Flax, which can be called."""
    roots = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    return bool(roots & {"equinox", "flax"})


def reached(holder: Any, path: str) -> Any:
    """Return what `holder` has at the end of `path`."""
    for piece in filter(None, path.split(".")):
        holder = _step(holder, piece)
    return holder


def _step(holder: Any, piece: str) -> Any:
    if isinstance(holder, MutableMapping):
        return holder[_key(holder, piece)]
    counted = isinstance(holder, (list, tuple)) or is_array(holder) or is_tensor(holder)
    return holder[int(piece)] if counted and piece.isdigit() else getattr(holder, piece)


def put(holder: Any, path: str, new: Any) -> None:
    """Set what `holder` has at the end of `path` to `new`."""
    before, _, last = path.rpartition(".")
    owner = reached(holder, before)
    old = reached(owner, last)
    if type(old).__module__.partition(".")[0] in JAX:
        import jax.numpy as jnp

        new = jnp.asarray(new)
    if hasattr(old, "set_value"):  # a variable of Flax
        old.set_value(new)
    elif _of_jax(owner):  # which may be frozen
        object.__setattr__(owner, last, new)
    elif isinstance(owner, MutableMapping):
        owner[_key(owner, last)] = new
    elif isinstance(owner, list):
        owner[int(last)] = new
    elif isinstance(owner, tuple) and last.isdigit():
        parts = [new if n == int(last) else each for n, each in enumerate(owner)]
        put(holder, before, type(owner)(*parts) if hasattr(owner, "_fields") else tuple(parts))
    elif is_tensor(owner) and owner.dtype == new.dtype:
        owner.detach()[int(last)] = new
    elif is_array(owner) or is_tensor(owner):
        put(holder, before, _with(owner, int(last), new))
    else:
        setattr(owner, last, new)


def _with(whole: Any, nth: int, new: Any) -> Any:
    """Return an array or tensor with `new` as its n-th part, in the dtype of `new`."""
    if is_tensor(whole):
        changed = whole.detach().to(new.dtype, copy=True)
    else:
        changed = np.array(whole, new.dtype)
        new = np.asarray(new)
    changed[nth] = new
    return changed


def _key(mapping: MutableMapping[Any, Any], piece: str) -> Any:
    return next(key for key in mapping if str(key) == piece)
