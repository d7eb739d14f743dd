"""``lstm-conformance verify``: runs pytest on the requirements."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.errors import BROKEN, CONFORMANT, NOT_CONFORMANT, UsageError
from conformance.running import options

if TYPE_CHECKING:
    from rich.console import Console

    from conformance.running.progress import Face


def verify(asked: argparse.Namespace) -> int:
    """Run pytest on the requirements, print the report, and return the exit status."""
    from rich.console import Console

    from conformance.running.plugin import FAMILIES
    from conformance.running.progress import Face

    if not asked.lstm and not asked.lstm_command:
        asked.misused("give a NAME or a --command")
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        str(FAMILIES),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FAMILIES.parent)),
        *("-p", "xdist", "-p", "pytest_timeout", "-p", "conformance.running.plugin"),
        *("-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:warnings"),
        *("-n", str(asked.lstm_workers or on_cuda(asked.lstm_device or "")), "--dist", "worksteal"),
        *("--max-worker-restart", "1000"),
        *("=".join(filter(None, pair)) for pair in options.given(vars(asked), options.PYTEST)),
    ]
    errors = Console(stderr=True, soft_wrap=True)
    face = Face(errors)
    try:
        with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
            _announce(asked, errors)
            code = pytest.main(arguments, plugins=[face])
        return _report(face, errors, code)
    finally:
        face.interrupts.restore()


def _announce(asked: argparse.Namespace, errors: Console) -> None:
    """Print which file of expected failures is used; raises :class:`UsageError` for a wrong one."""
    from conformance.running.expecting import header

    for line in header(vars(asked).__getitem__):
        errors.print(line, style="dim", markup=False, highlight=False)


def _report(face: Face, errors: Console, code: int) -> int:
    """Print and write what a run found, and return the exit status; `code` is that of pytest."""
    from conformance.running.reporting.terminal import show, summarize

    interrupted = face.interrupts.first
    if face.reporting is None:
        if interrupted is not None:
            return interrupted.status
        return _broke(errors, face.log.getvalue())
    reporting, run = face.reporting, face.reporting.run
    reporting.finish()
    if run.usage_errors and not interrupted:
        reporting.write()
        raise UsageError("\n".join(run.usage_errors))
    ends = pytest.ExitCode
    normal = ends.OK, ends.TESTS_FAILED, ends.NO_TESTS_COLLECTED
    finished = run.complete and code in normal
    failed = ""
    if finished or interrupted or run.verdicts:
        try:
            summarize(show(run.verdicts), run)
            sys.stdout.flush()
        except OSError as error:
            failed = f"the table cannot be printed: {error.strerror}"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    failed = reporting.write() or failed
    if finished and not interrupted:
        try:
            errors.print(reporting.fix(), markup=False, highlight=False, end="")
        except OSError as error:
            failed = f"{error.filename} cannot be written: {error.strerror}"
    if failed:
        errors.print(f"lstm-conformance: {failed}", style="bold red", markup=False)
        return BROKEN
    if finished and run.unchecked and run.faultless:
        return BROKEN
    if finished:
        return CONFORMANT if run.conformant else NOT_CONFORMANT
    if interrupted:
        errors.print(f"interrupted: {len(run.verdicts)} of {run.total} decided", style="bold red")
        return interrupted.status
    return _broke(errors, "\n".join(run.broken) or face.log.getvalue())


def _broke(errors: Console, log: str) -> int:
    errors.print("lstm-conformance: the run itself broke", style="bold red")
    errors.print(log, markup=False, highlight=False)
    return BROKEN


def on_cuda(devices: str) -> int:
    """1 if a CUDA device may be among `devices`, else 0.

    A process that loses one has to be replaced, so that there has to be one beside the command.
    """
    if devices:
        return int("cuda" in devices)
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    return 1
