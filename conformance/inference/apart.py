"""Inference in a process of its own, so that whatever a class does ends there."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection
from typing import NamedTuple

from conformance.errors import UsageError
from conformance.inference.inference import infer
from conformance.limits import cap_memory
from conformance.packages import OURS
from conformance.process_state import standard_output
from conformance.profiles import MEMORY


class Told(NamedTuple):
    """What :func:`conformance.infer` found: the lines, and whether the class fits."""

    lines: list[str]
    fits: bool


def infer_apart(name: str, seconds: float) -> Told:
    """As :func:`conformance.infer`, within so many seconds; what the class prints is dropped.

    Raises :class:`UsageError` as that does, and where the process is late or dies.
    """
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--timeout must be a positive number of seconds, got {seconds}")
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_infer, args=(sending, name), daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(seconds):
            told = f"{name!r}: no answer within {seconds:g} s; if it does not hang, raise --timeout"
            raise UsageError(told)
        found = receiving.recv()
    except EOFError:
        process.join()
        told = f"{name!r}: {_how_it_ended(process.exitcode or 0)} while it was loaded and tried out"
        raise UsageError(told) from None
    finally:
        process.kill()
        process.join()
    if isinstance(found, str):
        raise UsageError(found)
    return Told(*found)


def _how_it_ended(status: int) -> str:
    known = {each.value: each.name for each in signal.Signals}
    if status < 0:
        return f"the process was ended by {known.get(-status, f'signal {-status}')}"
    return f"the process exited with status {status}"


def _infer(sending: Connection, name: str) -> None:
    """Send the lines and whether it fits, or what is wrong with the request."""
    cap_memory(MEMORY)
    with OURS, standard_output():
        try:
            found = infer(name)
        except UsageError as error:
            sending.send(str(error))
        else:
            sending.send((found.lines(), found.fits))
