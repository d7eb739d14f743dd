"""A process that answers each line with a line, within limits of time and size.

A :mod:`~conformance.implementations.programs.keeper` ends the process with all that it started: by
:meth:`Process.stop`, when the object is no longer used, and at the end of Python, however this
process ends. This needs a POSIX system.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import weakref
from collections.abc import Sequence
from typing import IO

from conformance.implementations import failures
from conformance.implementations.programs.keeper import kept
from conformance.implementations.programs.protocol import SHOWN, shown
from conformance.implementations.starved import Given, kept_by
from conformance.recording.text import how_ended, printable

CHUNK = 1 << 16
"""The largest number of bytes that are read or written at once."""
TAIL = 1 << 12
"""The number of bytes that are kept of the end of the standard error."""
LINES = 12
"""The number of lines that are shown of the end of the standard error."""
ENDING = 10.0
"""The longest time in seconds for the end of a process with all that it started."""


class ProcessFault(Exception):
    """A process did not answer a line with a line; the text describes what it did instead.

    `failure` is the kind of failure that this is of an implementation.
    """

    failure: type[failures.Misbehaviour] = failures.Misbehaviour


class Silence(ProcessFault):
    """A process did not answer in time."""

    failure = failures.NoAnswer


class Starved(Silence):
    """A process did not answer, but the machine did not give it its time."""

    failure = failures.Starved


class Process:
    """A running process; `command` is its program and arguments, run in `folder`.

    Raises :class:`OSError` if the process cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: str | None = None) -> None:
        reading, writing = os.pipe()
        with open(reading, "rb") as failed:
            try:
                self._child = subprocess.Popen(
                    kept(command, writing),
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    cwd=folder,
                    pass_fds=(writing,),
                )
            finally:
                os.close(writing)
            self._end = weakref.finalize(self, _end, self._child)
            number = failed.read()
        if number:
            self._end()
            raise OSError(int(number), os.strerror(int(number)), command[0])
        self._stdin, self._stdout = _pipe(self._child.stdin), _pipe(self._child.stdout)
        self._stderr = _pipe(self._child.stderr)
        self._received = bytearray()
        self._errors = bytearray()
        self._program = 0

    def ask(self, line: bytes, within: float, at_most: int) -> bytes:
        """Write `line`, unless it is empty, and read a line of at most `at_most` bytes.

        Raises :class:`Silence` if that takes more than `within` seconds, and :class:`ProcessFault`
        for other faults. After a fault the process cannot be asked again.
        """
        limit = Given(within, self._number)
        unsent = memoryview(line)
        if line:
            self.expect_nothing()
        # a process that is still writing does not read: only serving all pipes at once never blocks
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._stdout, selectors.EVENT_READ)
            pipes.register(self._stderr, selectors.EVENT_READ)
            if unsent:
                pipes.register(self._stdin, selectors.EVENT_WRITE)
            while b"\n" not in self._received:
                left = limit.left
                if left <= 0 and limit.starved:
                    raise Starved(f"gave no answer, as {limit.starved}")
                if left <= 0:
                    raise Silence(f"gave no answer within {within:g} s{self._begun()}")
                ready = {key.fd for key, _ in pipes.select(left)}
                if self._stderr in ready and _take(self._stderr, self._errors):
                    pipes.unregister(self._stderr)
                del self._errors[:-TAIL]
                if self._stdin in ready:
                    unsent = unsent[_give(self._stdin, unsent) :]
                    if not unsent:
                        pipes.unregister(self._stdin)
                if self._stdout in ready and _take(self._stdout, self._received):
                    raise ProcessFault(f"{self._how_it_ended()}{self._begun()}")
                if len(self._received) > at_most:
                    what = f"wrote more than {at_most} bytes for an answer"
                    raise ProcessFault(f"{what}: {shown(bytes(self._received))}")
        first, end, rest = self._received.partition(b"\n")
        if unsent:
            raise ProcessFault(f"answered before it had read the line: {shown(bytes(first))}")
        self._received = rest
        return bytes(first + end)

    def expect_nothing(self) -> None:
        """Raise :class:`ProcessFault` if the process has written anything more."""
        _take(self._stdout, self._received)
        if self._received:
            raise ProcessFault(f"wrote without being asked: {shown(bytes(self._received))}")

    def last_errors(self) -> list[str]:
        """Read the last lines that the process wrote on its standard error."""
        size = -1
        while size != len(self._errors):
            size = len(self._errors)
            _take(self._stderr, self._errors)
        text = self._errors[-TAIL:].decode("utf-8", errors="backslashreplace")
        lines = [printable(line)[:SHOWN] for line in text.splitlines() if line.strip()]
        return lines[-LINES:]

    def stop(self) -> None:
        """End the process, and everything that it started."""
        self._end()

    def _number(self) -> int:
        """Return the number of the program's process, 0 if that is not there."""
        self._program = self._program or kept_by(self._child.pid)
        return self._program

    def _begun(self) -> str:
        return f"; so far it wrote {shown(bytes(self._received))}" if self._received else ""

    def _how_it_ended(self) -> str:
        try:  # the output may end a moment before the process does
            return how_ended(self._child.wait(1))
        except subprocess.TimeoutExpired:
            return "closed its standard output"


def _pipe(file: IO[bytes] | None) -> int:
    assert file is not None
    os.set_blocking(file.fileno(), False)
    return file.fileno()


def _take(pipe: int, into: bytearray) -> bool:
    """Move what is in the pipe, at most :data:`CHUNK` bytes, to `into`; returns if it has ended."""
    try:
        taken = os.read(pipe, CHUNK)
    except BlockingIOError:
        return False
    into += taken
    return not taken


def _give(pipe: int, data: memoryview) -> int:
    """Write what fits into the pipe; returns the number of bytes, or all if nobody reads them."""
    try:
        return os.write(pipe, data[:CHUNK])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the keeper to end; one that does not is killed."""
    for number in (signal.SIGCONT, signal.SIGTERM):
        child.send_signal(number)
    try:
        child.wait(ENDING)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for file in (child.stdin, child.stdout, child.stderr):
        if file is not None:
            file.close()
