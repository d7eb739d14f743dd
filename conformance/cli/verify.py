"""``lstm-conformance verify``: runs pytest on the requirements."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import tempfile
from pathlib import Path

import pytest

from conformance.errors import BROKEN, CONFORMANT, INTERRUPTED, NOT_CONFORMANT, UsageError
from conformance.running import options


def verify(asked: argparse.Namespace) -> int:
    """Run pytest on the requirements, print the report, and return the exit status."""
    from rich.console import Console

    from conformance.running.plugin import FAMILIES
    from conformance.running.progress import Face
    from conformance.running.reporting.terminal import show, summarize

    if not asked.lstm and not asked.lstm_command:
        asked.misused("give a NAME or a --command")
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        str(FAMILIES),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FAMILIES.parent)),
        *("-p", "xdist", "-p", "pytest_timeout", "-p", "conformance.running.plugin"),
        *("-p", "no:cacheprovider", "-p", "no:faulthandler"),
        *("-n", str(asked.lstm_workers or on_cuda(asked.lstm_device)), "--dist", "worksteal"),
        *("--max-worker-restart", "1000"),
        *map("=".join, options.given(vars(asked), options.PYTEST)),
    ]
    errors = Console(stderr=True, soft_wrap=True)
    face = Face(errors)
    with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        code = pytest.main(arguments, plugins=[face])
    run = face.run
    if run is not None and run.usage_errors:
        raise UsageError("\n".join(run.usage_errors))
    interrupted = code == pytest.ExitCode.INTERRUPTED and run is not None and not run.broken
    unfinished = run is None or run.broken or len(run.verdicts) < max(run.total, 1)
    finished = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
    if run is None or (not interrupted and (unfinished or code not in finished)):
        errors.print("lstm-conformance: the run itself broke", style="bold red")
        log = "\n".join(run.broken) if run and run.broken else face.log.getvalue()
        errors.print(log, markup=False, highlight=False)
        return BROKEN
    console = show(run.verdicts)
    summarize(console, run)
    if interrupted:
        errors.print(f"interrupted: {len(run.verdicts)} of {run.total} decided", style="bold red")
        return INTERRUPTED
    return CONFORMANT if run.conformant else NOT_CONFORMANT


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
