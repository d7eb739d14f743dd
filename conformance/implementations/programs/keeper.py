"""A process between this one and a program, which ends whatever the program leaves.

::

    python -I -S keeper.py FAILED PROGRAM ARGUMENT...

The keeper starts the program in a separate session. Once the program ends, or the process that
started the keeper ends, or SIGTERM arrives, the keeper kills the process group of the program. On
Linux it also kills all other descendants of the program, daemons among them. Then the keeper ends
as the program did.

FAILED is a file descriptor, 0 for none: if the program cannot be started, the number of the error
is written there; else nothing is. This file imports little, as it is run by itself. It needs POSIX.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

LOOK = 0.5
"""The seconds between two looks whether the process that started this one is still there."""
ENDING = 5.0
"""The longest time in seconds for the end of what was killed."""
SUBREAPER, DEATH_SIGNAL = 36, 1
"""The numbers in Linux of two options of prctl: orphans, and a signal when the parent ends."""


def kept(command: Sequence[str], failed: int = 0) -> list[str]:
    """Return the command that runs `command` under a keeper."""
    return [sys.executable, "-I", "-S", __file__, str(failed), *command]


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends; only Linux has that."""
    _prctl(SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def children(parent: int) -> list[int]:
    """List the processes whose parent is `parent`; none on systems without ``/proc``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            # the name of the program, in parentheses, can hold anything
            after_name = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(folder.name))
    return found


def end_children(spared: Collection[int] = ()) -> None:
    """Kill and reap the children of this process but those `spared`, and those they leave to it."""
    deadline = time.monotonic() + ENDING
    while (left := {*children(os.getpid())}.difference(spared)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            _reap(pid)
        time.sleep(0.001)


def _reap(child: int = -1) -> tuple[int, int]:
    """Reap a child that has ended, or any; returns its number, 0 if none has, and its status."""
    try:
        return os.waitpid(child, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _become(command: Sequence[str], failed: int) -> None:
    """Turn this process into the program."""
    for name in ("SIGPIPE", "SIGXFZ", "SIGXFSZ"):  # Python ignores these, programs do not
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(command[0], [*command])
    except OSError as error:
        if failed:
            os.write(failed, str(error.errno).encode())
        os._exit(127)


def keep(failed: int = 0) -> None:
    """Fork, and return in the child alone, in a new session; it is killed if its keeper is.

    This process is the keeper: it ends what the child leaves, and ends as the child did.
    """
    above = os.getppid()
    if os.getsid(0) != os.getpid():
        os.setsid()
    adopt_orphans()
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    asked: list[int] = []
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    before = {
        number: signal.signal(number, lambda *caught: asked.append(caught[0]))
        for number in (signal.SIGCHLD, signal.SIGTERM)
    }
    if failed:
        os.set_inheritable(failed, False)
    program = os.fork()
    if not program:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for end in (woken, waking):
            os.close(end)
        os.setsid()
        _prctl(DEATH_SIGNAL, signal.SIGKILL)
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    if failed:
        os.close(failed)
    status = None
    while status is None and signal.SIGTERM not in asked and os.getppid() == above:
        while (ended := _reap())[0]:
            status = ended[1] if ended[0] == program else status
        if status is None and select.select([woken], [], [], LOOK)[0]:
            os.read(woken, 1 << 10)
    for kill in (os.killpg, os.kill) if status is None else (os.killpg,):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(program, signal.SIGKILL)
    if status is None:
        status = os.waitpid(program, 0)[1]
    end_children()
    _end_likewise(status)


def _end_likewise(status: int) -> None:
    """End this process with the exit status, or by the signal, in `status`."""
    if os.WIFSIGNALED(status):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    keep(int(sys.argv[1]))
    _become(sys.argv[2:], int(sys.argv[1]))
