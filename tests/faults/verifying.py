"""Verifying one faulty LSTM: by one requirement in this process, or by the command in another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import (
    PROFILES,
    REQUIREMENTS,
    Budget,
    Case,
    Crashed,
    Requirement,
    TimedOut,
    Verdict,
    check,
)
from conformance.checking.finding import Finding
from conformance.checking.verdict import Failed, from_json
from conformance.implementations.failures import Misbehaviour, Mismatch
from conformance.implementations.pytorch.modules import torch_devices

from .zoo import Fault, implementation

ROOT = Path(__file__).resolve().parents[2]
CUDA = frozenset(
    name for name, each in REQUIREMENTS.items() if "cuda:0" in (each.cases.get("devices") or ())
)
"""Requirements that need a CUDA device."""
QUICK = PROFILES["quick"]


def caught(verdict: Verdict | None) -> bool:
    return isinstance(verdict, (Failed, Crashed, TimedOut))


def undecidable(fault: Fault) -> bool:
    """Whether the requirement it names needs a device that is not present."""
    return fault.caught_by in CUDA and len(torch_devices()) == 1


def device(requirement: str) -> str:
    return "cuda:0" if requirement in CUDA else "cpu"


def cases(requirement: str) -> int:
    """The quick profile's number of cases, or the thorough one's where it is decided there only."""
    return PROFILES["thorough"] if REQUIREMENTS[requirement].costly else QUICK


def verify(
    fault: Fault,
    requirement: str,
    seed: int,
    shrink_seconds: float = 0.0,
    red: Callable[[float], None] = lambda _: None,
    keep: Callable[[Finding], None] = lambda _: None,
) -> Verdict:
    """One requirement with the quick profile, in this process and without warnings.

    `red` is told at each failure how many seconds after the start it came; `keep` gets what it was
    found on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(
            timed(REQUIREMENTS[requirement], red),
            implementation(fault),
            device(requirement),
            Budget(cases(requirement), seed, shrink_seconds),
            keep=keep,
        )


def timed(requirement: Requirement, red: Callable[[float], None]) -> Requirement:
    """`requirement`, which tells `red` of each failure the seconds since now."""
    started = time.perf_counter()

    def body(tried: Any, case: Case) -> float | None:
        try:
            return requirement.body(tried, case)
        except (Mismatch, Misbehaviour):
            red(time.perf_counter() - started)
            raise

    return replace(requirement, body=body)


def by_command(fault: Fault, seed: int, seconds: float = 10.0) -> Verdict:
    """What ``lstm-conformance verify`` reports on the requirement that `fault` names."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = {
            "--requirement": fault.caught_by,
            "--profile": "quick",
            "--device": "cpu",
            "--timeout": seconds,
            "--seed": seed,
            "--workers": 1,
            "--strict": None,
            "--json": report,
            "--reproductions": Path(folder) / "reproductions",
        }
        code = "import sys; from conformance.cli.command import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "verify", f"{fault.__module__}:{fault.__name__}"]
        command += [name if value is None else f"{name}={value}" for name, value in options.items()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{fault.__name__}: {done.stderr}")
        (verdict,) = json.loads(report.read_text())["verdicts"]
    return from_json(verdict)


def size(verdict: Verdict) -> tuple[int, int] | None:
    """Of the counterexample: numbers that are not zero, and the largest of all sizes.

    The rows of weights and biases count as hidden units, of which each has four.
    """
    if verdict.counterexample is None:
        return None
    tensors = verdict.counterexample.tensors
    sizes = [
        size // (4 if axis == 0 and re.match("weight_[ih]h|bias", name) else 1)
        for name, tensor in tensors.items()
        for axis, size in enumerate(_shape(tensor))
    ]
    return sum(map(_nonzero, tensors.values())), max(sizes, default=0)


def _nonzero(tensor: Any) -> int:
    return sum(map(_nonzero, tensor)) if isinstance(tensor, list) else int(tensor != 0)


def _shape(tensor: Any) -> tuple[int, ...]:
    if not isinstance(tensor, list):
        return ()
    return len(tensor), *(_shape(tensor[0]) if tensor else ())
