"""What follows the tables: declarations, what was exercised and measured, and the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console

from conformance.checking.cells import Cells, cases
from conformance.checking.verdict import Verdict, by_target, grouped
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.circumstances import declarations
from conformance.running.reporting.floor import exercised
from conformance.running.reporting.terminal.consoles import Indented

if TYPE_CHECKING:
    from conformance.running.reporting.report import Run


FEWEST = 4
"""How many of the cells with the fewest cases are named."""


def coverage(run: Run) -> Iterator[str]:
    """Yield what each implementation was exercised with on each device, and what is missing."""
    for (implementation, device), cells in exercised(run.verdicts).items():
        if cells:
            yield f"{implementation} on {device}, exercised: {_exercised(cells)}"
    if run.shard:
        yield f"shard {run.shard}: whether enough was checked, only all shards together show"
    for short in run.not_enough:
        yield f"not enough was checked: {short.line()}"
    if run.left_out:
        names = ", ".join(dict.fromkeys(sorted(run.left_out)))
        yield f"left out by the time budget: {names}"


def _exercised(cells: Cells) -> str:
    """Return the number of cases, those in each dtype, and the cells with the fewest cases."""
    dtypes = ", ".join(f"{name} {count}" for name, count in cells.get("dtype", {}).items())
    others = [
        (count, f"{axis} {value}")
        for axis, counts in cells.items()
        for value, count in counts.items()
        if axis != "dtype"
    ]
    fewest = ", ".join(f"{name} {count}" for count, name in sorted(others)[:FEWEST])
    return f"{cases(cells)} cases, {dtypes}; fewest: {fewest}"


def _caveat(run: Run) -> str:
    """Return what the last line has to add to the outcome: what must be met and was left out."""
    missing = {
        name for name in run.left_out if name in REQUIREMENTS and not REQUIREMENTS[name].should
    }
    musts = f"{len(missing)} must{'s' * (len(missing) > 1)}"
    return f", without {musts} that the time budget left out" if missing else ""


def _measured(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was measured of each implementation and device, and what was judged by that."""
    for (implementation, device), group in by_target(verdicts).items():
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
        unjudged = expected.unjudged
        for why, places in grouped(unjudged, unjudged.__getitem__).items():
            yield f"not judged, {why}: {', '.join(places)}"


def summarize(console: Console, run: Run, fits: bool = True) -> None:
    """Print declarations, counts, versions and, if everything was decided, the outcome.

    `fits` is whether what was verified is an LSTM by an adapter that was inferred for it.
    """
    of = run.circumstances
    for line in (
        *(
            f"{name} {what}: {', '.join(items)}"
            for name, said in declarations(of)
            for what, items in said
        ),
        *of.get("absent", ()),
        *of.get("shortened", ()),
        *of.get("mended", ()),
        *_measured(run.verdicts),
        *coverage(run),
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
    word = run.outcome if fits or not run.conformant else "not conformant"
    if run.unchecked and run.faultless:
        word += f" of {', '.join(run.unchecked)}"
    console.print(Indented(word + _caveat(run), style="bold green" if right else "bold red"))
