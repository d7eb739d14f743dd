"""Random numbers that a requirement draws from a seed of the case's own."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

from conformance.recording.tape import note
from reference import Case

FALSE_ALARM = 1e-15
"""Probability that one statistical check rejects a correct implementation."""


@contextlib.contextmanager
def seeded(case: Case) -> Iterator[None]:
    """What torch draws within comes from the case's own seed; nothing outside changes."""
    import torch

    devices = [case.device] if case.device != "cpu" else []
    with torch.random.fork_rng(devices=devices):
        seed = zlib.crc32(repr(case).encode() + case.input.tobytes())
        note(f"torch.manual_seed({seed})")
        torch.manual_seed(seed)
        yield
