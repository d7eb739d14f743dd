"""The verdicts of a run in the terminal: reds first, then tables, counts and the outcome."""

from conformance.running.reporting.terminal.consoles import console
from conformance.running.reporting.terminal.failures import failures
from conformance.running.reporting.terminal.showing import show
from conformance.running.reporting.terminal.summary import expectations, outcome, summarize
from conformance.running.reporting.terminal.tables import listed, render, table

__all__ = [
    "console",
    "expectations",
    "failures",
    "listed",
    "outcome",
    "render",
    "show",
    "summarize",
    "table",
]
