"""Judging an implementation in a separate process: what the LSTM does cannot harm this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from conformance.checking.budget import ANSWER, MEMORY
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.loading import load
from conformance.judgement.judging import (
    Answer,
    Progress,
    answered,
    collected,
    computed,
    explained,
)
from conformance.judgement.layers import Layer
from conformance.judgement.verdict import NoResult, Wrong
from conformance.running.child import Apart, Ended, Late, Starved
from conformance.running.circumstances import exact_arithmetic
from conformance.running.limiting import devices, with_precision
from conformance.running.limits import LOADING
from conformance.running.loaded import loaded
from reference import Case


class Named(NamedTuple):
    """An implementation by its name, with the precision that is declared for it.

    `seconds` and `memory`, in GiB, are the limits of each process that runs it.
    """

    name: str
    declared: str = ""
    seconds: float = ANSWER
    memory: float = MEMORY

    def loaded(self) -> Implementation:
        """Load it in this process."""
        implementation = with_precision(loaded(self.name, partial(load, self.name)), self.declared)
        exact_arithmetic()
        return implementation

    def apart(self, answers: Callable[..., Iterator[Any]], *arguments: Any) -> Apart:
        """Start a process for `answers`, whose first argument is this one."""
        return Apart(answers, self, *arguments, memory=self.memory)


def judge_apart(
    named: Named, cases: Sequence[Case], wanted: str, root: Path, progress: Progress
) -> Iterator[Answer]:
    """Judge what an implementation computes of `cases`, on each of the `wanted` devices.

    It computes in a separate process; a new one goes on where that died or was late. What goes
    wrong is reproduced in a folder below `root`. `progress` is called with what is done next, in
    words. Raises :class:`UsageError` if it cannot be loaded, or has no such device.
    """
    done, rows = 0, list(cases)
    while done < len(rows):
        with named.apart(_computed, cases, wanted, done) as process:
            try:
                on, by, there = process.answer(LOADING)
            except (Late, Ended) as error:
                raise UsageError(f"{named.name!r}: {error} while loading it") from None
            rows = [replace(case, device=device) for device in on for case in cases]
            for case in rows[done:]:
                done += 1
                progress(f"{named.name} computes on {case.device} in {case.dtype.name}")
                try:
                    answers = iter(partial(process.answer, named.seconds), None)
                    results = collected(answers)
                except (Late, Ended) as error:
                    subject = named.name, case.device, case.dtype.name
                    late = isinstance(error, Starved)
                    why = str(error)
                    verdict = NoResult(*subject, reason=why, failed=not late, undecided=late)
                    yield Answer(verdict, case)
                    break
                explain = partial(_explained, named, root)
                yield answered(named.name, case, results, by, there, explain, progress)


def _computed(named: Named, cases: Sequence[Case], wanted: str, done: int) -> Iterator[Any]:
    """Yield the devices, the precision and the names of results.

    Then yield those of each case on each device but the `done` ones, None after each case.
    """
    implementation = named.loaded()
    on = devices(implementation, wanted)
    yield on, precision(implementation), implementation.supports.results
    for device, case in list(product(on, cases))[done:]:
        yield from computed(implementation, replace(case, device=device))
        yield None


def _explained(named: Named, root: Path, layer: Layer, wrong: Wrong) -> Wrong:
    """Explain `wrong` in a separate process; report if that dies or is late."""
    with named.apart(_explanation, layer, wrong, root) as process:
        try:
            verdict: Wrong = process.answer(LOADING + named.seconds)
            return verdict
        except (Late, Ended) as error:
            return replace(wrong, causes=(*wrong.causes, f"Looking for more: {error}."))


def _explanation(named: Named, layer: Layer, wrong: Wrong, root: Path) -> Iterator[Wrong]:
    yield explained(named.loaded(), root, layer, wrong)
