"""``lstm-conformance verify``: its options, and the run of pytest that they ask for."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import pytest

from conformance.checking.budget import MEMORY, PROFILES
from conformance.reproductions import ROOT
from conformance.running.exits import (
    BROKEN,
    CONFORMANT,
    INTERRUPTED,
    NOT_CONFORMANT,
    USAGE,
    wrong_usage,
)

PASSED_ON = (
    *("max_examples", "timeout", "time_limit", "memory", "seed", "device", "dtype", "precision"),
    *("level", "reproductions", "json"),
)
"""Options that the pytest plugin has under the same names, with the prefix ``--lstm``."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to verify, and how."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="torch.nn.LSTM, torch.nn.LSTMCell, stacked-cells, package.module:Class, "
        "path/to/file.py:Class",
    )
    parser.add_argument(
        "--command",
        action="append",
        default=[],
        dest="commands",
        metavar="COMMAND",
        help="a program in whatever language, which reads cases and writes results; repeat",
    )
    parser.add_argument("--profile", choices=list(PROFILES), default="default")
    parser.add_argument("--max-examples", type=int, metavar="N", help="cases per requirement")
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="per requirement and implementation"
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="for the whole run")
    parser.add_argument(
        "--memory", type=float, metavar="GIB", help=f"for each worker, {MEMORY} by default"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="draw the same cases again")
    parser.add_argument("--device", default="", metavar="LIST", help="such as cpu,cuda")
    parser.add_argument("--dtype", default="", metavar="LIST", help="such as float32,bfloat16")
    parser.add_argument(
        "--precision",
        default="",
        metavar="LIST",
        help="declare an arithmetic that is not the dtype's own, such as products=tf32",
    )
    parser.add_argument(
        "--requirement", action="append", default=[], metavar="NAME", help="only this one; repeat"
    )
    parser.add_argument(
        "--level", default="", metavar="LIST", help="only of these levels, such as core,sequence"
    )
    parser.add_argument("-n", "--workers", type=int, default=2, metavar="WORKERS")
    parser.add_argument("--json", metavar="FILE", help="write the report to this file")
    parser.add_argument(
        "--reproductions",
        metavar="DIR",
        default=ROOT,
        help=f"where each failure leaves a script that shows it (default: {ROOT})",
    )
    parser.set_defaults(command=verify, misused=parser.error)


def verify(options: argparse.Namespace) -> int:
    """Run pytest on the requirements and print what came of it; returns the exit status."""
    from rich.console import Console

    from conformance.reporting.terminal import show, summarize
    from conformance.running.plugin import FAMILIES
    from conformance.running.progress import Face

    if not options.names and not options.commands:
        options.misused("give a NAME or a --command")
    problem = _problem(options)
    if problem:
        return wrong_usage(problem)
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        str(FAMILIES),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FAMILIES.parent)),
        *("-p", "xdist", "-p", "pytest_timeout", "-p", "conformance.running.plugin"),
        *("-p", "no:cacheprovider", "-p", "no:faulthandler"),
        *("-n", str(options.workers), "--dist", "worksteal"),
        *("--max-worker-restart", "1000"),
        *("--lstm-profile", options.profile),
    ]
    for name in options.names:
        arguments += ["--lstm", name]
    for command in options.commands:
        arguments += [f"--lstm-command={command}"]
    for name in options.requirement:
        arguments += ["--lstm-requirement", name]
    for option in PASSED_ON:
        value = getattr(options, option)
        if value not in (None, ""):
            arguments += [f"--lstm-{option.replace('_', '-')}={value}"]
    errors = Console(stderr=True, soft_wrap=True)
    face = Face(errors)
    with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        code = pytest.main(arguments, plugins=[face])
    run = face.run
    if run is not None and run.usage_errors:
        for line in run.usage_errors:
            wrong_usage(line)
        return USAGE
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


def _problem(options: argparse.Namespace) -> str | None:
    if options.workers < 0:
        return f"-n must be 0 or more, got {options.workers}"
    if options.json:
        file = Path(options.json).resolve()
        if not file.parent.is_dir():
            return f"--json: there is no folder {file.parent}"
        if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
            return f"--json: {file} is no file that can be written to"
    return None
