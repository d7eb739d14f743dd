"""The command line: ``lstm-conformance verify``, ``infer``, and what lists what there is."""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.packages import OURS

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
INTERRUPTED = 130

PASSED_ON = (
    *("max_examples", "timeout", "time_limit", "memory", "seed", "device", "dtype", "precision"),
    *("level", "reproductions", "json"),
)
"""Options that the pytest plugin has under the same names, with the prefix ``--lstm``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns 0 conformant, 1 not, 2 wrong usage, 3 the run itself broke, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # what the encoding of the terminal has not is told as a question mark
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    with OURS:
        code: int = options.command(options)
        return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lstm-conformance",
        description="Decide whether an LSTM computes the LSTM.",
        epilog="exit status: 0 conformant, 1 not conformant, 2 wrong usage, 3 the run broke, "
        "130 interrupted",
    )
    version = importlib.metadata.version("lstm-conformance")
    parser.add_argument("--version", action="version", version=f"lstm-conformance {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check implementations against the requirements")
    verify.set_defaults(command=_verify, misused=verify.error)
    verify.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="torch.nn.LSTM, torch.nn.LSTMCell, stacked-cells, package.module:Class, "
        "path/to/file.py:Class",
    )
    verify.add_argument(
        "--command",
        action="append",
        default=[],
        dest="commands",
        metavar="COMMAND",
        help="a program in whatever language, which reads cases and writes results; repeat",
    )
    verify.add_argument("--profile", choices=["quick", "default", "thorough"], default="default")
    verify.add_argument("--max-examples", type=int, metavar="N", help="cases per requirement")
    verify.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="per requirement and implementation"
    )
    verify.add_argument("--time-limit", type=float, metavar="SECONDS", help="for the whole run")
    verify.add_argument("--memory", type=float, metavar="GIB", help="for each worker, 8 by default")
    verify.add_argument("--seed", type=int, metavar="N", help="draw the same cases again")
    verify.add_argument("--device", default="", metavar="LIST", help="such as cpu,cuda")
    verify.add_argument("--dtype", default="", metavar="LIST", help="such as float32,bfloat16")
    verify.add_argument(
        "--precision",
        default="",
        metavar="LIST",
        help="declare an arithmetic that is not the dtype's own, such as products=tf32",
    )
    verify.add_argument(
        "--requirement", action="append", default=[], metavar="NAME", help="only this one; repeat"
    )
    verify.add_argument(
        "--level", default="", metavar="LIST", help="only of these levels, such as core,sequence"
    )
    verify.add_argument("-n", "--workers", type=int, default=2, metavar="WORKERS")
    verify.add_argument("--json", metavar="FILE", help="write the report to this file")
    verify.add_argument(
        "--reproductions",
        metavar="DIR",
        default=".lstm-conformance",
        help="where each failure leaves a script that shows it (default: .lstm-conformance)",
    )
    again = commands.add_parser("replay", help="run the case of a reproduction again")
    again.set_defaults(command=_replay)
    again.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="the folder named in a failure's line 'reproduction: '",
    )
    again.add_argument("--as", dest="name", metavar="NAME", help="another implementation instead")
    again.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS")
    inference = commands.add_parser("infer", help="find out how a hand-written class is verified")
    inference.set_defaults(command=_infer)
    inference.add_argument(
        "names", nargs="+", metavar="NAME", help="package.module:Class, path/to/file.py:Class"
    )
    inference.add_argument(
        "--timeout", type=float, default=120.0, metavar="SECONDS", help="for each NAME"
    )
    listing = commands.add_parser(
        "requirements",
        help="list every requirement; in a pipe one a line: name, level, claim, source",
    )
    listing.set_defaults(command=_requirements)
    shipped = commands.add_parser("implementations", help="list the implementations known by name")
    shipped.set_defaults(command=_implementations)
    schema = commands.add_parser("schema", help="print the JSON Schema of what a --command speaks")
    schema.set_defaults(command=_schema)
    return parser


def _schema(_: argparse.Namespace) -> int:
    from conformance.protocol import SCHEMA

    print(SCHEMA.read_text(encoding="utf-8"), end="")
    return CONFORMANT


def _requirements(_: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.requirements import REQUIREMENTS
    from conformance.table import listed

    console = Console()
    if console.is_terminal:
        console.print(listed(REQUIREMENTS.values()))
        return CONFORMANT
    for item in REQUIREMENTS.values():
        print(item.name, item.level, item.claim, item.source, sep="\t")
    return CONFORMANT


def _implementations(_: argparse.Namespace) -> int:
    from conformance.loading import FORMS
    from conformance.shipped import SHIPPED

    width = max(map(len, SHIPPED))
    for name, shipped in SHIPPED.items():
        extra = f" [{shipped.extra}]" if shipped.extra else ""
        print(f"{name:{width}} {shipped.text}{extra}")
    print('\n[extra]: pip install "lstm-conformance[extra]"')
    print(f"anything else: {FORMS}")
    return CONFORMANT


def _infer(options: argparse.Namespace) -> int:
    from conformance.errors import UsageError
    from conformance.inference.apart import infer_apart

    fitting = True
    for name in options.names:
        try:
            found = infer_apart(name, options.timeout)
        except UsageError as error:
            print(f"lstm-conformance: {error}", file=sys.stderr)
            return USAGE
        print("\n".join(found.lines))
        fitting &= found.fits
    return CONFORMANT if fitting else NOT_CONFORMANT


def _verify(options: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.plugin import FAMILIES
    from conformance.progress import Face
    from conformance.summary import show, summarize

    errors = Console(stderr=True, soft_wrap=True)
    if not options.names and not options.commands:
        options.misused("give a NAME or a --command")
    problem = _problem(options)
    if problem:
        errors.print(f"lstm-conformance: {problem}", markup=False, highlight=False)
        return USAGE
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [
        str(FAMILIES),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FAMILIES.parent)),
        *("-p", "xdist", "-p", "pytest_timeout", "-p", "conformance.plugin"),
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
    face = Face(errors)
    with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        code = pytest.main(arguments, plugins=[face])
    run = face.run
    if run is not None and run.usage_errors:
        for line in run.usage_errors:
            errors.print(f"lstm-conformance: {line}", markup=False, highlight=False)
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


def _replay(options: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.errors import UsageError
    from conformance.replay import finished, replay
    from conformance.summary import show

    try:
        folder = finished(options.folder)
        verdict = replay(folder, options.name, options.timeout)
    except UsageError as error:
        errors = Console(stderr=True, soft_wrap=True)
        errors.print(f"lstm-conformance: {error}", markup=False, highlight=False)
        return USAGE
    console = show([verdict])
    if folder != options.folder:
        console.print(f"reproduction: {folder}", markup=False, highlight=False)
    return CONFORMANT if verdict.conformant else NOT_CONFORMANT


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
