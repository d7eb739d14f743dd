"""The command line: ``lstm-conformance verify``, ``infer``, and what lists what there is."""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.checking.budget import MEMORY
from conformance.cli.verify import add_options
from conformance.errors import Broken
from conformance.implementations.own_imports import OURS
from conformance.running.child import TIMEOUT
from conformance.running.exits import BROKEN, CONFORMANT, INTERRUPTED, NOT_CONFORMANT, wrong_usage


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
        try:
            code: int = options.command(options)
        except Broken as error:
            print(f"lstm-conformance: the run itself broke\n{error}", file=sys.stderr)
            return BROKEN
        except KeyboardInterrupt:
            return INTERRUPTED
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
    add_options(verify)
    again = commands.add_parser("replay", help="run the case of a reproduction again")
    again.set_defaults(command=_replay)
    again.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="the folder named in a failure's line 'reproduction: '",
    )
    again.add_argument("--as", dest="name", metavar="NAME", help="another implementation instead")
    _add_limits(again, "for the case")
    inference = commands.add_parser("infer", help="find out how a hand-written class is verified")
    inference.set_defaults(command=_infer)
    inference.add_argument(
        "names", nargs="+", metavar="NAME", help="package.module:Class, path/to/file.py:Class"
    )
    _add_limits(inference, "for each NAME")
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


def _add_limits(parser: argparse.ArgumentParser, told: str) -> None:
    told += f", {TIMEOUT:g} by default"
    parser.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help=told)
    parser.add_argument(
        "--memory", type=float, default=MEMORY, metavar="GIB", help=f"{MEMORY} by default"
    )


def _schema(_: argparse.Namespace) -> int:
    from conformance.implementations.programs.protocol import SCHEMA

    print(SCHEMA.read_text(encoding="utf-8"), end="")
    return CONFORMANT


def _requirements(_: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.reporting.terminal import listed
    from conformance.requirements import REQUIREMENTS

    console = Console()
    if console.is_terminal:
        console.print(listed(REQUIREMENTS.values()))
        return CONFORMANT
    for item in REQUIREMENTS.values():
        print(item.name, item.level, item.claim, item.source, sep="\t")
    return CONFORMANT


def _implementations(_: argparse.Namespace) -> int:
    from conformance.implementations.loading import FORMS
    from conformance.implementations.shipped import SHIPPED

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
            found = infer_apart(name, options.timeout, options.memory)
        except UsageError as error:
            return wrong_usage(str(error))
        print("\n".join(found.lines))
        fitting &= found.fits
    return CONFORMANT if fitting else NOT_CONFORMANT


def _replay(options: argparse.Namespace) -> int:
    from conformance.cli.replay import finished, replay
    from conformance.errors import UsageError
    from conformance.reporting.terminal import show

    try:
        folder = finished(options.folder)
        verdict = replay(folder, options.name, options.timeout, options.memory)
    except UsageError as error:
        return wrong_usage(str(error))
    console = show([verdict])
    if folder != options.folder:
        console.print(f"reproduction: {folder}", markup=False, highlight=False)
    return CONFORMANT if verdict.conformant else NOT_CONFORMANT
