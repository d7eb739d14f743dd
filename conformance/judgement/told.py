"""The answer in words: a table of verdicts, what they say, and what rounding does to the case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from conformance.judgement.comparing import Compared
from conformance.judgement.judging import Answer
from conformance.judgement.verdict import NoResult, Unsaid, Wrong

STYLES = {
    "right": "green",
    "wrong": "bold red",
    "nothing can be said": "yellow",
    "no result": "dim",
}
MANY = 3.0
"""How many times what is expected a difference may be before that is said."""


def table(answers: Sequence[Answer]) -> Table:
    """Make the table, a row for each implementation, device and dtype."""
    made = Table()
    for column in ("implementation", "device", "dtype", "verdict"):
        made.add_column(column, no_wrap=column != "implementation")
    made.add_column("largest error, in bounds", justify="right")
    made.add_column("from")
    for answer in answers:
        verdict = answer.verdict
        place = verdict.place if isinstance(verdict, (Wrong, Unsaid)) else None
        share = "" if isinstance(verdict, NoResult) else verdict.shown(".3g")
        made.add_row(
            Text(verdict.implementation),
            verdict.device,
            verdict.dtype,
            Text(verdict.outcome, style=STYLES[verdict.outcome]),
            share,
            "" if place is None else str(place),
        )
    return made


def lines(answers: Sequence[Answer], groups: Sequence[Compared]) -> Iterator[str]:
    """Yield what is to be said below the table: verdicts that need words, then rounding."""
    right = [each.verdict for each in answers if each.verdict.outcome == "right"]
    if len(right) == len(answers):
        yield {1: f"{right[0].subject} is right.", 2: "Both are right."}.get(
            len(right), f"All {len(right)} are right."
        )
    else:
        for answer in answers:
            yield from answer.verdict.lines()
    for group in groups:
        yield from rounding(group)


def rounding(group: Compared) -> Iterator[str]:
    """Yield how the case takes rounding, and how what is seen compares with that."""
    estimate, dtype = group.sensitivity, group.dtype
    growth = f"{estimate.growth:.2g}"
    grown = f"grows {growth} times within {estimate.steps} steps"
    grown = grown if float(growth) > 1 else "does not grow"
    of = "" if group.first is None else f"the first {group.first} steps of "
    yield (
        f"On {of}this input a {dtype} rounding {grown}: "
        f"right {dtype} implementations can be expected to differ by about {estimate.typical:.1e}, "
        f"and by up to {estimate.largest:.1e}, in the output."
    )
    if len(estimate.layers) > 1:
        ends = (f"layer {n}: {spread.max():.1e}" for n, spread in enumerate(estimate.layers))
        yield f"By layer: {', '.join(ends)}."
    if group.seen is None:
        return
    first, second = group.between
    seen = f"You see {group.seen:.1e}, between {first} and {second}"
    if not group.seen > MANY * estimate.largest:
        yield f"{seen}: rounding explains that."
    else:
        times = group.seen / estimate.largest if estimate.largest else float("inf")
        yield f"{seen}: that is {times:.2g} times as much, and not explained by rounding."
