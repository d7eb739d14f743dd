"""SCORE.md: which requirement catches which fault, and whether it still tells the truth."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from conformance import REQUIREMENTS, NotApplicable, Passed, Requirement, Verdict

from .examining import FEW, Examined
from .verifying import CUDA, QUICK, caught, size
from .zoo import FAMILIES, FAULTS, Fault, known_bugs

SCORE = Path(__file__).with_name("SCORE.md")
SEED = 0
"""The seed that SCORE.md is written with."""
DIGITS = "!123456789abcdefghijklmnopqrstuvwxyz+"
"""In which case a fault was caught, as one character; "!" where its process ended."""


def fingerprint(
    faults: Iterable[Fault] = FAULTS, requirements: Mapping[str, Requirement] = REQUIREMENTS
) -> str:
    """Of the source of every fault and requirement, and of what cases each requirement draws."""
    digest = hashlib.sha256()
    for each in requirements.values():
        drawn = sorted(each.cases.items()), each.share_of_cases, each.costly
        digest.update(f"{each.name} {drawn}\n{_source(each.body)}".encode())
    for fault in faults:
        digest.update(_source(fault).encode())
    return digest.hexdigest()[:16]


_source: Callable[[object], str] = functools.cache(inspect.getsource)


def stale(
    text: str,
    faults: Sequence[Fault] = FAULTS,
    requirements: Mapping[str, Requirement] = REQUIREMENTS,
) -> list[str]:
    """What SCORE.md, whose `text` is given, does not say as it is now."""
    listed = {line.rsplit(" | ", 4)[0] for line in text.splitlines() if line.count(" | ") == 7}
    rows = {row(fault) for fault in faults}
    counted = re.findall(r"^\| \d+ \| (\w+) \|", text, re.MULTILINE)
    said = [f"no row as now: {each}" for each in sorted(rows - listed)]
    said += [f"no such fault: {each}" for each in sorted(listed - rows - {row_of_heads()})]
    said += [f"no requirement listed: {name}" for name in requirements if name not in counted]
    said += [f"no such requirement: {name}" for name in counted if name not in requirements]
    if f"`{fingerprint(faults, requirements)}`" not in text:
        said.append("faults or requirements have changed since it was written")
    return said


HEADS = (
    *("fault", "confession", "known as", "caught by"),
    *("case", "numbers", "largest size", "requirements that catch it"),
)


def row_of_heads() -> str:
    return f"| {' | '.join(HEADS[:4])}"


def row(fault: Fault) -> str:
    """The beginning of a row of SCORE.md: what the fault says of itself."""
    bugs = known_bugs()
    links = []
    for bug in fault.bug.split():
        url = bugs[bug]["url"]
        links.append(f"[{bug}]({url})" if url else bug)
    bug = ", ".join(links) or "-"
    return f"| {fault.__name__} | {fault.__doc__} | {bug} | {fault.caught_by}"


def markdown(
    everything: Sequence[Examined], right: Sequence[Examined], summary: str, stamp: str
) -> str:
    """SCORE.md: what was found; `stamp` is the fingerprint of what was verified."""
    found = {each.name: each for each in everything}
    known = sum(bool(fault.bug) for fault in FAULTS)
    lines = [
        "# Faulty LSTMs and the requirements that catch them",
        "",
        f"Written by `python tests/faults/score.py --write` with seed {SEED}, from faults and "
        f"requirements whose fingerprint is `{stamp}`. The requirement that a fault names "
        f"has the quick profile of {QUICK} cases, each of the others its first {FEW}: they may "
        f"catch more than is shown here. {known} of {len(FAULTS)} faults stand for such as real "
        "implementations have had, or as are typical of hand-written ones (bugs.tsv).",
        "",
        *(f"- {line}" for line in summary.splitlines()),
    ]
    for family, faults in FAMILIES.items():
        lines += ["", f"## {family}", "", f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
        lines += [f"{row(fault)} | {measured(found.get(fault.__name__))} |" for fault in faults]
    lines += ["", "*case*: the case in which the requirement named first failed; *numbers*: how "]
    lines[-1] += "many are not zero in its counterexample, once shrunk."
    lines += ["", "## Right LSTMs in the same run", "", "| | passed | expected failures | "]
    lines[-1] += "not applicable |"
    lines += ["|---" * 4 + "|", *map(tally, right)]
    counts = Counter(name for each in everything for name in each.catchers)
    naming = Counter(fault.caught_by for fault in FAULTS)
    lines += ["", "## Requirements", "", "| | requirement | faults that name it | faults it "]
    lines[-1] += "catches |"
    lines += ["|---" * 4 + "|"]
    for number, name in enumerate(REQUIREMENTS, start=1):
        caught_by_it = "needs CUDA" if name in CUDA else counts[name]
        lines.append(f"| {number} | {name} | {naming[name]} | {caught_by_it} |")
    lines += ["", "## Faults and requirements", "", *matrix(everything)]
    return "\n".join(lines) + "\n"


def measured(examined: Examined | None) -> str:
    """The end of a row: case, size of the counterexample, and how many requirements catch it."""
    if examined is None or examined.verdict is None:
        return "needs CUDA | - | - | -"
    verdict = examined.verdict
    sizes = size(verdict)
    numbers, largest = ("-", "-") if sizes is None else map(str, sizes)
    return f"{verdict.cases} | {numbers} | {largest} | {len(examined.catchers)}"


def tally(right: Examined) -> str:
    """A row on an LSTM that must pass."""
    outcomes = Counter(verdict.outcome for verdict in right.verdicts.values())
    kinds = "passed", "expected failure", "not applicable"
    return f"| {right.name} | {' | '.join(str(outcomes[kind]) for kind in kinds)} |"


def matrix(everything: Sequence[Examined]) -> list[str]:
    """A line for each fault, a column for each requirement, in a block of code."""
    numbers = [f"{number:3}" for number in range(1, len(REQUIREMENTS) + 1)]
    heads = ["".join(number[digit] for number in numbers) for digit in range(3)]
    legend = (
        "A column for each requirement, numbered as above, read downwards. 1 to 9 and a to z: "
        "caught in the first to the thirty-fifth case; +: in a later one; !: its process died or "
        "hung; a dot: not caught; -: not applicable; ?: not tried, because its cases are large or "
        "many and the fault names another requirement, or because the fault had hung."
    )
    rows = ["".join(map(character, _verdicts(each))) + f" {each.name}" for each in everything]
    return [legend, "", "```", *(head.rstrip() for head in heads), *rows, "```"]


def _verdicts(examined: Examined) -> Iterable[Verdict | None]:
    return (examined.verdicts.get(name) for name in REQUIREMENTS)


def character(verdict: Verdict | None) -> str:
    """One verdict in the matrix; None stands for one that was not reached."""
    if isinstance(verdict, Passed):
        return "."
    if isinstance(verdict, NotApplicable):
        return "-"
    if verdict is None or not caught(verdict):
        return "?"
    return DIGITS[min(verdict.cases, len(DIGITS) - 1)]
