"""Who is to blame for an exception that a requirement did not expect."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator, Sequence
from types import CodeType, TracebackType
from typing import Any

from hypothesis.errors import UnsatisfiedAssumption

from conformance.implementations.failures import Failure, Misbehaviour, Raised, by_hand
from conformance.recording.text import OURS, told

_PACKAGES = {"conformance", "reference", "strategies"}
_LIBRARIES = sys.stdlib_module_names | {"hypothesis", "ml_dtypes", "numpy", "torch"}
_RUNNING = {"_pytest", "execnet", "pluggy", "pytest", "pytest_timeout", "xdist"}
_RAISES = {dis.opmap["RAISE_VARARGS"], dis.opmap["RERAISE"]}
_WITHOUT_TEXT = (StopIteration, StopAsyncIteration, GeneratorExit, MemoryError)
"""What Python itself raises without arguments."""


def of(error: BaseException, body: object, changed: Sequence[str]) -> Failure | None:
    """Return the failure of the implementation that `error` is; None if it is a fault of ours.

    `body` is the function that the exception came out of. It is the implementation's if it comes
    out of code of somebody else, called by `body` without :func:`blamed`; if its class is one of
    somebody else; if a thread raised it here; and if the implementation has `changed` what this
    suite cannot work without.
    """
    if (
        is_theirs(error)
        or is_of_thread(error)
        or _foreign(error.__traceback__, getattr(body, "__code__", None))
    ):
        return Raised(error)
    if changed and not isinstance(error, UnsatisfiedAssumption):
        return Misbehaviour(f"{', '.join(changed)}; then {told(error)}")
    return None


def is_theirs(error: BaseException) -> bool:
    """Return whether the class of `error` is neither ours nor of a library that we use."""
    return _package(error) not in _LIBRARIES | _PACKAGES | _RUNNING


def is_of_run(error: BaseException) -> bool:
    """Return whether the class of `error` is one of this project, or of what runs it."""
    return _package(error) in _PACKAGES | _RUNNING


def is_of_thread(error: BaseException) -> bool:
    """Return whether another thread has raised `error` here, or what `error` came of.

    Neither this suite nor what runs it does that. Python makes such an exception without arguments,
    and no statement raises it: it arrives between two instructions.
    """
    return any(map(_came_from_nowhere, _related(error, [])))


def _related(error: object, seen: list[BaseException]) -> Iterator[BaseException]:
    """Yield `error`, what it was raised from or after, and the members of a group."""
    if not isinstance(error, BaseException) or any(each is error for each in seen):
        return
    seen.append(error)
    yield error
    for other in ("__cause__", "__context__"):
        yield from _related(_attribute(error, other), seen)
    for member in getattr(error, "exceptions", ()) if not is_theirs(error) else ():
        yield from _related(member, seen)


def _attribute(error: BaseException, name: str) -> Any:
    """Return what every exception has under this name, past anything that its class may do."""
    return BaseException.__dict__[name].__get__(error)


def _came_from_nowhere(error: BaseException) -> bool:
    trace = _attribute(error, "__traceback__")
    if trace is None or _attribute(error, "args") or isinstance(error, _WITHOUT_TEXT):
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    raised = trace.tb_frame.f_code.co_code[trace.tb_lasti] in _RAISES
    return not raised and not by_hand(error)


def _package(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _foreign(traceback: TracebackType | None, body: CodeType | None) -> bool:
    """Whether a frame below that of `body` is neither ours nor of a library that we use."""
    within = False
    while traceback is not None:
        code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_globals
        top = str(names.get("__name__", "")).partition(".")[0]
        if within and not code.co_filename.startswith(OURS) and top not in _LIBRARIES:
            return True
        within = within or code is body
        traceback = traceback.tb_next
    return False
