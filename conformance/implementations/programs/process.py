"""A process that reads lines and answers each with a line, within limits of time and size.

It runs in a process group of its own, which is killed whole: by :meth:`Process.stop`, when the
object is no longer used, at the end of Python, and, by a small second process that watches for it,
when this process is killed. POSIX only.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
import weakref
from collections.abc import Sequence
from typing import IO

from conformance.implementations.programs.protocol import SHOWN, shown

CHUNK = 1 << 16
TAIL = 1 << 12
"""How many bytes of what it writes on its standard error are kept."""
LINES = 12
"""How many lines of them are told."""
WATCH = 'read _; kill -s KILL -- "-$1"'
"""A shell script that waits for the end of its standard input, then kills a process group."""


class ProcessFault(Exception):
    """A process did not answer a line with a line; the text says what it did instead."""


class Silence(ProcessFault):
    """It did not answer in time."""


class Process:
    """The running process; `command` is its program and arguments, run in `folder`.

    Raises :class:`OSError` if it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: str | None = None) -> None:
        piped, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._child = subprocess.Popen(
            command,
            bufsize=0,
            stdin=piped,
            stdout=piped,
            stderr=piped,
            start_new_session=True,
            cwd=folder,
        )
        watcher = subprocess.Popen(
            ["/bin/sh", "-c", WATCH, "sh", str(self._child.pid)],
            stdin=piped,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, self._child, watcher)
        self._stdin, self._stdout = _pipe(self._child.stdin), _pipe(self._child.stdout)
        self._stderr = _pipe(self._child.stderr)
        self._heard = bytearray()
        self._complaints = bytearray()

    def ask(self, line: bytes, within: float, at_most: int) -> bytes:
        """Write `line`, which may be empty, and read one of `at_most` bytes in `within` seconds.

        Raises :class:`ProcessFault` and, if the time is up, :class:`Silence`; the process is of
        no use then.
        """
        deadline = time.monotonic() + within
        unsent = memoryview(line)
        if line:
            self.expect_nothing()
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._stdout, selectors.EVENT_READ)
            pipes.register(self._stderr, selectors.EVENT_READ)
            if unsent:
                pipes.register(self._stdin, selectors.EVENT_WRITE)
            while b"\n" not in self._heard:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Silence(f"gave no answer within {within:g} s{self._begun()}")
                ready = {key.fd for key, _ in pipes.select(left)}
                if self._stderr in ready and _take(self._stderr, self._complaints):
                    pipes.unregister(self._stderr)
                del self._complaints[:-TAIL]
                if self._stdin in ready:
                    unsent = unsent[_give(self._stdin, unsent) :]
                    if not unsent:
                        pipes.unregister(self._stdin)
                if self._stdout in ready and _take(self._stdout, self._heard):
                    raise ProcessFault(f"{self._how_it_ended()}{self._begun()}")
                if len(self._heard) > at_most:
                    what = f"wrote more than {at_most} bytes for an answer"
                    raise ProcessFault(f"{what}: {shown(bytes(self._heard))}")
        first, end, rest = self._heard.partition(b"\n")
        if unsent:
            raise ProcessFault(f"answered before it had read the line: {shown(bytes(first))}")
        self._heard = rest
        return bytes(first + end)

    def expect_nothing(self) -> None:
        """Raise :class:`ProcessFault` if it wrote what nobody asked for."""
        _take(self._stdout, self._heard)
        if self._heard:
            raise ProcessFault(f"wrote without being asked: {shown(bytes(self._heard))}")

    def complaints(self) -> list[str]:
        """The last lines that it wrote on its standard error."""
        size = -1
        while size != len(self._complaints):
            size = len(self._complaints)
            _take(self._stderr, self._complaints)
        text = self._complaints[-TAIL:].decode("utf-8", errors="backslashreplace")
        return [line[:SHOWN] for line in text.splitlines() if line.strip()][-LINES:]

    def stop(self) -> None:
        """Kill it, and everything in its process group."""
        self._end()

    def _begun(self) -> str:
        return f"; so far it wrote {shown(bytes(self._heard))}" if self._heard else ""

    def _how_it_ended(self) -> str:
        try:
            status = self._child.wait(1)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        if status < 0:
            known = {each.value: each.name for each in signal.Signals}
            return f"was ended by {known.get(-status, f'signal {-status}')}"
        return f"exited with status {status}"


def _pipe(file: IO[bytes] | None) -> int:
    assert file is not None
    os.set_blocking(file.fileno(), False)
    return file.fileno()


def _take(pipe: int, into: bytearray) -> bool:
    """Add to `into` what there is, at most :data:`CHUNK` bytes; whether the pipe has ended."""
    try:
        taken = os.read(pipe, CHUNK)
    except BlockingIOError:
        return False
    into += taken
    return not taken


def _give(pipe: int, data: memoryview) -> int:
    """How many bytes could be written; all of them if nobody will read them."""
    try:
        return os.write(pipe, data[:CHUNK])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)


def _end(child: subprocess.Popen[bytes], watcher: subprocess.Popen[bytes]) -> None:
    """Kill the group, and only then let go of the number of its leader."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    for process in (watcher, child):
        process.kill()
        process.wait()
        for file in (process.stdin, process.stdout, process.stderr):
            if file is not None:
                file.close()
