"""From the name of a class or function to what is found out about it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from inspect import isfunction
from types import ModuleType
from typing import Any

from conformance.errors import UsageError
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.lenient import lenient
from conformance.implementations.naming import find, missing, place_of, unloadable
from conformance.inference.conclusion import Conclusion
from conformance.inference.finder import Finder
from conformance.inference.inference import Inference
from reference import DTYPES


@lenient()
def infer(target: str | Callable[..., Any]) -> Inference:
    """Find out how to verify a class or function.

    It is given itself, or by a name such as ``path/to/file.py:Class``. Raises :class:`UsageError`
    if it does not exist, if it cannot be constructed or called, and if no parameters have the
    shapes of those of an LSTM.
    """
    if not isinstance(target, str):
        name, module = place_of(target), sys.modules[target.__module__]
        found = _inferred(name, target.__qualname__, module, target, contextlib.nullcontext)
        return replace(found, unloadable=unloadable(name))
    module, attribute, neighbours = find(target)
    named = getattr(module, attribute, None)
    if not callable(named):
        raise missing(module, attribute, target, "class or function ", _is_inferred)
    return _inferred(target, attribute, module, named, lambda: neighbours)


def _inferred(
    name: str, attribute: str, module: ModuleType, target: Callable[..., Any], around: Around
) -> Inference:
    complaint = ""
    for dtype in ("float64", "float32"):
        finder = Finder(target, DTYPES[dtype], around)
        found = finder.best()
        if found is not None and (found.guess.whole or not finder.in_float32):
            return Conclusion(name, attribute, module, target, found, around).drawn()
        complaint = complaint or finder.complaint
    raise UsageError(f"{name!r}: {complaint}")


def _is_inferred(value: Any) -> bool:
    return isinstance(value, type) or isfunction(value)
