"""Arrays from a file of any of the known formats, by name."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from conformance.errors import UsageError
from conformance.judgement.files import archives, hdf5, safetensors
from conformance.recording.text import told
from reference import Array

LONGEST = 200
"""The longest text of an error in a message."""
FORMATS = ".npy, .npz, .safetensors, .pt, .keras, .h5 or .onnx"


@contextmanager
def refused(path: Path, what: str = "is damaged") -> Iterator[None]:
    """Raise :class:`UsageError` for whatever goes wrong inside; it says `what` of the file.

    A damaged file can make those who read it ask for anything, and raise anything.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{path} {what}: {told(error)[:LONGEST]}") from None


def is_onnx(path: Path) -> bool:
    """Whether the file is an ONNX model, which its name alone shows."""
    return path.suffix == ".onnx"


def read(path: Path) -> dict[str, Array]:
    """Read the arrays of a file, by name; the array of a ``.npy`` file has the name ``""``.

    The format is recognized by the first bytes, that of safetensors by the name. Nothing in a file
    is executed. Raises :class:`UsageError`, in one line, for a file that is missing, cut short,
    damaged, or of another format.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    with refused(path):
        if path.suffix == ".safetensors":
            return safetensors.read(path)
        if start.startswith(b"\x89HDF"):
            return hdf5.read(path)
        if start.startswith(b"PK"):
            return _from_zip(path)
        if start.startswith(b"\x93NUMPY"):
            return {"": np.load(path, allow_pickle=False)}
        if start.startswith(b"\x80") or path.suffix in (".pt", ".pth", ".ckpt"):
            return _legacy(path)
    raise UsageError(f"{path} is none of {FORMATS}, or is damaged")


def _from_zip(path: Path) -> dict[str, Array]:
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is cut short: the directory at its end is missing")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if hdf5.WEIGHTS in names:
        return hdf5.read(path)
    if any(name.endswith("data.pkl") for name in names):
        return archives.read(path)
    if not all(name.endswith(".npy") for name in names):
        raise UsageError(f"{path} is a zip file, but none of {FORMATS}")
    found: dict[str, Array] = {}
    with np.load(path, allow_pickle=False) as content:
        for name in content.files:
            with refused(path, f"is damaged: {name} cannot be read"):
                found[name] = content[name]
    return found


def _legacy(path: Path) -> dict[str, Array]:
    """Read what PyTorch wrote before 1.6, or without its zip format, through PyTorch itself."""
    import torch

    with refused(path, "cannot be read as weights only"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # older versions warn of their own types
        content = torch.load(path, map_location="cpu", weights_only=True)
    found: dict[str, Array] = {}

    def walk(value: object, place: tuple[str, ...]) -> None:
        if isinstance(value, torch.Tensor):
            from conformance.recording.arrays import numbers

            found[".".join(place)] = numbers(value)
        elif isinstance(value, dict):
            for key, each in value.items():
                walk(each, (*place, str(key)))

    walk(content, ())
    return found
