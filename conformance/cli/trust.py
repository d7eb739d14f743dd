"""Whether a reproduction that somebody sent may run what it names.

A case is data. The implementation that it was found on is code, which the file names: a command, or
a class in a file or module. It is run without being asked for only if it lies in the current
folder, and not in the folder that was sent.
"""

from __future__ import annotations

import shlex
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from conformance.errors import UsageError
from conformance.implementations.shipped import SHIPPED
from conformance.reproductions.record import Subject


def refuse_strangers(folder: Path, subject: Subject) -> None:
    """Raise :class:`UsageError` if the `subject` in `folder` is not of the current folder.

    What this package ships, such as ``torch.nn.LSTM``, is of any folder.
    """
    if not subject.program and subject.implementation in SHIPPED:
        return
    home = Path(subject.folder)
    if subject.program:
        what, place = f"the command {subject.program!r} in {subject.folder!r}", _program(subject)
    else:
        what, place = f"the code of {subject.implementation!r}", _code(subject)
        what += f" in {str(place or home)!r}"
    if not (_here(home, folder) and place is not None and _here(place, folder)):
        raise UsageError(
            f"this case runs {what}, which is not of the current folder: look at it and give "
            "--trust, or name another implementation with --as"
        )


def _program(subject: Subject) -> Path | None:
    """Return the file of the program, None for a program that is looked up by its name."""
    try:
        first = shlex.split(subject.program)[0]
    except (ValueError, IndexError):
        return None
    return Path(subject.folder) / first if len(Path(first).parts) > 1 else None


def _code(subject: Subject) -> Path | None:
    """Return the file, or the folder of the package, in which the implementation is."""
    place = subject.implementation.rpartition(":")[0] or subject.implementation
    if place.endswith(".py"):
        return Path(subject.folder) / place
    spec = PathFinder.find_spec(place.partition(".")[0], [subject.folder, *sys.path])
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or [])]
    return next((Path(each) for each in places if each), None)


def _here(place: Path, folder: Path) -> bool:
    """Return whether `place` is of the current folder, and not in the `folder` that was sent."""
    real, here, sent = place.resolve(), Path.cwd().resolve(), folder.resolve()
    return here in (real, *real.parents) and sent not in (real, *real.parents)
