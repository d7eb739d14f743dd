"""Arrays as Python text, from which each number comes back bit for bit."""

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
"""Numbers that are longer as a text stand on several lines."""
SHORT = 30
"""Parts of a list that are no longer than this stand beside one another."""
SMALL = 128
"""The size of the largest array of which every number is written out."""
FEW = 24
"""How many numbers other than zero a larger array may have to be written as these alone."""

SPARSE = {
    True: '''
def sparse(shape, entries, **options):
    """Zeros but for these entries."""
    tensor = torch.zeros(shape, **options)
    for place, number in entries.items():
        tensor[place] = number
    return tensor
''',
    False: '''
def sparse_array(shape, entries, **options):
    """Zeros but for these entries."""
    array = np.zeros(shape, **options)
    for place, number in entries.items():
        array[place] = number
    return array
''',
}
DECODED = {
    True: '''
def decoded(text, shape, dtype):
    """A tensor from its bytes, compressed and in base64."""
    data = bytearray(zlib.decompress(base64.b64decode(text)))
    return torch.frombuffer(data, dtype=dtype).reshape(shape)
''',
    False: '''
def decoded_array(text, shape, dtype):
    """An array from its bytes, compressed and in base64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype).reshape(shape)
''',
}


@dataclass
class Written:
    """Python text, and the imports and helper functions that it needs."""

    text: str
    imports: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)


def written(literal: Literal) -> Written:
    """A literal as a call of ``torch.tensor`` or ``np.array``, or shorter where it is large."""
    array = literal.array
    if _dense(array):
        return _placed(_contiguous(array, literal.tensor), literal.device)
    flat = _contiguous(storage(array, array.strides), literal.tensor)
    if literal.tensor:
        flat.text += f".as_strided({array.shape}, {steps(array)})"
    else:
        given = f"{array.shape}, {array.strides}"
        flat.text = f"np.lib.stride_tricks.as_strided({flat.text}, {given})"
    return _placed(flat, literal.device)


def _dense(array: Array) -> bool:
    return bool(array.flags.c_contiguous) or not array.size


def _placed(text: Written, device: str) -> Written:
    if device != "cpu":
        text.text += f".to({device!r})"
    return text


def _contiguous(array: Array, tensor: bool) -> Written:
    module = "torch" if tensor else "np"
    name = array.dtype.name
    dtype = f"{module}.{name}"
    imports = {"import torch" if tensor else "import numpy as np"}
    if name == "bfloat16" and not tensor:
        imports, dtype = {"import ml_dtypes", "import numpy as np"}, "ml_dtypes.bfloat16"
    typed = "" if dtype == "np.float64" else f", dtype={dtype}"
    shape, end = str(array.shape), "" if tensor else "_array"
    flat = array.ravel()
    nonzero = np.argwhere((flat != 0) | np.signbit(flat.astype(np.float64)))
    if not len(nonzero):
        return Written(f"{module}.zeros({shape}{typed})", imports)
    if array.size <= SMALL:
        make = "torch.tensor" if tensor else "np.array"
        return Written(f"{make}({numbers(array)}{typed})", imports)
    if len(nonzero) <= FEW:
        entries = ", ".join(
            f"{tuple(map(int, np.unravel_index(int(index), array.shape)))}: {number(flat[index])}"
            for (index,) in nonzero
        )
        return Written(f"sparse{end}({shape}, {{{entries}}}{typed})", imports, {SPARSE[tensor]})
    text = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 9)).decode()
    lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(text, WIDTH - 8))
    return Written(
        f"decoded{end}(\n{lines},\n    {shape},\n    {dtype},\n)",
        imports | {"import base64", "import zlib"},
        {DECODED[tensor]},
    )


def numbers(array: Array) -> str:
    """Nested lists of the numbers of `array`, on several lines where one is too short."""
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
        # spaces within a part are none at which a line may end
        joined = ", ".join(part.replace(" ", "\0") for part in parts)
        body = textwrap.fill(joined, WIDTH - 8, break_on_hyphens=False).replace("\0", " ")
        return f"[\n{textwrap.indent(body, '    ')}\n]"
    return "[\n" + "".join(f"{textwrap.indent(part, '    ')},\n" for part in parts) + "]"


def number(value: Any) -> str:
    """A number as text that is read back as the same number in its own dtype.

    >>> number(np.float32(0.1)), number(np.float64("inf")), number(np.int64(3))
    ('0.1', 'inf', '3')
    """
    if value.dtype.kind in "iub":
        return repr(value.item())
    wide = float(value)
    short = str(value)
    with np.errstate(all="ignore"):
        again = value.dtype.type(float(short))
    same = again == value and np.signbit(float(again)) == np.signbit(wide)
    return repr(float(short)) if same else repr(wide)
