"""A separate process for the LSTM under test: what the LSTM does cannot harm this process."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from conformance.checking.budget import MEMORY
from conformance.errors import Broken, UsageError
from conformance.implementations.own_imports import OURS
from conformance.implementations.programs.keeper import ENDING, keep
from conformance.implementations.starved import Given, kept_by
from conformance.recording.text import how_ended
from conformance.running import strays
from conformance.running.limits import cap_memory, overdue

if TYPE_CHECKING:
    from typing_extensions import Self

KEPT = sys.platform == "linux"
"""Whether a keeper ends with the process whatever that leaves, daemons among it."""
READING = 2 * ENDING
"""The longest time in seconds for reading a short answer that has begun to come."""
LONGEST = 1e6
"""The longest wait in seconds: the operating system counts milliseconds in a small integer."""


class Late(Exception):
    """There was no answer in time; the text has the limit."""


class Starved(Late):
    """There was no answer, but the machine did not give the process its time."""


class Ended(Exception):
    """The process ended without an answer; the text has the status, the signal or the reason."""


class Apart:
    """A generator in a separate process; the values that the generator yields are the answers.

    Use it in a ``with`` block, at the end of which the process is killed. An interrupt from the
    keyboard stops only the process that waits.

    - `answers`, `arguments`: the generator's function and its arguments, which are pickled, as
      each answer is
    - `memory`: the limit in GiB
    - `forked`: whether the process is a copy of this one, and nothing but answers is pickled

    There is something to read from `receiving` once there is an answer, or the process has ended.
    """

    def __init__(
        self,
        answers: Callable[..., Iterator[Any]],
        *arguments: Any,
        memory: float = MEMORY,
        forked: bool = False,
    ) -> None:
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        self._reading = READING if forked else None  # other answers may be long
        self.receiving, sending = context.Pipe(duplex=False)
        self._running = 0
        # not a daemon: a daemon may not have children, which an implementation may need
        self._process = context.Process(
            target=_send, args=(sending, memory, forked, answers, arguments)
        )
        with _uninterrupted(), warnings.catch_warnings():
            # other threads than this one are not in the copy, and nothing waits for them there
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        sending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for number in ("SIGCONT", "SIGTERM") if KEPT else ():
            if self._process.exitcode is None:
                with contextlib.suppress(OSError):
                    os.kill(self._process.pid, getattr(signal, number))
        self._status(ENDING + 1 if KEPT else 0)
        self._process.kill()
        self._process.join()
        self.receiving.close()

    def _status(self, seconds: float) -> int | None:
        """Return the exit status of the process; None if it has not ended after so many seconds.

        :meth:`Process.join` may wait for ever, if the process has written to its other pipes.
        """
        end = monotonic() + seconds
        while self._process.exitcode is None and monotonic() < end:
            sleep(0.002)
        status: int | None = self._process.exitcode
        return status

    def limit(self, seconds: float) -> Given:
        """Return a limit on the time that the process is given from now on."""
        return Given(seconds, self._number)

    def _number(self) -> int:
        """Return the number of the process in which the generator runs, 0 if that is not there."""
        own = self._process.pid
        self._running = self._running or (kept_by(own) if KEPT else own)
        return self._running

    def answer(self, seconds: float) -> Any:
        """Return the next answer.

        Raises :class:`Late` after `seconds` that the machine gave the process, :class:`Ended`,
        :class:`UsageError` if the generator raised one, and :class:`Broken` if it raised anything
        else.
        """
        limit = self.limit(seconds)
        while not self.receiving.poll(min(limit.left, LONGEST)):
            if not limit.left:
                starved = limit.starved
                raise Starved(starved) if starved else Late(overdue(seconds, "answer"))
        read: list[tuple[Any, BaseException | None]] = []
        reading = threading.Thread(target=_receive, args=(self.receiving, read), daemon=True)
        reading.start()
        reading.join(self._reading)
        answer, error = read[0] if read else (None, TimeoutError())
        if isinstance(error, EOFError):
            status = self._status(READING)
            if status is not None:
                raise Ended(f"the process {how_ended(status)}")
        if error is not None:
            raise Ended("the process wrote something that is not an answer")
        if isinstance(answer, (UsageError, Broken, Ended)):
            raise answer
        return answer


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put off an interrupt within the context, and in a process that is started there.

    The process would print a traceback before it can ignore what the keyboard sends to both.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which lets interrupts in again, up to Python 3.12
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive(pipe: Connection, read: list[tuple[Any, BaseException | None]]) -> None:
    """Read an answer; whatever runs in the process may have written to its pipe, too."""
    try:
        read.append((pipe.recv(), None))
    except BaseException as error:
        read.append((None, error))


def _send(
    sending: Connection,
    memory: float,
    forked: bool,
    answers: Callable[..., Iterator[Any]],
    arguments: tuple[Any, ...],
) -> None:
    """Send every answer; an exception is sent as the last answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if KEPT:
        keep()
    faulthandler.disable()  # one line reports how it ended
    cap_memory(memory)
    torch = sys.modules.get("torch") if forked else None
    if torch is not None:
        torch.set_num_threads(1)  # the threads of the process before the fork are not here
    with OURS:
        try:
            for answer in answers(*arguments):
                sending.send(answer)
        except UsageError as error:
            sending.send(error)
        except SystemExit:
            raise  # the LSTM under test asks for it: the process exits with that status
        except BaseException as error:
            stray = strays.stray(error)
            sending.send(Ended(stray) if stray else Broken(traceback.format_exc()))
