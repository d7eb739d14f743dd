"""What is expected of a known fault, strictly.

Where a known failure does not occur the verdict is an unexpected pass, and where it occurs in
another way a failure.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import replace

from conformance.checking.known_faults import KNOWN, Expectation, Version
from conformance.checking.verdict import ExpectedFailure, Passed, UnexpectedPass, Verdict


def torch_version() -> Version:
    """The installed torch's version, (0,) without torch."""
    try:
        text = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:3])


def expectation(requirement: str, implementation: str, device: str) -> Expectation | None:
    """The known failure that is to be expected here and now, if any."""
    for known in KNOWN:
        if (
            known.requirement == requirement
            and implementation in known.implementations
            and device.partition(":")[0] in known.devices
            and known.since <= torch_version() < known.until
        ):
            return known
    return None


def judged(verdict: Verdict) -> Verdict:
    """What a verdict with a counterexample means where a failure is known.

    Beside those of the implementation itself, a word is added on those of torch.nn.LSTM and its
    cell that are the same.
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
            return replace(verdict, reason=f"known to fail otherwise: {known.reason}")
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
