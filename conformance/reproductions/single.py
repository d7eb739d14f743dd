"""The shortest way to show a failure: one call that is off the equations by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import truth
from conformance.checking.finding import Finding
from conformance.implementations.implementation import Implementation
from conformance.recording.ending import Ending
from conformance.recording.operands import Literal, Name, Part
from conformance.recording.steps import Comparison, Step
from conformance.recording.tape import Tape
from conformance.reproductions.compare import compare, short
from reference import Array, Case, Result

ALONE = "One call on its own is off the equations by more than its rounding bound."


def single_call(finding: Finding) -> Ending | None:
    """The smallest call, the first of its module, that is off the truth by itself."""
    tape = finding.tape
    best: tuple[int, Ending] | None = None
    used: set[Name] = set()
    for index, step in enumerate(tape.steps):
        module = step.operands.get("module")
        if step.case is None or module in used:
            continue
        if module is not None:
            used.add(module)
        plain = all(text.text.startswith(("torch.no_grad", "torch.inf")) for text in step.under)
        if not plain or step.attempt or _in_train_mode(tape.steps[:index], module):
            continue
        results = _results(tape, index)
        if results is None:
            continue
        found = _off(results, step.case, finding.implementation)
        size = sum(array.size for array in (step.case.input, *step.case.parameters.values()))
        if found is not None and (best is None or size < best[0]):
            what, operand, end, expected, allowed = found
            compared = Comparison(operand, expected, allowed)
            best = size, replace(compare(what, compared, tape.steps[: end + 1]), said=ALONE)
    return best[1] if best else None


def _in_train_mode(steps: Sequence[Step], module: Any) -> bool:
    texts = [step.text for step in steps if step.operands.get("module") == module]
    modes = [text for text in texts if text in ("{module}.train()", "{module}.eval()")]
    return module is not None and modes[-1:] != ["{module}.eval()"]


Found = dict[str, tuple[Array, Any, int]]


def _results(tape: Tape, index: int) -> Found | None:
    """What the call at `index` gave: arrays, what they are called, and the step that made them."""
    step = tape.steps[index]
    if step.new[0].stem == "result":
        (result,) = tape.objects(step.new[0]) or (None,)
        if not isinstance(result, Result):
            return None
        return {n: (a, Part(step.new[0], f".{n}"), index) for n, a in result.items()}
    made = {name.stem: (name, index) for name in step.new}
    output = tape.padded(step.new[0])
    ends = [n for n, other in enumerate(tape.steps) if output in other.new]
    made["output"] = output, ends[0]
    found: Found = {}
    for stem, (name, end) in made.items():
        for read in tape.steps[index:]:
            if read.reads and read.operands["tensor"] == name and stem not in found:
                arrays = tape.objects(read.new[0])
                if arrays:
                    found[stem] = arrays[0], name, max(end, index)
    return found if len(found) == 3 else None


def _off(
    results: Found, case: Case, implementation: Implementation | None
) -> tuple[str, Any, int, Literal, Literal] | None:
    if implementation is None:
        return None
    try:
        known = truth(case, implementation)
    except ValueError:
        return None
    pairs = zip(known.result.items(), known.bound.items(), strict=True)
    for (name, expected), (_, bound) in pairs:
        got, operand, end = results[name]
        if got.shape != expected.shape or got.dtype != case.dtype.numpy:
            return None
        wide = expected.astype(np.float64)
        allowed = short(np.broadcast_to(bound, wide.shape))
        allowed = np.where(np.isfinite(wide) & ~np.isfinite(allowed), np.inf, allowed)
        if differs(got.astype(np.float64), wide, allowed):
            return name, operand, end, Literal(wide, tensor=False), Literal(allowed, tensor=False)
    return None


def differs(got: Array, expected: Array, allowed: Array) -> bool:
    """The comparison of the scripts."""
    with np.errstate(all="ignore"):
        off = ~(np.abs(got - expected) <= allowed) & (np.isfinite(allowed) | ~np.isfinite(expected))
        return bool((off & ~((got == expected) | (np.isnan(got) & np.isnan(expected)))).any())
