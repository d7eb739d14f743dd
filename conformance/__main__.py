"""``python -m conformance``, and the command ``lstm-conformance``, which begins here as well."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALLED = 128  # as conformance.errors has it, which is not imported yet


def main() -> int:
    """Run the command with the arguments of the process, and return the exit status.

    A signal that arrives while the modules of the command are imported, or when the command has
    ended, ends the process at once: there is nothing to clean up, and an exception could arrive
    where nobody expects one.
    """
    before = end_at_once()
    from conformance.cli.command import main as run

    for number, handler in before.items():
        signal.signal(number, handler)
    try:
        return run()
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT
    finally:
        end_at_once()


def end_at_once() -> dict[int, Any]:
    """Let each signal end the process without a word; returns what handled the signals before."""
    before = {}
    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        # what the parent ignores, such as SIGHUP under nohup, stays ignored
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, _end)
    return before


def _end(number: int, _: FrameType | None) -> None:
    os._exit(SIGNALLED + number)


if __name__ == "__main__":
    sys.exit(main())
