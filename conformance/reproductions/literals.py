"""Arrays as Python text that gives each number back bit for bit."""

from __future__ import annotations

import base64
import textwrap
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.recording.operands import Literal
from conformance.recording.strides import steps, storage
from reference import Array

WIDTH = 96
ONE_LINE = 64
"""The number of characters up to which a list stands on one line."""
SHORT = 30
"""The number of characters up to which parts of a list stand beside one another."""
SMALL = 128
"""The size up to which every number of an array is written out."""
FEW = 24
"""The number of nonzero numbers up to which a larger array is written as these alone."""

FILLED = '''
def filled(array, entries):
    """Put these numbers into an array or a tensor, and return it."""
    for place, number in entries.items():
        array[place] = number
    return array
'''
DECODED = '''
def decoded(text):
    """Return the bytes of an array, which are compressed and in base64."""
    return bytearray(zlib.decompress(base64.b64decode(text)))
'''


@dataclass
class Written:
    """Python text, with the imports and helper functions that the text needs."""

    text: str
    imports: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)


def written(literal: Literal) -> Written:
    """Write a literal as a call of ``torch.tensor`` or ``np.array``, or shorter if it is large.

    Strides are kept: some faults show with strided arrays only.
    """
    array = literal.array
    dense = bool(array.flags.c_contiguous) or not array.size
    flat = _contiguous(array if dense else storage(array, array.strides), literal.tensor)
    if not dense and literal.tensor:
        flat.text += f".as_strided({array.shape}, {steps(array)})"
    elif not dense:
        given = f"{array.shape}, {array.strides}"
        flat.text = f"np.lib.stride_tricks.as_strided({flat.text}, {given})"
    if literal.device != "cpu":
        flat.text += f".to({literal.device!r})"
    return flat


def _contiguous(array: Array, tensor: bool) -> Written:
    module = "torch" if tensor else "np"
    name = array.dtype.name
    dtype = f"{module}.{name}"
    imports = {"import torch" if tensor else "import numpy as np"}
    if name == "bfloat16" and not tensor:
        imports, dtype = {"import ml_dtypes", "import numpy as np"}, "ml_dtypes.bfloat16"
    typed = "" if dtype == "np.float64" else f", dtype={dtype}"
    zeros = f"{module}.zeros({array.shape}{typed})"
    flat = array.ravel()
    # -0.0 equals 0, and is written out all the same
    nonzero = np.argwhere((flat != 0) | np.signbit(flat.astype(np.float64)))
    if not len(nonzero):
        return Written(zeros, imports)
    if array.size <= SMALL:
        make = "torch.tensor" if tensor else "np.array"
        return Written(f"{make}({numbers(array)}{typed})", imports)
    if len(nonzero) <= FEW:
        entries = ", ".join(
            f"{tuple(map(int, np.unravel_index(int(index), array.shape)))}: {number(flat[index])}"
            for (index,) in nonzero
        )
        return Written(f"filled({zeros}, {{{entries}}})", imports, {FILLED})
    text = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 9)).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, WIDTH - 8))
    # with a name, dtype is the same argument of both functions
    read = f"{module}.frombuffer(decoded(\n{lines}\n), dtype={dtype}).reshape({array.shape})"
    return Written(read, imports | {"import base64", "import zlib"}, {DECODED})


def numbers(array: Array) -> str:
    """Return nested lists of the numbers of `array`, on several lines where they are long."""
    return _nested(_texts(array))


def _texts(array: Array) -> Any:
    return [_texts(each) for each in array] if array.ndim else number(array[()])


def _nested(texts: Any) -> str:
    if isinstance(texts, str):
        return texts
    parts = [_nested(each) for each in texts]
    line = f"[{', '.join(parts)}]"
    if len(line) <= ONE_LINE and "\n" not in line:
        return line
    if max(map(len, parts)) <= SHORT:
        # a line must not end at a space within a part
        joined = ", ".join(part.replace(" ", "\0") for part in parts)
        body = textwrap.fill(joined, WIDTH - 8, break_on_hyphens=False).replace("\0", " ")
        return f"[\n{textwrap.indent(body, '    ')}\n]"
    return "[\n" + "".join(f"{textwrap.indent(part, '    ')},\n" for part in parts) + "]"


def number(value: Any) -> str:
    """Write a number such that reading the text gives the same number in its own dtype.

    >>> number(np.float32(0.1)), number(np.float64("inf")), number(np.int64(3))
    ('0.1', 'inf', '3')
    """
    if value.dtype.kind in "iub":
        return repr(value.item())
    short = str(value)
    with np.errstate(all="ignore"):
        wide = float(value)
        again = value.dtype.type(float(short))
        same = again == value and np.signbit(float(again)) == np.signbit(wide)
    return repr(float(short)) if same else repr(wide)
