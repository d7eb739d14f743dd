"""The line of an implementation's own code that raised an exception."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from conformance.recording.text import one_line

_PATHS = sysconfig.get_paths()
_INSTALLED = tuple({_PATHS["stdlib"], _PATHS["platstdlib"], _PATHS["purelib"], _PATHS["platlib"]})
_ROOT = Path(__file__).resolve().parents[2]
_OURS = tuple(f"{_ROOT / name}/" for name in ("conformance", "reference", "strategies"))


def line_of_code(error: BaseException) -> str:
    """Return file and line of the last frame that is neither installed nor ours; empty if none is.

    That is the author's line, also where a framework raises below it.
    """
    trace = BaseException.__dict__["__traceback__"].__get__(error)
    places = [
        f"{one_line(Path(frame.f_code.co_filename).name)}:{number}"
        for frame, number in traceback.walk_tb(trace)
        if not frame.f_code.co_filename.startswith((*_INSTALLED, *_OURS, "<"))
    ]
    return places[-1] if places else ""
