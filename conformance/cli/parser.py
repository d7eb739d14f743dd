"""What the command ``lstm-conformance`` takes."""

from __future__ import annotations

import argparse
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from conformance.cli.workflow import KINDS
from conformance.errors import USAGE
from conformance.running import options
from conformance.running.options.option import COMPARE, INFER, JUDGE, MATRIX, REPLAY, REPORT, VERIFY


class _Parser(argparse.ArgumentParser):
    """A parser that answers wrong usage with one line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where help is, and exit."""
        words = " ".join(message.split())
        self.exit(USAGE, f"{self.prog}: {words}; `{self.prog} --help` lists what there is\n")


def parser(run: Mapping[str, Callable[[argparse.Namespace], int]]) -> argparse.ArgumentParser:
    """Return the parser of the command; `run` has what each subcommand does, by its name."""
    made = _Parser(
        prog="lstm-conformance",
        description="Decide whether an LSTM computes the LSTM.",
        epilog="exit status: 0 conformant, 1 not conformant, 2 wrong usage, 3 not enough was "
        "checked or the run itself broke, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP",
    )
    version = importlib.metadata.version("lstm-conformance")
    made.add_argument("--version", action="version", version=f"lstm-conformance {version}")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help)
        added.set_defaults(taker=name, run=run[name], misused=added.error)
        options.add(added.add_argument, name)
        return added

    command(VERIFY, "decide whether implementations meet the requirements")
    again = command(REPLAY, "decide the case of one failure again")
    text = "the folder in the line 'reproduction: ' of a failure"
    again.add_argument("folder", type=Path, metavar="DIR", help=text)
    text = "run the recorded code or command although it is not from the current folder"
    again.add_argument("--trust", action="store_true", help=text)
    told = command(REPORT, "print a report, and write it in other forms")
    text = (
        "what --json wrote, by each shard of a run; or the folder of a run that was killed, "
        ".lstm-conformance/running-..."
    )
    told.add_argument("places", nargs="+", type=Path, metavar="FILE", help=text)
    inference = command(INFER, "find out how to verify a hand-written class")
    text = "package.module:Class, path/to/file.py:Class"
    inference.add_argument("names", nargs="+", metavar="NAME", help=text)
    text = "decide whether results of a given LSTM are right, with its weights and an input"
    judging = command(JUDGE, text)
    text = "a file with the weights: .pt, .safetensors, .npz, .onnx, .keras or TorchScript"
    judging.add_argument("weights", metavar="WEIGHTS", help=text)
    text = "say what changed from one report of verify --json to another; 1 if something got worse"
    comparing = command(COMPARE, text)
    comparing.add_argument("old", metavar="OLD", help="the earlier report")
    comparing.add_argument("new", metavar="NEW", help="the later report")
    text = "put reports of several implementations, versions and devices side by side"
    matrix = command(MATRIX, text)
    matrix.add_argument(
        "reports", nargs="+", metavar="REPORT", help="what verify --json wrote, or a folder of it"
    )
    text = "list every requirement; in a pipe one per line: name, level, claim, source, strength"
    command("requirements", text)
    command("implementations", "list the implementations known by name")
    text = "print the JSON Schema of the protocol of --command, or of the report"
    schema = command("schema", text)
    text = "the lines that a --command reads and writes (default), or the file that --json writes"
    kinds = ["protocol", "report"]
    schema.add_argument("what", nargs="?", choices=kinds, default=kinds[0], help=text)
    text = "print a workflow for continuous integration, to be copied"
    ci = command("ci", text)
    ci.add_argument("kind", choices=KINDS, help="the service that runs it")
    text = "what it verifies, as for verify"
    ci.add_argument("names", nargs="*", metavar="NAME", help=text)
    return made
