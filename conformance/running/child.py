"""A process of its own for what is under test, so that whatever that does ends there."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from conformance.checking.budget import MEMORY
from conformance.errors import Broken, UsageError
from conformance.implementations.own_imports import OURS
from conformance.running.limits import cap_memory

LONGEST = 1e6
"""Seconds that are waited at most; the operating system counts milliseconds, and only so many."""


class Late(Exception):
    """There was no answer in time; the text says so."""


class Ended(Exception):
    """The process ended without an answer; the text says how."""


class Apart:
    """A generator that runs in a process of its own; what it yields are the answers.

    To be used in a ``with`` block, at whose end the process is killed. The generator's function
    and its `arguments` are pickled, and so is each answer. The process may take `memory` GiB. An
    interrupt from the keyboard is for the process that waits.
    """

    def __init__(
        self, answers: Callable[..., Iterator[Any]], *arguments: Any, memory: float = MEMORY
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._receiving, sending = context.Pipe(duplex=False)
        # no daemon: these may not have children, which an implementation may want
        self._process = context.Process(target=_send, args=(sending, memory, answers, arguments))
        self._process.start()
        sending.close()

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.join()

    def answer(self, seconds: float) -> Any:
        """The next answer.

        Raises :class:`Late`, :class:`Ended`, :class:`UsageError` if the generator did, and
        :class:`Broken` if it raised anything else.
        """
        try:
            if not self._receiving.poll(min(seconds, LONGEST)):
                raise Late(f"no answer within {seconds:g} s")
            answer = self._receiving.recv()
        except EOFError:
            self._process.join()
            raise Ended(_how(self._process.exitcode or 0)) from None
        if isinstance(answer, (UsageError, Broken)):
            raise answer
        return answer


def _how(status: int) -> str:
    known = {each.value: each.name for each in signal.Signals}
    if status < 0:
        return f"the process was ended by {known.get(-status, f'signal {-status}')}"
    return f"the process exited with status {status}"


def _send(
    sending: Connection,
    memory: float,
    answers: Callable[..., Iterator[Any]],
    arguments: tuple[Any, ...],
) -> None:
    """Send every answer, and an exception as the last one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cap_memory(memory)
    with OURS:
        try:
            for answer in answers(*arguments):
                sending.send(answer)
        except UsageError as error:
            sending.send(error)
        except SystemExit:
            raise  # of what is under test: the process exits with that status
        except BaseException:
            sending.send(Broken(traceback.format_exc()))
