"""Verdicts where a fault is known, strictly.

If the known failure does not occur, the verdict is an unexpected pass. If the requirement fails in
another way, the verdict is a failure.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checking.known_faults import KNOWN, Expectation, Version
from conformance.checking.verdict import ExpectedFailure, Passed, UnexpectedPass, Verdict


def torch_version() -> Version:
    """Return the version of the installed torch, (0,) without torch."""
    try:
        text = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:3])


def cudnn_version() -> int:
    """That of the cuDNN which PyTorch uses, 0 if it uses none."""
    import torch

    cudnn: Any = torch.backends.cudnn
    return int(cudnn.version()) if cudnn.is_available() and cudnn.enabled else 0


def expectation(requirement: str, implementation: str, device: str) -> Expectation | None:
    """Find the known failure to be expected with the installed torch, None if there is none."""
    for known in KNOWN:
        if (
            known.requirement == requirement
            and implementation in known.implementations
            and device.partition(":")[0] in known.devices
            and known.since <= torch_version() < known.until
            and (not known.cudnn or cudnn_version() >= max(known.cudnn_since, 1))
        ):
            return known
    return None


def judged(verdict: Verdict) -> Verdict:
    """Judge a verdict with a counterexample by the known failures.

    The known failure of the implementation itself makes an expected failure. The same failure of
    torch.nn.LSTM or torch.nn.LSTMCell is only mentioned in the reason.
    """
    found = verdict.counterexample
    assert found is not None
    for name in dict.fromkeys((verdict.implementation, "torch.nn.LSTM", "torch.nn.LSTMCell")):
        known = expectation(verdict.requirement, name, verdict.device)
        if known is None or (known.dtypes and found.dtype not in known.dtypes):
            continue
        same = found.kind == known.failure.kind and (not known.what or found.what == known.what)
        same = same and known.message in found.message
        if name != verdict.implementation:
            if same:
                return replace(verdict, reason=f"{name} fails in the same way: {known.reason}")
        elif same:
            return ExpectedFailure(**{**vars(verdict), "reason": known.reason})
        else:
            return replace(verdict, reason=f"known to fail in another way: {known.reason}")
    return verdict


def decide(
    requirement: str,
    implementation: str,
    device: str,
    dtypes: tuple[str, ...],
    check: Callable[[tuple[str, ...]], Verdict],
) -> Verdict:
    """Run `check` on the dtypes in which no failure is known, then on those in which one is."""
    known = expectation(requirement, implementation, device)
    if known is None:
        return check(dtypes)
    failing = tuple(name for name in dtypes if name in (known.dtypes or dtypes))
    others = tuple(name for name in dtypes if name not in failing)
    if others:
        verdict = check(others)
        if not failing or not verdict.conformant:
            return verdict
    verdict = check(failing)
    if isinstance(verdict, Passed) and known.certain:
        return UnexpectedPass(**{**vars(verdict), "reason": f"known to fail: {known.reason}"})
    return verdict
