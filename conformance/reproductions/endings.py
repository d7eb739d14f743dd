"""How a script finds out whether the fault shows, for each kind of failure."""

from __future__ import annotations

import decimal
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import LARGE
from conformance.checking.finding import Finding
from conformance.checking.truth import is_small, truth
from conformance.implementations.failures import (
    LostDevice,
    NotRefused,
    Quantity,
    Raised,
    WrongAttribute,
    WrongElement,
)
from conformance.implementations.implementation import Implementation, checked
from conformance.recording.ending import Ending
from conformance.recording.operands import Literal, Name, Part, Text
from conformance.recording.steps import Comparison, Step
from conformance.recording.tape import Tape
from conformance.reproductions.literals import number
from reference import RESULTS, Array, Case, Result

DIFFERS = "fault = differs({name}, {got}, {expected}, {allowed})"
ALONE = "The results of one call alone are wrong by more than their rounding bound."
LOST = """fault = False
try:
    torch.cuda.synchronize()
except Exception as error:
    print("expected: the device works; got:", error)
    fault = True"""


def ending(finding: Finding) -> Ending | None:
    """Return the shortest ending for what was found, None if there is none.

    Results that have to be exact are compared. Where a bound allows a difference, or where numbers
    derived from results were compared, a single call that is wrong by itself is shorter. No script
    has numbers that hold for one dropout mask only, as it was read off these results.
    """
    failure, tape = finding.failure, finding.tape
    if isinstance(failure, LostDevice):
        return Ending(LOST, {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if isinstance(failure, NotRefused):
        return Ending("", {}, tape.steps)
    if isinstance(failure, Raised):
        return Ending("fault = False", {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if not isinstance(failure, WrongElement):
        return failure.ending
    arrays = failure.arrays
    if arrays is None or arrays.got is None or _of_one_mask(finding, failure, arrays):
        return single_call(finding) or failure.ending
    exact = not arrays.allowed.array.any()
    alone = None if exact else single_call(finding)
    return alone or compare(failure.what, arrays, tape.steps)


def _of_one_mask(finding: Finding, failure: WrongElement, arrays: Comparison) -> bool:
    """Whether what is right follows from the mask of a call in train mode.

    Results are of the mode that the module is in now; gradients may be of one that it was in.
    """
    c, tape = finding.case.configuration, finding.tape
    trained = True in tape.training.values()
    if failure.quantity is Quantity.GRADIENT:
        trained |= True in tape.modes
    drawn = trained and 0 < c.dropout < 1 and c.num_layers > 1
    return drawn and isinstance(arrays.expected, Literal) and bool(arrays.expected.array.any())


def compare(name: str, arrays: Comparison, steps: Sequence[Step]) -> Ending:
    """Return the ending that compares two arrays, called `name`, after `steps`."""
    expected = arrays.expected
    if isinstance(expected, Literal):
        # only the numbers matter here, and an array without strides is easier to read
        expected = Literal(expected.array.astype(np.float64, order="C"), tensor=False)
    operands = {
        "name": Text(json.dumps(name + arrays.part, ensure_ascii=False)),
        "got": arrays.got,
        "expected": expected,
        "allowed": arrays.allowed,
    }
    return Ending(DIFFERS, operands, steps)


def allowance(allowed: Literal) -> Any:
    """Return the allowed differences, as one number where all elements have the same."""
    limit = short(allowed.array)
    if limit.size and (limit == limit.flat[0]).all() and np.isfinite(limit.flat[0]):
        return Text(number(limit.flat[0]))
    return Literal(limit, tensor=False)


def short(bound: Array) -> Array:
    """Round a bound up to three digits, which are easier to read."""
    up = decimal.Context(prec=3, rounding=decimal.ROUND_CEILING)
    wide = np.asarray(bound, np.float64)
    rounded = [float(up.create_decimal_from_float(value)) for value in wide.ravel().tolist()]
    return np.array(rounded).reshape(wide.shape)


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
