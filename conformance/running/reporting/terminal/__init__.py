"""The verdicts of a run in the terminal: reds first, then tables, counts and the outcome."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from conformance.checking.verdict import Verdict
from conformance.running.reporting.terminal.consoles import console
from conformance.running.reporting.terminal.failures import failures
from conformance.running.reporting.terminal.tables import render


def show(verdicts: Sequence[Verdict], quiet: bool = False) -> Console:
    """Print the failures and, unless `quiet`, the tables; return the console for what follows."""
    printed = console()
    printed.print(failures(verdicts))
    if not quiet:
        printed.print(render(verdicts))
    return printed
