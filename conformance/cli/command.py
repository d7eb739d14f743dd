"""The command ``lstm-conformance``, and its smaller subcommands."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name

from conformance.cli.parser import parser
from conformance.cli.verify import verify
from conformance.cli.workflow import workflow
from conformance.errors import (
    BROKEN,
    CONFORMANT,
    INTERRUPTED,
    NOT_CONFORMANT,
    USAGE,
    Broken,
    Interrupted,
    UsageError,
)
from conformance.implementations.own_imports import OURS
from conformance.running import options
from conformance.running.limits import absent
from conformance.running.options.option import COMPARE, INFER, JUDGE, MATRIX, REPLAY, REPORT, VERIFY
from conformance.running.options.table import OPTIONS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of the process; return the exit status.

    It is 0 if conformant, 1 if not, 2 for wrong usage, 3 if the run itself broke or did not
    check enough, and 128 plus the number of the signal if one ended the run: 130 for Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # print a question mark for a character that the encoding of the terminal lacks
            stream.reconfigure(errors="replace")
    try:
        try:
            return _run(_parsed(arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # of --help and of lists: whoever read the output has read enough
        _print_nowhere()
        return CONFORMANT


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for; names may stand on both sides of an option."""
    asked, rest = parser(SUBCOMMANDS).parse_known_args(arguments)
    names = {VERIFY: "lstm", INFER: "names"}.get(asked.taker)
    if names and not any(word.startswith("-") for word in rest):
        getattr(asked, names).extend(rest)
    elif rest:
        asked.misused(f"unrecognized arguments: {' '.join(rest)}")
    return asked


def _print_nowhere() -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(asked: argparse.Namespace) -> int:
    decides = any(asked.taker in option.takers for option in OPTIONS)
    with OURS:
        try:
            options.check(vars(asked), asked.taker)
            if asked.taker in (INFER, REPLAY, JUDGE):
                for line in absent():
                    print(f"lstm-conformance: {line}", file=sys.stderr)
            code: int = asked.run(asked)
            sys.stdout.flush()
        except UsageError as error:
            print(f"lstm-conformance: {error}", file=sys.stderr)
            return USAGE
        except Broken as error:
            print(f"lstm-conformance: the run itself broke\n{error}", file=sys.stderr)
            return BROKEN
        except Interrupted as interrupted:
            return interrupted.status
        except BrokenPipeError:
            if not decides:
                raise
            _print_nowhere()
            return BROKEN
        except KeyboardInterrupt:
            return INTERRUPTED
        except SystemExit:  # of the parser
            raise
        except BaseException:  # of our own: 1, with which Python ends, would mean a red
            print("lstm-conformance: the run itself broke", file=sys.stderr)
            traceback.print_exc()
            return BROKEN
        return code


def _ci(asked: argparse.Namespace) -> int:
    print(workflow(asked.kind, asked.names), end="")
    return CONFORMANT


def _schema(asked: argparse.Namespace) -> int:
    from conformance.implementations.programs import protocol
    from conformance.running.reporting import report

    file = {"protocol": protocol.SCHEMA, "report": report.SCHEMA}[asked.what]
    print(file.read_text(encoding="utf-8"), end="")
    return CONFORMANT


def _requirements(_: argparse.Namespace) -> int:
    from rich.console import Console

    from conformance.requirements import REQUIREMENTS
    from conformance.running.reporting.terminal.tables import listed

    console = Console()
    if console.is_terminal:
        console.print(listed(REQUIREMENTS.values()))
        return CONFORMANT
    for item in REQUIREMENTS.values():
        print(item.name, item.level, item.claim, item.source, item.strength, sep="\t")
    return CONFORMANT


def _implementations(_: argparse.Namespace) -> int:
    from conformance.implementations.shipped import SHIPPED

    width = max(map(len, SHIPPED))
    for name, shipped in SHIPPED.items():
        extra = f" [{shipped.extra}]" if shipped.extra else ""
        print(f"{name:{width}} {shipped.text}{extra}")
    print('\n[extra]: pip install "lstm-conformance[extra]"')
    print("anything else: package.module:Class or path/to/file.py:Class")
    return CONFORMANT


def _infer(asked: argparse.Namespace) -> int:
    from conformance.inference.apart import infer_apart

    fitting = True
    for name in asked.names:
        lines, fits = infer_apart(name, asked.lstm_timeout, asked.lstm_memory)
        print("\n".join(lines))
        fitting &= fits
    return CONFORMANT if fitting else NOT_CONFORMANT


def _in(place: str) -> Callable[[argparse.Namespace], int]:
    """Return the subcommand at a place in this package, which is imported when it is called."""
    return lambda asked: int(resolve_name(f"conformance.cli.{place}")(asked))


def _report(asked: argparse.Namespace) -> int:
    from conformance.cli.reports import report

    for place in asked.places:
        _possible(place)
    return report(asked)


def _replay(asked: argparse.Namespace) -> int:
    from conformance.checking.verdict import Undecided, Verdict
    from conformance.cli.replay import finished, replay
    from conformance.running.reporting.terminal import show

    reds: list[Verdict] = []
    limits = asked.lstm_timeout, asked.lstm_memory
    for folder in finished(_possible(asked.folder)):
        verdict = replay(folder, asked.lstm_as, *limits, trust=asked.trust)
        console = show([verdict])
        if folder != asked.folder:
            console.print(f"reproduction: {folder}", markup=False, highlight=False)
        reds += [] if verdict.conformant else [verdict]
    if reds and all(isinstance(each, Undecided) for each in reds):
        return BROKEN
    return NOT_CONFORMANT if reds else CONFORMANT


def _possible(folder: Path) -> Path:
    """Return `folder`; raise :class:`UsageError` if nothing can have such a name."""
    try:
        folder.is_dir()
    except (OSError, ValueError):
        raise UsageError(f"there is no folder {str(folder)!r}") from None
    return folder


SUBCOMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    VERIFY: verify,
    REPLAY: _replay,
    REPORT: _report,
    INFER: _infer,
    JUDGE: _in("judge:judge"),
    COMPARE: _in("reports:compare"),
    MATRIX: _in("reports:matrix"),
    "requirements": _requirements,
    "implementations": _implementations,
    "schema": _schema,
    "ci": _ci,
}
"""What each subcommand does, by its name."""
