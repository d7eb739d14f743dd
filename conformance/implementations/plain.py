"""What an implementation returns, taken as plain arrays before anything looks at it.

A subclass of an array may say that it equals anything, and run code whenever it is compared. So
every result and gradient is copied to a ``numpy.ndarray`` of plain numbers once, within
:func:`~conformance.implementations.failures.blamed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.ma import MaskedArray

from conformance.implementations.failures import NoResult, WrongAttribute
from conformance.recording.ending import untrue
from conformance.recording.noting import bind
from conformance.recording.text import kind_of, line_of, place_of
from reference import RESULTS, Array, Case, Result


def array_of(value: Any, name: str) -> Array:
    """Return a copy of `value`, called `name`, as a plain array.

    What becomes of `value` later, as in a buffer that is used again, does not change the copy. A
    subclass that only adds to an array, such as ``numpy.memmap``, loses what it adds. Raises
    :class:`NoResult` for a masked array, whose numbers do not count where they are masked, for an
    array of objects or of records, and for anything else than an array.
    """
    kind = type(value)
    if not issubclass(kind, np.ndarray) or issubclass(kind, MaskedArray):
        raise NoResult(f"{name} is a {place_of(kind)}, not a NumPy array")
    plain: Array = np.array(value, copy=True, subok=False)
    if plain.dtype.hasobject or plain.dtype.names is not None:
        raise NoResult(f"{name} is an array of {line_of(plain.dtype)}, not of numbers")
    return plain


def result_of(value: Any) -> Result:
    """Return what ``run`` returned as a plain :class:`Result` of plain arrays.

    Raises :class:`NoResult` if it is something else.
    """
    if not issubclass(type(value), Result):
        message = f"run() returned {kind_of(value)}, not a Result"
        raise NoResult(message, untrue("isinstance({it}, Result)", message, it=value))
    arrays = {name: array_of(getattr(value, name), name) for name in RESULTS}
    for name, array in arrays.items():
        bind(array, value, f".{name}")
    devices = {line_of(name): line_of(device) for name, device in dict(value.devices).items()}
    return Result(**arrays, devices=devices)


def gradients_of(value: Any, case: Case) -> dict[str, Array]:
    """Return what ``gradients`` returned as a dict of plain arrays, of the dtype of `case`.

    Raises :class:`NoResult` if it is something else, and :class:`WrongAttribute` for an array of
    another shape or dtype than what it is the gradient by.
    """
    if not issubclass(type(value), Mapping) or not len(value):
        raise NoResult("gradients() returned no gradients by name")
    leaves = {**case.parameters, **case.arguments()}
    found = {}
    for key in value:
        if type(key) is not str or key not in leaves:
            raise NoResult(f"gradients() has {line_of(key)!r}, which the case does not have")
        given, what = value[key], f"gradient of {key}"
        if not issubclass(type(given), np.ndarray):
            raise WrongAttribute(what, "dtype", kind_of(given), case.dtype.name, given)
        array = array_of(given, what)
        if array.dtype != case.dtype.numpy:
            raise WrongAttribute(what, "dtype", dtype_of(array), case.dtype.name, array)
        if array.shape != leaves[key].shape:
            raise WrongAttribute(what, "shape", array.shape, leaves[key].shape, array)
        found[key] = array
    return found


def dtype_of(array: Array) -> str:
    """Return the name of the dtype of `array`, with its order of bytes where that is not ours."""
    return array.dtype.name if array.dtype.isnative else array.dtype.str
