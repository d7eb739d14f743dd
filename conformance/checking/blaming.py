"""Who is to blame for an exception that a requirement did not expect."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import CodeType, TracebackType

from hypothesis.errors import UnsatisfiedAssumption

from conformance.implementations.failures import Failure, Misbehaviour, Raised
from conformance.recording.text import OURS, told

_PACKAGES = {"conformance", "reference", "strategies"}
_LIBRARIES = sys.stdlib_module_names | {"hypothesis", "ml_dtypes", "numpy", "torch"}
_RUNNING = {"_pytest", "execnet", "pluggy", "pytest", "pytest_timeout", "xdist"}


def of(error: BaseException, body: object, changed: Sequence[str]) -> Failure | None:
    """Return the failure of the implementation that `error` is; None if it is a fault of ours.

    `body` is the function that the exception came out of. It is the implementation's if it comes
    out of code of somebody else, called by `body` without :func:`blamed`; if its class is one of
    somebody else, as where a thread raises it here; and if the implementation has `changed` what
    this suite cannot work without.
    """
    if is_theirs(error) or _foreign(error.__traceback__, getattr(body, "__code__", None)):
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
