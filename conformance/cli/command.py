"""The command ``lstm-conformance``: its parser and its smaller subcommands."""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from conformance.cli.verify import verify
from conformance.errors import (
    BROKEN,
    CONFORMANT,
    INTERRUPTED,
    NOT_CONFORMANT,
    USAGE,
    Broken,
    UsageError,
)
from conformance.implementations.own_imports import OURS
from conformance.running import options
from conformance.running.limits import absent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of the process; return the exit status.

    It is 0 if conformant, 1 if not, 2 for wrong usage, 3 if the run itself broke, 130 if the run
    was interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # print a question mark for a character that the encoding of the terminal lacks
            stream.reconfigure(errors="replace")
    asked = _parser().parse_args(arguments)
    with OURS:
        try:
            options.check(vars(asked), asked.taker)
            if asked.taker in (options.INFER, options.REPLAY):
                for line in absent():
                    print(f"lstm-conformance: {line}", file=sys.stderr)
            code: int = asked.run(asked)
        except UsageError as error:
            print(f"lstm-conformance: {error}", file=sys.stderr)
            return USAGE
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
        epilog="exit status: 0 conformant, 1 not conformant, 2 wrong usage, 3 the run itself "
        "broke, 130 interrupted",
    )
    version = importlib.metadata.version("lstm-conformance")
    parser.add_argument("--version", action="version", version=f"lstm-conformance {version}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help)
        added.set_defaults(taker=name, run=run, misused=added.error)
        options.add(added.add_argument, name)
        return added

    command(options.VERIFY, verify, "decide whether implementations meet the requirements")
    again = command(options.REPLAY, _replay, "decide the case of one failure again")
    text = "the folder in the line 'reproduction: ' of a failure"
    again.add_argument("folder", type=Path, metavar="DIR", help=text)
    inference = command(options.INFER, _infer, "find out how to verify a hand-written class")
    text = "package.module:Class, path/to/file.py:Class"
    inference.add_argument("names", nargs="+", metavar="NAME", help=text)
    text = "decide whether results of a given LSTM are right, with its weights and an input"
    judging = command(options.JUDGE, _judge, text)
    text = "a file with the weights: .pt, .safetensors, .npz, .onnx, .keras or TorchScript"
    judging.add_argument("weights", metavar="WEIGHTS", help=text)
    text = "list every requirement; in a pipe one per line: name, level, claim, source"
    command("requirements", _requirements, text)
    command("implementations", _implementations, "list the implementations known by name")
    text = "print the JSON Schema of the protocol of --command, or of the report"
    schema = command("schema", _schema, text)
    text = "the lines that a --command reads and writes (default), or the file that --json writes"
    kinds = ["protocol", "report"]
    schema.add_argument("what", nargs="?", choices=kinds, default=kinds[0], help=text)
    return parser


def _schema(asked: argparse.Namespace) -> int:
    from conformance.implementations.programs import protocol
    from conformance.running.reporting import report

    file = {"protocol": protocol.SCHEMA, "report": report.SCHEMA}[asked.what]
    print(file.read_text(encoding="utf-8"), end="")
    return CONFORMANT


def _requirements(_: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.requirements import REQUIREMENTS
    from conformance.running.reporting.terminal import listed

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


def _infer(asked: argparse.Namespace) -> int:
    from conformance.inference.apart import infer_apart

    fitting = True
    for name in asked.names:
        lines, fits = infer_apart(name, asked.lstm_timeout, asked.lstm_memory)
        print("\n".join(lines))
        fitting &= fits
    return CONFORMANT if fitting else NOT_CONFORMANT


def _judge(asked: argparse.Namespace) -> int:
    from conformance.cli.judge import judge

    return judge(asked)


def _replay(asked: argparse.Namespace) -> int:
    from conformance.cli.replay import finished, replay
    from conformance.running.reporting.terminal import show

    folder = finished(asked.folder)
    verdict = replay(folder, asked.lstm_as, asked.lstm_timeout, asked.lstm_memory)
    console = show([verdict])
    if folder != asked.folder:
        console.print(f"reproduction: {folder}", markup=False, highlight=False)
    return CONFORMANT if verdict.conformant else NOT_CONFORMANT
