"""The smoke test: whether an implementation computes any small case at all, before a run begins.

An adapter with one mistake, such as a wrong argument of a constructor, raises the same exception in
every requirement. Its author needs that exception once, at once, and with the line that raised.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic, process_time

import numpy as np

from conformance.checking import devices, originals, process_state
from conformance.checking.engine import Announce, examine
from conformance.checking.finding import Finding
from conformance.implementations.failures import Failure, NoResult, Raised
from conformance.implementations.implementation import Implementation, answer
from conformance.implementations.probing import small_case
from conformance.running.alarm import Alarm
from conformance.running.folder import RunFolder
from reference import Case, Configuration

BUSY, SECONDS = 5.0, 60.0
"""The times, of this process and in all, after which the smoke test is given up.

Then the requirements decide. That it is given up does not depend on what else the machine does.
"""

SIZES = ((2, 3, 2, 2), (1, 1, 1, 1), (64, 64, 4, 4))
"""Input size, hidden size, rows and steps: kernels may take only multiples of a number."""

FAILED = (
    "not begun, since the smoke test failed: none of the simplest cases can be computed. Mend this "
    "first; `lstm-conformance infer` finds out how to call a hand-written class"
)
"""The reason of the verdicts on an implementation whose smoke test failed."""


class SmokeTests:
    """The smoke tests of this process, each made once for an implementation on a device.

    What a process has ended in is not tried again by another process of the run, whose `folder`
    says so: then the requirements decide.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.found: dict[tuple[str, str], Finding | None] = {}

    def failure(
        self,
        implementation: Implementation,
        device: str,
        before: Announce,
        alarm: Alarm | None = None,
    ) -> Finding | None:
        """Return what :func:`smoke` returns."""
        here = implementation.name, device
        if device not in implementation.supports.devices:
            return None
        if here not in self.found:
            self.found[here] = None
            # where the functions by which it judges are replaced, the requirements decide
            unjudged = contextlib.suppress(originals.Replaced)
            with self.folder.trying(" on ".join(here)) as survived, unjudged:
                with originals.Kept():
                    found = smoke(implementation, device, before, alarm) if survived else None
                self.found[here] = found
        return self.found[here]


def smoke(
    implementation: Implementation,
    device: str,
    before: Announce | None = None,
    alarm: Alarm | None = None,
) -> Finding | None:
    """Return the failure of the simplest case if every simple case raises or gives no result.

    Returns it as well if that case leaves its device or its process unusable. Else, where any case
    gives a result, right or wrong, or where it takes too long, returns None. `before` is called
    with the simplest case before that is run. Each case may take as long as `alarm` allows.
    """
    limited = Alarm(None) if alarm is None else alarm
    cases = simplest_cases(implementation, device)
    first = next(cases)

    def body(tried: Implementation, case: Case) -> None:
        with limited:
            answer(tried, case)

    found = examine(body, implementation, first, before and before(first))
    if not isinstance(found, Finding):
        return None
    if devices.lost():  # nothing else can be tried in this process
        return found
    if not isinstance(found.failure, (Raised, NoResult)):
        return None
    busy, end = process_time() + BUSY, monotonic() + SECONDS
    with process_state.restored():
        for case in cases:
            late = process_time() > busy or monotonic() > end
            if late or _gives_a_result(implementation, case, limited):
                return None
    return found


def simplest_cases(implementation: Implementation, device: str) -> Iterator[Case]:
    """Yield small cases of zeros of each form and dtype that `implementation` declares."""
    of = implementation.supports
    forms = itertools.product(
        SIZES, of.batched, of.states, of.bias, of.batch_first, of.bidirectional, of.dtypes
    )
    for (size, hidden, rows, steps), batched, states, bias, batch_first, both, dtype in forms:
        configuration = Configuration(
            size, hidden, of.min_layers, bias=bias, batch_first=batch_first, bidirectional=both
        )
        ragged = np.arange(rows, 0, -1).clip(max=steps) if batched and of.lengths else None
        for lengths in (None, ragged) if ragged is not None else (None,):
            case = small_case(
                configuration,
                dtype,
                states=states,
                batched=batched,
                rows=rows,
                steps=steps,
                lengths=lengths,
            )
            yield replace(case, device=device)


def _gives_a_result(implementation: Implementation, case: Case, alarm: Alarm) -> bool:
    try:
        with alarm:
            answer(implementation, case)
    except (Raised, NoResult):
        return False
    except Failure:
        return True
    return True
