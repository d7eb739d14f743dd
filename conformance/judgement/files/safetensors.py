"""The safetensors format: a header in JSON, and the numbers of all tensors after it.

Source: the format's own page, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np

from conformance.errors import UsageError
from reference import Array

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}
"""The types that are read, by their names in the format; tensors of others are left out."""


def read(path: Path) -> dict[str, Array]:
    """Read every tensor of a file, by name.

    Raises :class:`UsageError` for a file that is cut short or damaged, and names the tensor.
    """
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + size])
        entries = {name: header[name] for name in header if name != "__metadata__"}
    except (ValueError, TypeError):
        raise UsageError(f"{path} is damaged: its header is not JSON of {size} bytes") from None
    data = content[8 + size :]
    found = {}
    for name, entry in entries.items():
        try:
            dtype, shape = DTYPES.get(entry["dtype"]), tuple(map(int, entry["shape"]))
            start, stop = map(int, entry["data_offsets"])
        except (KeyError, TypeError, ValueError):
            raise UsageError(f"{path} is damaged: {name} has no type, shape and place") from None
        if dtype is None:
            continue
        if not 0 <= start <= stop <= len(data):
            raise UsageError(f"{path} is cut short: the numbers of {name} are not in it")
        if (
            stop - start != dtype.itemsize * int(np.prod(shape, dtype=object))
            or min(shape, default=0) < 0
        ):
            raise UsageError(f"{path} is damaged: {name} has {stop - start} bytes for {shape}")
        found[name] = np.frombuffer(data[start:stop], dtype).reshape(shape)
    return found
