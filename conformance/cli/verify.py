"""``lstm-conformance verify``: runs pytest on the requirements."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.errors import BROKEN, NOT_CONFORMANT, UsageError
from conformance.running import options
from conformance.running.options.option import PYTEST, VERIFY

if TYPE_CHECKING:
    from rich.console import Console

    from conformance.running.progress import Face


def verify(asked: argparse.Namespace) -> int:
    """Run pytest on the requirements, print the report, and return the exit status."""
    from rich.console import Console

    from conformance.implementations.naming import split
    from conformance.implementations.programs.keeper import adopt_orphans, children, end_children
    from conformance.implementations.shipped import SHIPPED
    from conformance.running.expecting import header
    from conformance.running.plugin import FAMILIES, choose_folder
    from conformance.running.progress import Face
    from conformance.running.reporting.side_by_side.reports import read
    from conformance.running.resuming import unfinished

    if not asked.lstm and not asked.lstm_command:
        asked.misused("give a NAME or a --command")
    for name in asked.lstm:
        if name not in SHIPPED:
            split(name)  # which refuses at once what no worker could load
    if asked.lstm_resume:
        unfinished(vars(asked), VERIFY)  # which refuses what pytest would refuse later
    if asked.lstm_baseline:
        read(asked.lstm_baseline)
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        str(FAMILIES),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FAMILIES.parent)),
        *("-p", "xdist", "-p", "pytest_timeout", "-p", "conformance.running.plugin"),
        *("-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:warnings"),
        *("-p", "no:tmpdir"),  # whose folder would be left
        *_workers(asked),
        *("--dist", "worksteal", "--max-worker-restart", "1000"),
        *(["--exitfirst"] if asked.lstm_fail_fast else []),
        *("=".join(filter(None, pair)) for pair in options.given(vars(asked), PYTEST)),
    ]
    errors = Console(stderr=True, soft_wrap=True)
    choose_folder()
    face = Face(Console(quiet=True) if asked.lstm_quiet else errors)
    others = children(os.getpid())
    adopt_orphans()  # of a keeper that was killed, as it took too long to end
    try:
        with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
            for line in header(vars(asked).__getitem__):  # which refuses a wrong file
                errors.print(line, style="dim", markup=False, highlight=False)
            code = pytest.main(arguments, plugins=[face])
        return _report(asked, face, errors, code)
    finally:
        end_children(others)
        face.interrupts.restore()


def _workers(asked: argparse.Namespace) -> Iterator[str]:
    """Yield the arguments of pytest that say how many workers there are, and where.

    Raises :class:`UsageError` for a server that does not answer, or a folder that is not there.
    """
    if not asked.lstm_tx:
        yield from ("-n", str(max(asked.lstm_workers, 1)))
        return
    import reference
    import strategies
    from conformance.running.plugin import FAMILIES
    from conformance.running.remote import answers

    for spec in asked.lstm_tx:
        server = next((each for each in spec.split("//") if each.startswith("socket=")), "")
        if server and not answers(server.partition("=")[2]):
            raise UsageError(f"--tx {spec}: no server answers there")
        yield from ("--tx", f"{spec}//env:PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
    ours = [FAMILIES.parent, *(Path(str(each.__file__)).parent for each in (reference, strategies))]
    for folder in asked.lstm_rsyncdir:
        if not Path(folder).is_dir():
            raise UsageError(f"--rsyncdir {folder}: there is no such folder")
    for folder in (*ours, *asked.lstm_rsyncdir):
        yield f"--rsyncdir={folder}"


def _report(asked: argparse.Namespace, face: Face, errors: Console, code: int) -> int:
    """Print and write what a run found, and return the exit status; `code` is that of pytest."""
    from conformance.running.reporting.github import commands, without_commands
    from conformance.running.reporting.terminal import show
    from conformance.running.reporting.terminal.summary import outcome, summarize

    interrupted = face.interrupts.first
    if face.reporting is None:
        if interrupted is not None:
            return interrupted.status
        return _broke(errors, face.log.getvalue(), asked)
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
            with without_commands() if asked.lstm_github else nullcontext():
                console = show(run.verdicts, asked.lstm_quiet)
                (outcome if asked.lstm_quiet else summarize)(console, run)
            for line in commands(run.to_json()) if asked.lstm_github else ():
                print(line)
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
    if finished:
        return run.status
    if asked.lstm_fail_fast and not run.faultless and not (interrupted or run.broken):
        errors.print(f"stopped at the first red: {len(run.verdicts)} of {run.total} decided")
        return NOT_CONFORMANT
    if interrupted:
        text = f"interrupted: {len(run.verdicts)} of {run.total} decided"
        text += "; --resume goes on from there" if run.verdicts else ""
        errors.print(text, style="bold red", highlight=False)
        return interrupted.status
    return _broke(errors, "\n".join(run.broken) or face.log.getvalue(), asked)


def _broke(errors: Console, log: str, asked: argparse.Namespace) -> int:
    """Print that the run broke, and why: the disk is full, or what is in `log`."""
    root, why = Path(asked.lstm_reproductions), ""
    for folder in (Path(tempfile.gettempdir()), root if root.is_dir() else Path.cwd()):
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(b"\0")
        except OSError as error:
            why = f"nothing can be written to {folder}: {error.strerror}"
    text = "lstm-conformance: the run itself broke" + (why and f": {why}")
    errors.print(text, style="bold red", markup=False, highlight=False)
    if not why:
        errors.print(log, markup=False, highlight=False)
    return BROKEN
