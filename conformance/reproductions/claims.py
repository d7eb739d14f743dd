"""Endings for what is no comparison of results, by what the failure says it is about."""

from __future__ import annotations

import re
from typing import Any

from conformance.implementations.failures import Mismatch
from conformance.recording.operands import Part, part
from conformance.recording.steps import Step
from conformance.recording.tape import Tape
from conformance.reproductions import chances
from conformance.reproductions.ending import Ending, allowance
from conformance.requirements.variations import last_place


def _last(tape: Tape, stem: str) -> Any:
    """The last variable of that stem, or that part of the last result."""
    for step in reversed(tape.steps):
        for name in step.new:
            if name.stem == stem:
                return name
            if name.stem == "result" and stem in ("output", "h_n", "c_n"):
                return Part(name, f".{stem}")
    return None


def _module(tape: Tape) -> Any:
    return _last(tape, "lstm") or _last(tape, "cell")


def _equal(tape: Tape, it: Any, got: str, expected: str) -> Ending | None:
    if it is None:
        return None
    lines = f"got = {got}\nexpected = {expected}\nfault = got != expected\n" + (
        'print(f"expected: {expected}\\ngot:      {got}")'.replace("{", "{{").replace("}", "}}")
    )
    return Ending(lines, {"it": it}, tape.steps)


def _attribute(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    """Shape, dtype or device of a result."""
    got = {
        "shape": "tuple({it}.shape)",
        "dtype": "str({it}.dtype).removeprefix('torch.')",
        "device": "str({it}.device)",
    }[found[2]]
    expected = failure.expected if found[2] == "shape" else repr(failure.expected)
    return _equal(tape, _last(tape, found[1]), got, expected)


def _state_dict(_: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = "[(name, tuple(tensor.shape)) for name, tensor in {it}.state_dict().items()]"
    expected = f"list({failure.expected}.items())".replace("{", "{{").replace("}", "}}")
    return _equal(tape, _module(tape), got, expected)


def _parameter_dtype(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = f"str(dict({{it}}.named_parameters())[{found[1]!r}].dtype)"
    return _equal(tape, _last(tape, "moved"), got, repr(f"torch.{failure.expected}"))


def _requires_grad(found: re.Match[str], _: Mismatch, tape: Tape) -> Ending | None:
    got = f"{{it}}.state_dict(keep_vars=True)[{found[1]!r}].requires_grad"
    kind = f"isinstance({{it}}.state_dict(keep_vars=True)[{found[1]!r}], torch.nn.Parameter)"
    return _equal(tape, _module(tape), f"{kind} and {got}", "True")


def _module_attribute(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = f"getattr({{it}}, {found[1]!r}, 'missing')"
    return _equal(tape, _module(tape), got, failure.expected)


def _repr(_: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    size = failure.expected.rpartition(" ")[2]
    return _equal(tape, _module(tape), f"(repr({{it}}), {size!r} in repr({{it}}))[1]", "True")


def _frozen(found: re.Match[str], _: Mismatch, tape: Tape) -> Ending | None:
    leaf = _leaf(tape, found[1])
    return None if leaf is None else _equal(tape, leaf, "{it}.grad", "None")


def _leaf(tape: Tape, name: str) -> Any:
    """The input, state or parameter of that name which gradients were asked for."""
    if name not in ("input", "h_0", "c_0"):
        module = _module(tape)
        return None if module is None else Part(module, part(name))
    gap = "x" if name == "input" else name
    calls = [step for step in tape.steps if step.case is not None and gap in step.operands]
    return calls[-1].operands[gap] if calls else None


def _finite_gradient(found: re.Match[str], _: Mismatch, tape: Tape) -> Ending | None:
    got = "{it}.grad is None or bool({it}.grad.isfinite().all())"
    leaf = _leaf(tape, found[1])
    return None if leaf is None else _equal(tape, leaf, got, "True")


def _range(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    """A result is at most what it was compared with, in absolute value."""
    it, arrays = _last(tape, found[1]), failure.arrays
    if it is None or arrays is None:
        return None
    text = "fault = not (np.abs(numbers({it})) <= {limit} + {allowed}).all()"
    text += f'\nprint("largest |{found[1]}|:", np.abs(numbers({{it}})).max())'
    operands = {"it": it, "limit": arrays.expected, "allowed": allowance(arrays.allowed)}
    return Ending(text, operands, tape.steps)


def _finite(found: re.Match[str], _: Mismatch, tape: Tape) -> Ending | None:
    it = _last(tape, found[1])
    text = "fault = not np.isfinite(numbers({it})).all()\nprint('expected finite:', {it})"
    return None if it is None else Ending(text, {"it": it}, tape.steps)


def _last_step(_: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    """h_n against the output it has to repeat, element by element."""
    calls = [step for step in tape.steps if step.case is not None]
    h_n, output = _last(tape, "h_n"), _last(tape, "output")
    if failure.allowed != 0 or not calls or calls[-1].case is None or h_n is None:
        return None
    where = tuple(int(number) for number in re.findall(r"\d+", failure.where))
    state, step = last_place(calls[-1].case, where)
    text = f"got, expected = {{h_n}}{list(state)}.item(), {{output}}{list(step)}.item()\n"
    text += "fault = got != expected and got == got\n"
    text += f'print("h_n{list(state)}:", got, "output{list(step)}:", expected)'
    return Ending(text, {"h_n": h_n, "output": output}, tape.steps)


def _no_influence(_: re.Match[str], __: Mismatch, tape: Tape) -> Ending | None:
    """The first call and the last, with another parameter, give the same."""
    calls = [step for step in tape.steps if step.case is not None]
    if len(calls) < 2:
        return None
    text = "same = [np.array_equal(numbers(a), numbers(b)) for a, b in zip({before}, {after})]\n"
    text += "fault = all(same)\nprint('expected: other results; the same are:', same)"
    before, after = (_three(step, tape) for step in (calls[0], calls[-1]))
    return Ending(text, {"before": before, "after": after}, tape.steps)


def _three(call: Step, tape: Tape) -> tuple[Any, ...]:
    """Output, padded if it is packed, h_n and c_n of a call."""
    if len(call.new) == 3:
        output, *states = call.new
        return tape.padded(output), *states
    return tuple(Part(call.new[0], f".{name}") for name in ("output", "h_n", "c_n"))


RESULTS = "(output|h_n|c_n)"
BY_WHAT: tuple[tuple[str, Any], ...] = (
    (rf"{RESULTS}\.(shape|dtype|device)", _attribute),
    (r"state_dict with bias=\w+", _state_dict),
    (r"(.+)\.dtype", _parameter_dtype),
    (r"(.+)\.requires_grad", _requires_grad),
    (r"module\.(\w+)", _module_attribute),
    (r"repr\(module\)", _repr),
    (r"gradient of frozen (\w+)", _frozen),
    (r"second derivative by (\w+)", _finite_gradient),
    (rf"max\(\|{RESULTS}\| - .*", _range),
    (rf"isfinite\({RESULTS}\)", _finite),
    (r"h_n", _last_step),
    (r"results after \w+ was changed", _no_influence),
    *chances.BY_WHAT,
)
"""By what failed, how a script finds that out where it is no plain comparison of results."""


def claim(failure: Mismatch, tape: Tape) -> Ending | None:
    """The ending for what the failure is about, None if there is none."""
    for pattern, build in BY_WHAT:
        found = re.fullmatch(pattern, failure.what)
        if found:
            ended: Ending | None = build(found, failure, tape)
            return ended
    return None
