"""The time for which a process could run, but was not given a processor.

Limits are about what an implementation takes. On a machine with too much to do it may take many
times as long, through no fault of its own: that time is not counted. A process that sleeps, or
waits for something that never comes, does not wait for a processor, and is late as ever.
"""

from __future__ import annotations

from pathlib import Path

PATIENCE = 5.0
"""How many times its limit code may take on a machine that has no time for it."""


def kept_waiting(process: int | str = "self") -> float:
    """Return for how many seconds the main thread of a process has waited for a processor.

    That is 0 where the operating system does not tell; Linux does, for processes on it.
    """
    try:
        return int(Path(f"/proc/{process}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
