"""What a call of :func:`conformance.verify` found."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from conformance.checking.verdict import Verdict
from conformance.inference.inference import Inference
from conformance.recording.json import write_text
from conformance.running.reporting.pages.run import html
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal.failures import failures
from conformance.running.reporting.terminal.summary import summarize
from conformance.running.reporting.terminal.tables import render

WIDTH = 100
"""The number of columns of a report as text."""
PAGE = "<pre style='line-height:1.2; white-space:pre-wrap'>{code}</pre>"


@dataclass(frozen=True, repr=False)
class Report:
    """The verdicts of a run, which are in `run`, and the adapters that were `inferred`, by name.

    In a notebook it shows itself as a table.
    """

    run: Run
    inferred: Mapping[str, Inference] = field(default_factory=dict)

    @property
    def conformant(self) -> bool:
        """Whether every verdict is there and conformant, and every inferred adapter fits."""
        return self.run.conformant and all(each.fits for each in self.inferred.values())

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts, in the order of what was verified, devices and requirements."""
        return tuple(self.run.verdicts)

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The verdicts that are not conformant."""
        return tuple(each for each in self.run.verdicts if not each.conformant)

    def to_json(self) -> dict[str, Any]:
        """Return the report, as `lstm-conformance schema report` describes it."""
        return {**self.run.to_json(), "conformant": self.conformant}

    def __bool__(self) -> bool:
        """Refuse to be taken for a verdict: a report is true whatever it says."""
        raise TypeError("a Report is neither true nor false: ask for report.conformant")

    def __repr__(self) -> str:
        """Show failures, counts and the outcome as text."""
        console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
        self._print(console, table=False)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().strip()

    def save_html(self, path: Path | str) -> None:
        """Write the page of the run, one file that needs nothing else; raises :class:`OSError`."""
        write_text(Path(path), html(self.to_json()))

    def _repr_html_(self) -> str:
        """Show tables, failures, counts and the outcome in a notebook."""
        console = Console(file=io.StringIO(), width=WIDTH, record=True, force_jupyter=False)
        self._print(console, table=True)
        return console.export_html(inline_styles=True, code_format=PAGE)

    def _print(self, console: Console, table: bool) -> None:
        for name, found in self.inferred.items():
            by = "is verified by this" if found.fits else "is not an LSTM; this is the nearest"
            console.print(f"{name} {by} adapter:", markup=False, highlight=False)
            for line in found.mapping():
                told = line if not line.startswith("#") else _comment(line, console.width)
                console.print(told, markup=False, highlight=False)
        if table:
            console.print(render(self.run.verdicts))
        console.print(failures(self.run.verdicts))
        summarize(console, self.run, all(each.fits for each in self.inferred.values()))


def _comment(line: str, width: int) -> str:
    """Wrap a comment to lines that are comments."""
    return textwrap.fill(line, width, subsequent_indent="#   ", break_long_words=False)
