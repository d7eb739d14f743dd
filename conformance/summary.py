"""What the command line prints when all is decided."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from conformance.table import failures, render
from conformance.verdict import Verdict
from reference import Precision
from strategies import Support

if TYPE_CHECKING:
    from conformance.run import Run


def show(verdicts: Sequence[Verdict]) -> Console:
    """Print the table of verdicts and the failures; gives the console for what follows."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(render(verdicts))
    console.print(failures(verdicts))
    return console


def summarize(console: Console, run: Run) -> None:
    """Print what is declared, counts, versions and, if everything was decided, the outcome."""
    for name, supports in run.circumstances.get("supports", {}).items():
        lacking = Support(**supports).lacking()
        absent = [each for each in Support.results if each not in supports["results"]]
        declared = Precision(**run.circumstances["precision"][name]).described()
        for what, said in (
            ("does not take", lacking),
            ("does not return", absent),
            ("declares its precision", declared),
        ):
            if said:
                line = f"{name} {what}: {', '.join(said)}"
                console.print(line, style="dim", markup=False, soft_wrap=True)
    counts = Counter(verdict.outcome for verdict in run.verdicts)
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    versions = ", ".join(
        f"{name} {run.circumstances[name]}"
        for name in ("python", "torch", "numpy", "hypothesis")
        if name in run.circumstances
    )
    for name, version in run.circumstances.get("versions", {}).items():
        versions = f"{name} {version}, {versions}"
    switches = ", ".join(
        f"{name} = {value}" for name, value in run.circumstances.items() if name.endswith("32")
    )
    console.print(f"{told} in {run.seconds:.0f} s; seed {run.seed}; {versions}", highlight=False)
    if switches:
        console.print(f"float32 products exact: {switches}", style="dim", highlight=False)
    if len(run.verdicts) < run.total:
        return
    word, style = ("conformant", "bold green") if run.conformant else ("not conformant", "bold red")
    console.print(word, style=style)
