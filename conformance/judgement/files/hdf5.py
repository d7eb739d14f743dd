"""Keras 3's ``.keras`` and ``.weights.h5`` files: weights in HDF5, layers described in JSON."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conformance.errors import UsageError, require
from reference import Array

WEIGHTS, DESCRIPTION = "model.weights.h5", "config.json"
"""The members of a ``.keras`` file, which is a zip file."""

DEFAULTS = {"activation": "tanh", "recurrent_activation": "sigmoid", "go_backwards": False}
"""The options of ``keras.layers.LSTM`` with which it is the LSTM, by their only right values."""


def read(path: Path) -> dict[str, Array]:
    """Read every array of a file, by its path with dots: ``layers.lstm.cell.vars.0``.

    Raises :class:`UsageError` if h5py is missing, or if an LSTM layer in a ``.keras`` file goes
    backwards, or has other activations. A damaged file can raise anything.
    """
    require(str(path), "weights", "h5py")
    if not zipfile.is_zipfile(path):
        return _arrays(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        description, content = json.loads(archive.read(DESCRIPTION)), archive.read(WEIGHTS)
    for layer in _layers(description):
        name = layer.get("name", "LSTM")
        for option, value in DEFAULTS.items():
            # the backward half of a Bidirectional has to go backwards
            allowed = option == "go_backwards" and name.startswith("backward_")
            if layer.get(option, value) != value and not allowed:
                raise UsageError(
                    f"{path}: {name} has {option}={layer[option]!r}, which is not the LSTM"
                )
    return _arrays(content)


def _arrays(content: bytes) -> dict[str, Array]:
    import h5py

    found: dict[str, Array] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name.replace("/", ".")] = np.asarray(item)

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(visit)
    return found


def _layers(description: Any) -> Iterator[dict[str, Any]]:
    """Yield the options of every LSTM layer, at any depth."""
    if isinstance(description, dict):
        if description.get("class_name") in ("LSTM", "LSTMCell"):
            yield description.get("config", {})
        for each in description.values():
            yield from _layers(each)
    elif isinstance(description, list):
        for each in description:
            yield from _layers(each)
