"""PyTorch's archives: checkpoints, whole modules and TorchScript programs, read as data.

An archive is a zip file. ``data.pkl`` in it describes objects, and ``data/0``, ``data/1`` ... hold
the numbers of tensors. Of the description only tensors and containers are made. Every class that it
names is replaced by :class:`Inert`, which keeps what it is given and does nothing. So no code of
the file, and none that the file names, is executed.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import ml_dtypes
import numpy as np

from reference import Array

STORAGES = {
    "DoubleStorage": np.dtype("f8"),
    "FloatStorage": np.dtype("f4"),
    "HalfStorage": np.dtype("f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("i8"),
    "IntStorage": np.dtype("i4"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
}
"""The types of numbers that are read, by PyTorch's names; tensors of others are left out."""


class Inert:
    """What stands for an object of any class: its state, and nothing that the class would do."""

    held: list[Any]
    state: Any

    def __new__(cls, *arguments: Any) -> Inert:
        """Keep the arguments of a constructor or of a function."""
        made = super().__new__(cls)
        made.held, made.state = list(arguments), {}
        return made

    def __init__(self, *arguments: Any) -> None:
        """Do nothing: :meth:`__new__` has kept the arguments."""

    def __setstate__(self, state: Any) -> None:
        """Keep the state."""
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.held.append({key: value} if isinstance(key, str) else value)

    def append(self, value: Any) -> None:
        """Keep an element."""
        self.held.append(value)

    def extend(self, values: Any) -> None:
        """Keep elements."""
        self.held.extend(values)


class Kind(NamedTuple):
    """A type of numbers, which stands for the class of a storage."""

    dtype: np.dtype[Any] | None


class _Reader(pickle.Unpickler):
    """Makes the objects of a ``data.pkl``, each class replaced."""

    def __init__(self, archive: zipfile.ZipFile, name: str, content: IO[bytes]) -> None:
        super().__init__(content)
        self.archive = archive
        self.folder = name.removesuffix("data.pkl")
        names = archive.namelist()
        order = f"{self.folder}byteorder"
        big = order in names and archive.read(order) == b"big"
        self.order: Literal[">", "<"] = ">" if big else "<"

    def find_class(self, module: str, name: str) -> Any:
        """Replace a class or function: only those that make tensors are known."""
        if module == "torch" and name.endswith("Storage"):
            return Kind(STORAGES.get(name))
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch.jit._pickle" or name == "_rebuild_parameter":
            return _first
        return Inert

    def persistent_load(self, pid: Any) -> Array | None:
        """Read the numbers of a storage: ``("storage", kind, key, device, size)``."""
        _, kind, key, _, size = pid
        if not isinstance(kind, Kind) or kind.dtype is None:
            return None
        content = self.archive.read(f"{self.folder}data/{key}")
        if len(content) < size * kind.dtype.itemsize:
            raise ValueError(f"storage {key} is cut short")
        return np.frombuffer(content, kind.dtype.newbyteorder(self.order), size)


def _tensor(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> Array | None:
    """Make a tensor of a storage; None if the numbers of the storage are not read."""
    if not isinstance(storage, np.ndarray):
        return None
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 in shape:
        return np.zeros(shape, storage.dtype)
    if min(offset, *strides, 0) < 0 or last >= storage.size:
        raise ValueError(f"a tensor of shape {tuple(shape)} is larger than its storage")
    bytes_apart = [step * storage.itemsize for step in strides]
    view = np.lib.stride_tricks.as_strided(storage[offset:], shape, bytes_apart)
    return np.array(view, storage.dtype.newbyteorder("="))


def _first(value: Any, *_: Any) -> Any:
    return value


def read(path: Path) -> dict[str, Array]:
    """Read every tensor of an archive, by the names that lead to it, joined by dots.

    Names of the attributes in which a module keeps parameters and submodules are left out, so that
    a whole module gives the names of its ``state_dict``. A damaged archive can raise anything.
    """
    with zipfile.ZipFile(path) as archive:
        name = next(each for each in archive.namelist() if each.endswith("data.pkl"))
        with archive.open(name) as content:
            return dict(_tensors(_Reader(archive, name, content).load(), ()))


KEPT = ("_parameters", "_modules", "_buffers")
"""The attributes in which a module keeps what its ``state_dict`` has."""


def _tensors(value: Any, place: tuple[str, ...]) -> Iterator[tuple[str, Array]]:
    if isinstance(value, np.ndarray):
        yield ".".join(place), value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _tensors(each, place if key in KEPT else (*place, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from _tensors(each, (*place, str(index)))
    elif isinstance(value, Inert):
        yield from _tensors(value.state, place)
        yield from _tensors(value.held, place)
