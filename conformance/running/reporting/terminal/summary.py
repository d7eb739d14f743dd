"""What follows the tables: what was declared and measured, counts, versions and the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from conformance.checking.verdict import Verdict
from conformance.running.reporting import coverage
from conformance.running.reporting.terminal.consoles import Indented
from conformance.running.reporting.terminal.tables import groups
from reference import Precision
from strategies import Support

if TYPE_CHECKING:
    from conformance.running.reporting.report import Run


def _measured(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was measured of each implementation and device, and what was judged by that."""
    for (implementation, device), group in groups(verdicts):
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


def _declared(circumstances: Mapping[str, Any]) -> Iterator[str]:
    """What each implementation does not offer, and which arithmetic it declares."""
    for name, supports in circumstances.get("supports", {}).items():
        lacking = Support(**supports).lacking()
        absent = [each for each in Support.results if each not in supports["results"]]
        declared = Precision(**circumstances["precision"][name]).described()
        for what, items in (
            ("does not take", lacking),
            ("does not return", absent),
            ("declares its precision", declared),
        ):
            if items:
                yield f"{name} {what}: {', '.join(items)}"


def _counted(run: Run) -> str:
    """Return how many verdicts there are of each outcome, the time, the seed and versions."""
    counts = Counter(verdict.outcome for verdict in run.verdicts)
    told = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing decided"
    versions = dict(reversed(run.circumstances.get("versions", {}).items()))
    for name in ("python", "torch", "numpy", "hypothesis"):
        if name in run.circumstances:
            versions[name] = run.circumstances[name]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{told} in {run.seconds:.0f} s; seed {run.seed}; {listed}"


def _switches(circumstances: Mapping[str, Any]) -> Iterator[str]:
    switches = circumstances.get("switches", {})
    if switches:
        told = ", ".join(f"{name} = {value}" for name, value in switches.items())
        yield f"float32 products exact: {told}"


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


def summarize(console: Console, run: Run, fits: bool = True) -> None:
    """Print declarations, counts, versions and, if everything was decided, the outcome.

    `fits` is whether what was verified is an LSTM by an adapter that was inferred for it.
    """
    of = run.circumstances
    for line in (
        *_declared(of),
        *of.get("absent", ()),
        *of.get("shortened", ()),
        *of.get("mended", ()),
        *_measured(run.verdicts),
        *coverage.lines(run),
        *expectations(run),
    ):
        console.print(Indented(line, style="dim"))
    console.print(Indented(_counted(run)))
    for line in (*_switches(of), *_devices(of)):
        console.print(Indented(line, style="dim"))
    outcome(console, run, fits)


def outcome(console: Console, run: Run, fits: bool = True) -> None:
    """Print whether the run is conformant, if everything was decided."""
    if len(run.verdicts) + len(run.left_out) < run.total:
        return
    for complaint in run.complaints:
        console.print(Indented(str(complaint), style="bold red"))
    right = run.conformant and fits
    word, style = ("conformant", "bold green") if right else ("not conformant", "bold red")
    if run.unchecked and run.faultless:
        word = f"nothing was checked of {', '.join(run.unchecked)}"
    elif run.too_little:
        word = "not enough was checked"
    console.print(Indented(word + coverage.caveat(run), style=style))
