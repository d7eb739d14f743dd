"""The adapter that makes an LSTM in a separate process, in any language, an implementation."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from conformance.errors import UsageError
from conformance.implementations.failures import Misbehaviour, Mismatch
from conformance.implementations.implementation import documented_shapes
from conformance.implementations.programs import protocol
from conformance.implementations.programs.process import Process, ProcessFault
from conformance.implementations.programs.protocol import Hello, Malformed
from conformance.recording.operands import Text
from reference import Array, Case, Result

Answer = TypeVar("Answer")

STARTING = 60.0
"""The seconds that a process has for its first line, the hello."""
ANSWERING = 60.0
"""The seconds that a process has for each answer, by default."""
BYTES_BESIDE_NUMBERS, BYTES_OF_A_NUMBER = 1 << 16, 64
"""The limits on the length of a line, which no spelling of the numbers reaches."""


class CommandImplementation:
    """An LSTM in a separate process, which `command` starts and which speaks the protocol.

    - `command`: the program and its arguments, as in a shell;
    - `answering`: the seconds that the process has for each case;
    - `starting`: the seconds that the process has for its first line, the hello;
    - `folder`: where the process is started, by default the current folder.

    The process is started at once and kept from case to case; after a fault a new process takes its
    place. Raises :class:`UsageError` if the process cannot be started or does not send a hello.
    """

    def __init__(
        self,
        command: str,
        answering: float = ANSWERING,
        starting: float = STARTING,
        folder: str | None = None,
    ) -> None:
        self.folder = folder or os.getcwd()
        self.constructed = Text(
            f"CommandImplementation({command!r}, folder={self.folder!r})",
            ("from conformance import CommandImplementation",),
        )
        self.command, self.answering, self.starting = command, answering, starting
        self._process: Process | None = None
        self._asked = 0
        if sys.platform == "win32":
            raise UsageError(f"{command!r}: --command needs a POSIX system")
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"{command!r} is not a command: {error}") from error
        if not self._arguments:
            raise UsageError("--command needs a program to run")
        try:
            self._hello = self._start()
        except (OSError, ValueError) as error:
            raise UsageError(f"{command!r} cannot be started: {error}") from error
        except Misbehaviour as misbehaviour:
            what = " / ".join(line.strip() for line in str(misbehaviour).splitlines())
            raise UsageError(f"{command!r} did not send a hello: it {what}") from misbehaviour
        self.name = self._hello.name
        self.version = self._hello.version
        self.supports = self._hello.supports
        self.precision = self._hello.precision

    def run(self, case: Case) -> Result:
        """Ask the process for the result of `case`.

        Raises :class:`NoAnswer` if there is no answer in time, :class:`Mismatch` for a number that
        the dtype of `case` does not have, and :class:`Misbehaviour` for any other fault.
        """
        numbers = sum(map(math.prod, documented_shapes(case).values()))
        return self._ask(case, None, numbers, protocol.result)

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Ask for the gradients of the sum of every result times its cotangent; see :meth:`run`."""
        leaves = [*case.parameters.values(), case.input, *case.initial_states()]
        numbers = sum(array.size for array in leaves)
        return self._ask(case, cotangents, numbers, protocol.gradients)

    def _ask(
        self,
        case: Case,
        cotangents: Result | None,
        numbers: int,
        read: Callable[[int, Case, bytes], Answer | str],
    ) -> Answer:
        if self._process is None and self._start() != self._hello:
            self.close()
            hello = protocol.shown(self._introduction)
            raise Misbehaviour(f"sends another hello after a restart: {hello}")
        self._asked += 1
        at_most = BYTES_BESIDE_NUMBERS + BYTES_OF_A_NUMBER * numbers
        with self._watched() as process:
            request = protocol.request(self._asked, case, cotangents)
            answer = read(self._asked, case, process.ask(request, self.answering, at_most))
            process.expect_nothing()
        if isinstance(answer, str):
            raise Misbehaviour(f"answered with an error: {answer}")
        return answer

    def close(self) -> None:
        """End the process; the next :meth:`run` starts a new one."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _start(self) -> Hello:
        self._process = Process(self._arguments, self.folder)
        with self._watched() as process:
            self._introduction = process.ask(b"", self.starting, BYTES_BESIDE_NUMBERS)
            hello = protocol.hello(self._introduction)
            process.expect_nothing()
        return hello

    @contextlib.contextmanager
    def _watched(self) -> Iterator[Process]:
        """End the process if it breaks the protocol, and raise that as its misbehaviour."""
        process = self._process
        assert process is not None
        try:
            yield process
        except Mismatch:
            raise
        except (ProcessFault, Malformed) as fault:
            lines = [str(fault)]
            if errors := process.last_errors():
                lines += ["  its standard error ends with:", *(f"    {line}" for line in errors)]
            self.close()
            kind = fault.failure if isinstance(fault, ProcessFault) else Misbehaviour
            raise kind("\n".join(lines)) from fault
        except BaseException:
            self.close()
            raise
