"""Workers of pytest-xdist on other machines, which share no disk with the process that reports.

What such a worker would write into the folder of the run it sends over a separate channel, and
the process that reports writes it there: so a worker that dies or hangs leaves its journal all the
same. What failures leave comes back with the reports.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from conformance.checking.verdict import Verdict
from conformance.reproductions.directory import FILES, place, shown

CHANNEL = "lstm_conformance_channel"
"""The key under which a worker elsewhere receives its channel; no other worker has one."""
LEFT = "lstm_conformance_left"
"""The name under which the files of a reproduction travel as a property of a pytest report."""
AGAIN = 20.0
"""The seconds in which a server that has lost a worker can start the next one."""
STEADY = 1.0
"""The seconds for which a connection to a server that is not about to end stays open."""
HERE = "execmodel=main_thread_only//popen"
"""The specification of a worker on this machine, as pytest-xdist writes it."""


def attach(node: Any, folder: Path) -> bool:
    """Give a worker elsewhere a channel to the `folder` of the run; returns whether it is one."""
    if node.gateway.spec.popen and not node.gateway.spec.via:
        return False
    channel = node.gateway.newchannel()
    channel.setcallback(partial(_arrived, folder / node.gateway.id))
    node.workerinput[CHANNEL] = channel
    return True


def home(node: Any) -> str:
    """Return the folder that a worker elsewhere works in, relative to where it was started.

    This is its copy of the current folder if that was sent.
    """
    here = Path.cwd()
    for root in node.nodemanager.roots:
        if root in (here, *here.parents):
            return str(Path(root.name) / here.relative_to(root))
    return "."


def _arrived(path: Path, message: tuple[str, str, bytes]) -> None:
    suffix, mode, data = message
    with contextlib.suppress(OSError), open(path.with_suffix(suffix), mode) as file:
        file.write(data)


class _Sent(io.RawIOBase):
    """A file in the folder of the run, which is on another machine."""

    def __init__(self, channel: Any, suffix: str, mode: str) -> None:
        self._channel, self._suffix = channel, suffix
        self._send(mode, b"")

    def _send(self, mode: str, data: bytes) -> None:
        self._channel.send((self._suffix, mode, data))

    def write(self, data: Any) -> int:
        """Send `data`, to be added."""
        self._send("ab", bytes(data))
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Empty the file."""
        self._send("wb", b"")
        return 0


def opener(workerinput: Mapping[str, Any]) -> Callable[[str, str], BinaryIO] | None:
    """Return what opens a file of a worker elsewhere, by suffix and mode, None for others."""
    channel = workerinput.get(CHANNEL)
    return None if channel is None else partial(_Sent, channel)  # type: ignore[return-value]


def packed(verdict: Verdict) -> dict[str, str]:
    """Return the files of the reproduction of a verdict by name, and delete its folder."""
    if not verdict.reproduction:
        return {}
    folder = Path(verdict.reproduction)
    files = {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    shutil.rmtree(folder, ignore_errors=True)
    return files


def unpacked(verdict: Verdict, files: Mapping[str, str], root: Path) -> Verdict:
    """Write the `files` of a reproduction below `root`, and return `verdict` with its folder."""
    folder = place(root, verdict)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).write_text(files[name], encoding="utf-8")
    except OSError as error:
        return replace(verdict, reproduction="", reason=f"no reproduction: {error.strerror}")
    return replace(verdict, reproduction=shown(folder, Path.cwd()))


def answers(address: str) -> bool:
    """Return whether a server listens at ``host:port``, and is not about to end.

    A server says nothing until it is spoken to. Where its process dies with its last worker, the
    operating system can still take connections for it, and closes them with the process.
    """
    host, _, port = address.rpartition(":")
    try:
        connection = socket.create_connection((host, int(port)), timeout=AGAIN)
    except (OSError, ValueError):
        return False
    with connection:
        connection.settimeout(STEADY)
        try:
            return bool(connection.recv(1))
        except TimeoutError:
            return True
        except OSError:
            return False


def replaced(node: Any) -> None:
    """Let a lost worker be replaced here if its server does not come back."""
    address = node.gateway.spec.socket
    until = time.monotonic() + AGAIN
    while address and not answers(address):
        if time.monotonic() > until:
            node.gateway.spec = type(node.gateway.spec)(HERE)
            return
        time.sleep(0.2)
