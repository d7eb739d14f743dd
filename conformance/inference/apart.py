"""Inference in a process of its own, so that whatever a class does ends there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conformance.checking.budget import ANSWER, MEMORY
from conformance.checking.process_state import standard_output
from conformance.errors import UsageError
from conformance.inference.inference import infer
from conformance.running.child import Apart, Ended, Late


class Inferred(NamedTuple):
    """What :func:`conformance.infer` found: the lines, and whether the class fits."""

    lines: list[str]
    fits: bool


def infer_apart(name: str, seconds: float = ANSWER, memory: float = MEMORY) -> Inferred:
    """As :func:`conformance.infer`, within so many seconds; what the class prints is dropped.

    Raises :class:`UsageError` as that does, and where the process is late or dies.
    """
    with Apart(_inferred, name, memory=memory) as process:
        try:
            return Inferred(*process.answer(seconds))
        except Late as error:
            how = f"{error}; if it does not hang, raise --timeout"
        except Ended as error:
            how = f"{error} while it was loaded and tried out"
    raise UsageError(f"{name!r}: {how}")


def _inferred(name: str) -> Iterator[Inferred]:
    with standard_output():
        found = infer(name)
    yield Inferred(found.lines(), found.fits)
