"""How many faults are shown by the script that their failure leaves, run on its own.

``python tests/faults/reproducing.py [NAME...]`` finds each fault by the requirement that it names,
writes the script, and runs it twice: on the faulty LSTM, where it must exit with 1, and with the
plain one in its place, where it must exit with 0. It prints how many scripts do, and how many
replay a case instead, and exits with 1 where a plain script does not, but for :data:`LEFT_BEHIND`,
or where fewer than :data:`FLOOR` do.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import nn

from conformance import PROFILES, REQUIREMENTS, Budget, check
from conformance.checking.finding import Finding
from conformance.reproductions.script import Script, script
from tests.faults.verifying import device, undecidable
from tests.faults.zoo import FAMILIES, FAULTS, Fault, implementation

LONG = 130
"""Lines beyond which a script is no longer short; one with two modules has about 125."""

FLOOR = 410
"""How many of all faults have at least to be shown by a plain script."""

SHOWN, REPLAYED = "shown", "by replay only"
UNSEEN = "only after other cases"

LEFT_BEHIND = {"FindsItsBiasesByANorm"}
"""Faults that show only after other cases in the same process, which no script repeats."""


def found(fault: Fault, seed: int = 1, shrink_seconds: float = 2.0) -> Finding | None:
    """The smallest case that is found in that time on the requirement that `fault` names."""
    requirement = REQUIREMENTS[fault.caught_by]
    examples = PROFILES["thorough" if requirement.costly else "default"]
    findings: list[Finding] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(
            requirement,
            implementation(fault),
            device(fault.caught_by),
            Budget(examples, seed, shrink_seconds),
            keep=findings.append,
        )
    return findings[-1] if findings else None


def reproduction(fault: Fault, finding: Finding) -> Script:
    """The script for what was found."""
    return script(REQUIREMENTS[fault.caught_by], fault.__name__, finding)


def without_fault(text: str, fault: Fault) -> str:
    """The script with the plain LSTM, or cell, in place of the faulty one."""
    plain = "PlainLSTMCell" if issubclass(fault, nn.LSTMCell) else "PlainLSTM"
    imported = f"from {fault.__module__} import {fault.__name__}"
    assert imported in text
    return text.replace(imported, f"from tests.faults.plain import {plain} as {fault.__name__}")


def run(text: str, timeout: float = 3600) -> subprocess.CompletedProcess[str]:
    """Run a script as a file of its own, from a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reproduce.py"
        path.write_text(text, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-W", "ignore", str(path)],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def outcome(fault: Fault) -> tuple[str, int]:
    """In a word what became of one fault, and the length of its script."""
    finding = found(fault)
    if finding is None:
        return "not found", 0
    written = reproduction(fault, finding)
    lines = written.text.count("\n")
    if not written.plain:
        return REPLAYED, lines
    if run(written.text).returncode != 1:
        return UNSEEN if fault.__name__ in LEFT_BEHIND else "does not show", lines
    if hasattr(fault, "run"):
        return SHOWN, lines
    right = run(without_fault(written.text, fault))
    if right.returncode:
        return f"shown without the fault as well: {right.stdout}{right.stderr[-300:]}", lines
    return SHOWN, lines


def main() -> int:
    """Print what became of each fault, and how many of each there are; the exit status."""
    asked = sys.argv[1:]
    faults = [
        fault
        for fault in FAULTS
        if (not asked or fault.__name__ in asked)
        and fault not in FAMILIES["crashes"]
        and not undecidable(fault)
    ]
    counts: Counter[str] = Counter()
    lengths = []
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count(), context, torch.set_num_threads, (1,)) as pool:
        for fault, (word, lines) in zip(faults, pool.map(outcome, faults), strict=True):
            counts[re.split("[:]", word)[0]] += 1
            lengths.append(lines)
            if word != SHOWN or lines > LONG:
                print(f"{fault.__name__} {fault.caught_by}: {word}, {lines} lines", flush=True)
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    print(f"lines: median {sorted(lengths)[len(lengths) // 2]}, most {max(lengths)}")
    floor = 0 if asked else FLOOR
    fine = counts[SHOWN] + counts[REPLAYED] + counts[UNSEEN]
    if counts.total() > fine or counts[SHOWN] < floor:
        print(f"every plain script has to show its fault, and at least {floor} have to be plain")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
