"""The folder that a failure leaves: ``reproduce.py``, ``report.md`` and ``case.json``."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.implementations.shipped import SHIPPED
from conformance.recording.text import text_of, told
from conformance.reproductions.record import FILE, Record, Subject
from conformance.reproductions.report import report
from conformance.reproductions.script import script

SCRIPT, REPORT = "reproduce.py", "report.md"
FILES = (SCRIPT, REPORT, FILE)
LONGEST = 20_000
"""The number of characters up to which a verdict has the text of its script."""


def place(root: Path, verdict: Verdict) -> Path:
    """Return the folder below `root` for the reproduction of a verdict."""
    name = f"{verdict.requirement}-{_cleaned(verdict.device)}"
    return root / folder_name(verdict.implementation) / name


def folder_name(implementation: str) -> str:
    """Return the name of the folder for what failures of an implementation leave.

    No other implementation has the same, and every run gives the same: ``mine.py-LSTM`` for
    ``mine.py:LSTM``. In other names, such as ``../mine.py:LSTM``, characters are replaced, so that
    several could become the same; these end with the start of their SHA-256.
    """
    clean = _cleaned(implementation)
    usual = re.fullmatch(r"[\w.]+(:\w+)?", implementation) and clean not in SHIPPED
    if implementation in SHIPPED or (usual and clean == implementation.replace(":", "-")):
        return clean
    digest = hashlib.sha256(implementation.encode(errors="surrogatepass"))
    return f"{clean}-{digest.hexdigest()[:8]}"


def _cleaned(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[-100:] or "-"


def write(
    root: Path,
    requirement: Requirement,
    subject: Subject,
    verdict: Verdict,
    finding: Finding,
    died: bool = False,
) -> Verdict:
    """Replace the folder of a verdict, and return `verdict` with the path of the folder.

    Where that cannot be written there is none, and the verdict says why.

    - `root`: the folder of all reproductions
    - `requirement`, `subject`: what was verified, and how to verify it again
    - `finding`: the case, the failure and the recorded steps
    - `died`: whether the last recorded step ended its process or did not return
    """
    folder = place(root, verdict)
    written = script(requirement, verdict.implementation, finding, died)
    text = report(requirement, subject, verdict, written)
    try:
        remove(root, verdict)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SCRIPT).write_text(written.text, encoding="utf-8")
        (folder / REPORT).write_text(text, encoding="utf-8")
        Record(subject, finding.case, verdict.outcome, text_of(finding.failure)).write(folder)
    except OSError as error:  # such as a full disk
        shutil.rmtree(folder, ignore_errors=True)
        reason = f"no reproduction could be written: {told(error)}"
        return replace(verdict, reason="; ".join(filter(None, [verdict.reason, reason])))
    text = written.text if len(written.text) <= LONGEST else ""
    return replace(verdict, reproduction=shown(folder, Path(subject.folder)), script=text)


def shown(folder: Path, here: Path) -> str:
    """Return the path of a folder, relative to `here` where the folder lies below it."""
    return str(folder.relative_to(here) if here in folder.parents else folder)


def remove(root: Path, verdict: Verdict) -> None:
    """Delete what an earlier run left of the same requirement."""
    folder = place(root, verdict)
    if (folder / FILE).is_file():
        shutil.rmtree(folder, ignore_errors=True)


def tidy(root: Path) -> None:
    """Delete the empty folders in `root`, and `root` itself if nothing is left in it."""
    if root.is_dir():
        for folder in (*root.iterdir(), root):
            with contextlib.suppress(OSError):  # another run may have written into it meanwhile
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
