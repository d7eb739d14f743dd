"""The shortest way to show a failure: one call whose results are wrong by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import LARGE, is_small, truth
from conformance.checking.finding import Finding
from conformance.implementations.failures import WrongAttribute
from conformance.implementations.implementation import Implementation, checked
from conformance.recording.ending import Ending
from conformance.recording.operands import Literal, Name, Part
from conformance.recording.steps import Comparison, Step
from conformance.recording.tape import Tape
from conformance.reproductions.compare import compare, short
from reference import RESULTS, Array, Case, Result

ALONE = "The results of one call alone are wrong by more than their rounding bound."


def single_call(finding: Finding) -> Ending | None:
    """Return the ending for the smallest call whose results are wrong, None if there is none."""
    tape = finding.tape
    best: tuple[int, Ending] | None = None
    used: set[Name] = set()
    for index, step in enumerate(tape.steps):
        module = step.operands.get("module")
        # a later call of the same module may depend on what the first one left in the module
        if step.case is None or module in used:
            continue
        if module is not None:
            used.add(module)
        # under another context, or in train mode, the reference may compute something else
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
    """Return the arrays that the call at `index` gave, by name, None if some are not known.

    Each comes with the variable that holds it and the index of the step that made the variable.
    """
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
    """Return the first result beyond the bound for any implementation, None if there is none.

    A result is its name, its variable, the index of its step, and what is expected and allowed.
    """
    if implementation is None:
        return None
    arrays = [results[name][0] for name in RESULTS]
    if any(array.size > LARGE for array in arrays) or not is_small(case):
        return None
    try:
        checked(Result.of(arrays), case)
    except (ValueError, WrongAttribute):
        return None
    known = truth(case, implementation)
    pairs = zip(known.result.items(), known.bound.items(), strict=True)
    for (name, expected), (_, bound) in pairs:
        got, operand, end = results[name]
        wide = expected.astype(np.float64)
        allowed = short(np.broadcast_to(bound, wide.shape))
        # a bound that is not a number claims nothing: any value is allowed
        allowed = np.where(np.isfinite(wide) & ~np.isfinite(allowed), np.inf, allowed)
        if differs(got.astype(np.float64), wide, allowed):
            return name, operand, end, Literal(wide, tensor=False), Literal(allowed, tensor=False)
    return None


def differs(got: Array, expected: Array, allowed: Array) -> bool:
    """Compare as the function of the same name in the scripts does."""
    with np.errstate(all="ignore"):
        off = ~(np.abs(got - expected) <= allowed) & (np.isfinite(allowed) | ~np.isfinite(expected))
        return bool((off & ~((got == expected) | (np.isnan(got) & np.isnan(expected)))).any())
