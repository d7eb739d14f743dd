"""The channel between a worker of pytest-xdist and its session, out of reach of what is tried.

An implementation may write to whatever file is open, or close it. In the channel that would end the
whole session, or leave it waiting for a message that never comes.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

from conformance.errors import DEVICE_LOST
from conformance.running import session

ENDS = ("infile", "outfile", "sock")
"""The files of a channel, as execnet names them; a worker writes to all but the first."""


def _files() -> dict[int, str]:
    """Return the descriptors of the channels of this process, with the name of each."""
    config = session.config()
    plugins = [] if config is None else config.pluginmanager.get_plugins()
    found: dict[int, str] = {}
    for channel in (getattr(each, "channel", None) for each in plugins):
        ends: Any = getattr(getattr(channel, "gateway", None), "_io", None)
        found |= {getattr(ends, name).fileno(): name for name in ENDS if hasattr(ends, name)}
    return found


def _cut(descriptors: list[int]) -> None:
    """Let what is written to these descriptors go nowhere."""
    with open(os.devnull, "r+b") as nowhere:
        for each in descriptors:
            os.dup2(nowhere.fileno(), each)


def leave() -> None:
    """Let nothing in this fork of a worker use the channel of the worker."""
    _cut([*_files()])


@contextlib.contextmanager
def out_of_reach() -> Iterator[None]:
    """Let nothing in this worker write to its channel within the context, or close it for good.

    The channel waits in a message of this process to itself, where it has no descriptor. A worker
    that loses the message ends, which its session notices.
    """
    files = _files() if hasattr(socket, "send_fds") else {}
    if not files:
        yield
        return
    kept, keeping = socket.socketpair(type=socket.SOCK_DGRAM)
    for end in (kept, keeping):
        end.setblocking(False)  # nobody reads what else is written there
    socket.send_fds(keeping, [b"."], [*files])
    # a thread waits in the first one for what the session has to say
    _cut([each for each, name in files.items() if name != ENDS[0]])
    try:
        yield
    finally:
        _restore(kept, files)
        for end in (kept, keeping):
            with contextlib.suppress(OSError):
                end.close()


def _restore(kept: socket.socket, files: dict[int, str]) -> None:
    try:
        for each in files:  # so that what comes gets other numbers
            os.dup2(kept.fileno(), each)
        _, saved, _, _ = socket.recv_fds(kept, 1, len(files))
        for copy, each in zip(saved, files, strict=True):
            os.dup2(copy, each)
            os.close(copy)
    except (OSError, ValueError):
        os._exit(DEVICE_LOST)
