"""Random numbers of torch, drawn from a seed that depends on the case only."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

from conformance.recording.noting import note
from reference import Case

FALSE_ALARM = 1e-15
"""The largest probability with which one statistical check rejects a correct implementation."""


@contextlib.contextmanager
def seeded(case: Case) -> Iterator[None]:
    """Seed torch from `case` within the context, and restore its random state afterwards."""
    import torch

    devices = [case.device] if case.device != "cpu" else []
    with torch.random.fork_rng(devices=devices):
        seed = zlib.crc32(repr(case).encode() + case.input.tobytes())
        note(f"torch.manual_seed({seed})")
        torch.manual_seed(seed)
        yield
