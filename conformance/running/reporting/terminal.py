"""The verdicts of a run in the terminal: tables, failures, counts and the outcome."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import (
    Crashed,
    Diagnosis,
    Failed,
    FailedShould,
    NotApplicable,
    TimedOut,
    Undecided,
    Verdict,
)
from reference import Precision
from strategies import Support

if TYPE_CHECKING:
    from conformance.running.reporting.report import Run

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "crashed": "bold red",
    "timed out": "bold red",
    "undecided": "red",
    "not applicable": "dim",
    "expected failure": "yellow",
    "unexpected pass": "bold red",
    "failed should": "magenta",
}

MANY = 3
"""The number of failures from which a common explanation is printed once, before all of them."""


def render(verdicts: Sequence[Verdict]) -> RenderableType:
    """Return a table for each implementation and device, or a line if nothing is applicable."""
    parts: list[RenderableType] = []
    for (implementation, device), group in _groups(verdicts):
        reasons = {verdict.reason for verdict in group}
        if len(reasons) == 1 and all(isinstance(verdict, NotApplicable) for verdict in group):
            text = f"{implementation} on {device}: {_requirements(len(group))} not applicable, "
            parts.append(Text(text + reasons.pop(), style="dim"))
            continue
        rows = Table(title_justify="left")
        rows.title = Text(f"{implementation} on {device}", style="table.title")
        rows.add_column("requirement", no_wrap=True)
        rows.add_column("verdict")
        for name in ("cases", "share of bound", "seconds"):
            rows.add_column(name, justify="right")
        for verdict in group:
            if not isinstance(verdict, NotApplicable):
                rows.add_row(*_cells(verdict))
        parts += [rows, *_not_applicable(group)]
    return Group(*parts)


def _cells(verdict: Verdict) -> tuple[str | Text, ...]:
    # the share of the cases before a failure would look as if the failure were within its bound
    failed = isinstance(verdict, (Failed, FailedShould, Crashed, TimedOut))
    share = None if failed else verdict.largest_share
    return (
        verdict.requirement,
        Text(verdict.outcome, style=STYLES[verdict.outcome]),
        str(verdict.cases or ""),
        "" if share is None else f"{share:.1%}",
        f"{verdict.seconds:.1f}" if not isinstance(verdict, Undecided) else "",
    )


def _not_applicable(group: Sequence[Verdict]) -> list[Text]:
    """Return a line for each reason why requirements are not applicable, with their names."""
    names: dict[str, list[str]] = {}
    for verdict in group:
        if isinstance(verdict, NotApplicable):
            names.setdefault(verdict.reason, []).append(verdict.requirement)
    return [
        Text(f"not applicable, {reason}: {', '.join(named)}", style="dim")
        for reason, named in names.items()
    ]


def failures(verdicts: Iterable[Verdict]) -> RenderableType:
    """Return the details of each failure, of those that decide first.

    What many verdicts have in common comes first, and is not repeated: that the time was up before
    their requirements were tried, or an explanation.
    """
    parts: list[Text] = []
    for (implementation, device), group in _groups(
        sorted((each for each in verdicts if each.explained), key=lambda each: each.conformant)
    ):
        where = f"{implementation} on {device}"
        undecided = [each for each in group if isinstance(each, Undecided)]
        for reason, count in Counter(verdict.reason for verdict in undecided).items():
            parts.append(
                Text(f"\n{where}: undecided, {reason}: {_requirements(count)}", style="bold red")
            )
        decided = [verdict for verdict in group if verdict not in undecided]
        counts = Counter(filter(None, map(_explanations, decided)))
        common = {sentences: count for sentences, count in counts.items() if count >= MANY}
        for sentences, count in common.items():
            line = f"{count} of {len(decided)} have the same explanation: "
            parts.append(Text(f"\n{where}: {line}{' '.join(sentences)}", style="bold"))
        for verdict in decided:
            line = f"\n{where}: {verdict.requirement} {verdict.outcome}"
            parts.append(Text(line, style=STYLES[verdict.outcome]))
            short = _shortened(verdict) if _explanations(verdict) in common else verdict
            parts += [Text(f"  {line}") for line in short.lines()]
    return Group(*parts)


def _explanations(verdict: Verdict) -> tuple[str, ...]:
    """Return the sentences of the diagnosis that explain the results."""
    return verdict.counterexample.diagnosis.explanations if verdict.counterexample else ()


def _shortened(verdict: Verdict) -> Verdict:
    """Return `verdict` with only the first part of its diagnosis: where the results differ."""
    assert verdict.counterexample is not None
    short = Diagnosis(parted=verdict.counterexample.diagnosis.parted)
    return replace(verdict, counterexample=replace(verdict.counterexample, diagnosis=short))


def _requirements(count: int) -> str:
    return f"{count} requirement{'s' * (count != 1)}"


def listed(requirements: Collection[Requirement]) -> RenderableType:
    """Return a table of requirements; their names are never wrapped, however narrow it is."""
    rows = Table(title=f"{len(requirements)} requirements", title_justify="left", show_lines=True)
    rows.add_column("requirement, level, strength", no_wrap=True)
    rows.add_column("claim, source")
    for each in requirements:
        dim = Text(f"\n{each.source}", style="dim")
        rows.add_row(f"{each.name}\n{each.level}, {each.strength}", Text(each.claim) + dim)
    return rows


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the tables as plain text."""
    buffer = io.StringIO()
    Console(file=buffer, width=100, color_system=None).print(render(verdicts))
    return buffer.getvalue()


def _groups(
    verdicts: Sequence[Verdict],
) -> list[tuple[tuple[str, str], list[Verdict]]]:
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.implementation, verdict.device), []).append(verdict)
    return list(groups.items())


class _Plainly(Console):
    """A console that raises BrokenPipeError where rich would exit with 1, which is a verdict."""

    def on_broken_pipe(self) -> None:
        """Raise the error at hand."""
        raise


def show(verdicts: Sequence[Verdict]) -> Console:
    """Print the tables and the failures, and return the console for what follows."""
    console = _Plainly(width=None if sys.stdout.isatty() else 120)
    console.print(render(verdicts))
    console.print(failures(verdicts))
    return console


def _measured(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was measured of each implementation and device, and what was judged by that."""
    for (implementation, device), group in _groups(verdicts):
        where = f"{implementation} on {device}"
        figures = dict.fromkeys(line for verdict in group for line in verdict.figures)
        judged = dict.fromkeys(line for verdict in group for line in verdict.judged_by)
        if figures:
            yield f"{where}, largest errors in unit roundoffs: {', '.join(figures)}"
        if judged:
            yield f"{where} is judged by: {', '.join(judged)}"


def _devices(circumstances: Mapping[str, Any]) -> Iterator[str]:
    """The CUDA devices of a run and what torch computes with on them."""
    cuda = circumstances.get("cuda")
    if cuda:
        yield from (f"{name}: {told}" for name, told in cuda["devices"].items())
        used = "in use" if cuda["cudnn_used"] else "not in use"
        yield f"driver {cuda['driver']}, CUDA {cuda['cuda']}, cuDNN {cuda['cudnn']} {used}"


def expectations(run: Run) -> Iterator[str]:
    """Yield which file of expected failures is used, and which of its entries apply nowhere."""
    expected = run.expected
    if expected.file:
        count = len({each.entry.at for each in expected.applied if not each.entry.shipped})
        every = count + len(expected.unjudged)
        yield f"{count} of {every} expected failures in {expected.file} apply"
        reasons: dict[str, list[str]] = {}
        for at, why in expected.unjudged.items():
            reasons.setdefault(why, []).append(at)
        yield from (f"not judged, {why}: {', '.join(places)}" for why, places in reasons.items())


def summarize(console: Console, run: Run) -> None:
    """Print declarations, counts, versions and, if everything was decided, the outcome."""
    for name, supports in run.circumstances.get("supports", {}).items():
        lacking = Support(**supports).lacking()
        absent = [each for each in Support.results if each not in supports["results"]]
        declared = Precision(**run.circumstances["precision"][name]).described()
        for what, items in (
            ("does not take", lacking),
            ("does not return", absent),
            ("declares its precision", declared),
        ):
            if items:
                line = f"{name} {what}: {', '.join(items)}"
                console.print(line, style="dim", markup=False, soft_wrap=True)
    for line in (*run.circumstances.get("absent", ()), *run.circumstances.get("shortened", ())):
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
    for line in _measured(run.verdicts):
        console.print(line, style="dim", markup=False, soft_wrap=True)
    for line in expectations(run):
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
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
        f"{name} = {value}" for name, value in run.circumstances.get("switches", {}).items()
    )
    console.print(f"{told} in {run.seconds:.0f} s; seed {run.seed}; {versions}", highlight=False)
    if switches:
        console.print(f"float32 products exact: {switches}", style="dim", highlight=False)
    for line in _devices(run.circumstances):
        console.print(line, style="dim", highlight=False, markup=False)
    if len(run.verdicts) < run.total:
        return
    for complaint in run.complaints:
        style = "bold red"
        console.print(str(complaint), style=style, markup=False, highlight=False, soft_wrap=True)
    word, style = ("conformant", "bold green") if run.conformant else ("not conformant", "bold red")
    if run.unchecked and run.faultless:
        word = f"nothing was checked of {', '.join(run.unchecked)}"
    console.print(word, style=style, markup=False)
