"""Inference in a separate process: what an unknown class does cannot harm this process."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checking.budget import ANSWER, MEMORY
from conformance.checking.process_state import standard_output
from conformance.errors import UsageError
from conformance.inference.inferring import infer
from conformance.running.child import Apart, Ended, Late


def infer_apart(
    name: str, seconds: float = ANSWER, memory: float = MEMORY
) -> tuple[list[str], bool]:
    """Do what :func:`conformance.infer` does, in a separate process.

    Returns the lines to print, and whether the class fits. What the class prints is dropped.
    `seconds` and `memory`, in GiB, are limits. Raises :class:`UsageError` as
    :func:`conformance.infer` does, and if the process is late or dies.
    """
    with Apart(_inferred, name, memory=memory) as process:
        try:
            lines, fits = process.answer(seconds)
            return lines, fits
        except Late as error:
            how = f"{error}; if the code does not hang, raise --timeout"
        except Ended as error:
            how = f"{error} while loading and trying the code"
    raise UsageError(f"{name!r}: {how}")


def _inferred(name: str) -> Iterator[tuple[list[str], bool]]:
    with standard_output():
        found = infer(name)
    yield found.lines(), found.fits
