"""Whether a CUDA device, and the process itself, still work after a call, and what is lost if not.

Some errors on a CUDA device, such as a failed assertion or an illegal access to memory, are for
good: from then on every call of this process on it raises, whoever makes it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from conformance.implementations.failures import LostDevice

_lost: list[str] = []


def lost() -> str:
    """What this process lost a device to, or what else; empty as long as everything works."""
    return _lost[0] if _lost else ""


def give_up(text: str) -> None:
    """Note that this process cannot be used any more; `text` says what somebody did to it."""
    _lost.append(text)


@contextlib.contextmanager
def left_usable(device: str, by: str = "") -> Iterator[None]:
    """Raise :class:`LostDevice` if `device` does not work after what is done within.

    That goes before whatever was raised. `by` names what is done. Where a requirement waits for
    the device itself, its own text stands.
    """
    try:
        yield
    except LostDevice:
        raise
    except Exception as error:
        require_usable(device, by, error)
        raise
    require_usable(device, by)


def require_usable(device: str, by: str = "", error: Exception | None = None) -> None:
    """Wait for what was started on `device`; raise :class:`LostDevice` if it does not work.

    An error that does not come again was that of a single call.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda") or not torch.cuda.is_initialized():
        return
    for _ in range(2):
        try:
            torch.cuda.synchronize(device)
        except Exception as raised:
            broken = raised
        else:
            return
    said = str(broken).partition("\n")[0]
    after = f" by {by}" if by else ""
    text = f"left the CUDA device unusable{after}: {said}"
    give_up(text)
    raise LostDevice(text) from (error or broken)
