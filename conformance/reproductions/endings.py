"""How a script tells whether the fault shows, by what failed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.comparison import truth
from conformance.failures import Misbehaviour, Mismatch
from conformance.operands import Literal, Name, Part, Text, names_in
from conformance.tape import Comparison, Step, Tape
from conformance.variations import last_place
from reference import Array, Case, Result

DIFFERS = "fault = differs({name}, {got}, {expected}, {allowed})"


@dataclass(frozen=True, eq=False)
class Ending:
    """The lines after the steps, which set ``fault``, and what goes into their gaps.

    `steps` are the last ones before it. `said` is what is to be told of it beside the failure.
    """

    text: str
    operands: Mapping[str, Any]
    steps: Sequence[Step]
    said: str = ""
    names: tuple[Name, ...] = field(default=())


def ending(failure: Mismatch | Misbehaviour, tape: Tape) -> Ending | None:
    """The shortest ending for a failure, None if there is none."""
    alone = single_call(tape)
    if alone is not None:
        return alone
    if isinstance(failure, Misbehaviour):
        return _of_misbehaviour(str(failure), tape)
    if failure.expected.startswith("refused by "):
        return Ending("", {}, tape.steps)
    if failure.arrays is not None and failure.arrays.got is not None:
        return _compare(failure.what, failure.arrays, tape.steps)
    for pattern, build in BY_WHAT:
        found = re.fullmatch(pattern, failure.what)
        if found:
            return build(found, failure, tape)
    return None


def _compare(name: str, arrays: Comparison, steps: Sequence[Step]) -> Ending:
    operands = {
        "name": Text(quoted(name)),
        "got": arrays.got,
        "expected": arrays.expected,
        "allowed": arrays.allowed,
    }
    return Ending(DIFFERS, operands, steps)


def single_call(tape: Tape) -> Ending | None:
    """The smallest call, the first of its module, that is off the truth by itself."""
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
        found = _off(results, step.case)
        size = sum(array.size for array in (step.case.input, *step.case.parameters.values()))
        if found is not None and (best is None or size < best[0]):
            what, operand, end, expected, allowed = found
            compared = Comparison(operand, expected, allowed)
            said = "One call on its own is off the equations by more than its rounding bound."
            one = _compare(what, compared, tape.steps[: end + 1])
            best = size, Ending(one.text, one.operands, one.steps, said)
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
    for later, other in enumerate(tape.steps[index:], index):
        if other.operands.get("packed") == step.new[0] and other.new:
            made["output"] = other.new[0], later
    found: Found = {}
    for stem, (name, end) in made.items():
        for read in tape.steps[index:]:
            if read.reads and read.operands["tensor"] == name and stem not in found:
                arrays = tape.objects(read.new[0])
                if arrays:
                    found[stem] = arrays[0], name, max(end, index)
    return found if len(found) == 3 else None


def _off(results: Found, case: Case) -> tuple[str, Any, int, Literal, Literal] | None:
    try:
        known = truth(case)
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


def quoted(text: str) -> str:
    """A text as Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def differs(got: Array, expected: Array, allowed: Array) -> bool:
    """The comparison of the scripts."""
    with np.errstate(all="ignore"):
        off = ~(np.abs(got - expected) <= allowed) & (np.isfinite(allowed) | ~np.isfinite(expected))
        return bool((off & ~((got == expected) | (np.isnan(got) & np.isnan(expected)))).any())


def short(bound: Array) -> Array:
    """A bound rounded up to three digits, which read better."""
    texts = (f"{float(value) * 1.005:.2e}" for value in np.asarray(bound, np.float64).ravel())
    return np.array([float(text) for text in texts]).reshape(bound.shape)


def _of_misbehaviour(text: str, tape: Tape) -> Ending | None:
    calls = [step for step in tape.steps if step.case is not None]
    last = calls[-1] if calls else None
    if text.startswith("raised "):
        return Ending("fault = False", {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if last is None:
        return None
    made = {name.stem: name for step in tape.steps for name in step.new}
    if re.match(r"the answer |the second part |the cell's answer ", text):
        whole = Step(
            "{answer} = " + last.text.partition(" = ")[2],
            (tape.name("answer"),),
            {k: v for k, v in last.operands.items() if k not in ("output", "h_n", "c_n")},
            last.under,
        )
        answer = whole.new[0]
        whole = Step(whole.text, whole.new, {**whole.operands, "answer": answer}, whole.under)
        lines = "\n".join(
            (
                "fault = not (isinstance({answer}, (tuple, list)) and len({answer}) == 2)",
                "fault = fault or not isinstance({answer}[0], torch.Tensor)",
                "fault = fault or len({answer}[1]) != 2",
                'print("expected: output, (h_n, c_n); got:", type({answer}).__name__, {answer})',
            )
        )
        steps = [*tape.steps[: tape.steps.index(last)], whole]
        return Ending(lines, {"answer": answer}, steps)
    for pattern, line in (
        (r"(output|h_n|c_n) is a .*, not a tensor", "not isinstance({it}, torch.Tensor)"),
        (r"(output|h_n|c_n) does not require gradients", "{it}.grad_fn is None"),
        (r"run\(\) returned .*", "not isinstance({result}, Result)"),
    ):
        found = re.match(pattern, text)
        if found:
            name = made.get(found[1] if found.groups() else "result")
            lines = f"fault = {line}\nprint({text!r} if fault else 'as it should be')"
            return None if name is None else Ending(lines, {"it": name, "result": name}, tape.steps)
    return None


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


def _requires_grad(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = f"{{it}}.state_dict(keep_vars=True)[{found[1]!r}].requires_grad"
    kind = f"isinstance({{it}}.state_dict(keep_vars=True)[{found[1]!r}], torch.nn.Parameter)"
    return _equal(tape, _module(tape), f"{kind} and {got}", "True")


def _module_attribute(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = f"getattr({{it}}, {found[1]!r}, 'missing')"
    return _equal(tape, _module(tape), got, failure.expected)


def _repr(_: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    size = failure.expected.rpartition(" ")[2]
    return _equal(tape, _module(tape), f"(repr({{it}}), {size!r} in repr({{it}}))[1]", "True")


def _frozen(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    leaf = _leaf(tape, found[1])
    return None if leaf is None else _equal(tape, leaf, "{it}.grad", "None")


def _leaf(tape: Tape, name: str) -> Any:
    for step in reversed(tape.steps):
        if ".requires_grad_(" in step.text and name in step.operands:
            return step.operands[name]
    return None


def _finite_gradient(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    got = "{it}.grad is None or bool({it}.grad.isfinite().all())"
    leaf = _leaf(tape, found[1])
    return None if leaf is None else _equal(tape, leaf, got, "True")


def _range(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    """A result is at most 1, or c_n at most |c_0| + T, in absolute value."""
    name, step = found[1], [step for step in tape.steps if step.case is not None][-1]
    assert step.case is not None
    case = step.case
    limit = np.ones(()) if name != "c_n" else _reach(case)
    text = "fault = bool((np.abs(numbers({it})) > {limit} + {allowed}).any())"
    text += f'\nprint("largest |{name}|:", np.abs(numbers({{it}})).max())'
    it = _last(tape, name)
    operands = {"it": it, "limit": Literal(limit, tensor=False)}
    operands["allowed"] = Text(repr(failure.allowed))
    return None if it is None else Ending(text, operands, tape.steps)


def _reach(case: Case) -> Array:
    _, c_0 = case.initial_states()
    start = np.abs((c_0 if case.batched else c_0[:, 0]).astype(np.float64))
    growth: float = (1 + 8 * case.dtype.unit_roundoff) ** case.seq_len
    reach: Array = (start + case.seq_len) * growth
    return reach


def _finite(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
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


MASK = (
    "lower = np.tanh(np.tanh(np.where(np.arange(6) % 2, 0.5, -0.5)))  # what the first layer gives\n"
    "masks = [np.arctanh(np.arctanh(numbers(output))) * 8 / lower for output in {outputs}]\n"
)


def _dropout(text: str) -> Any:
    def build(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
        calls = [step for step in tape.steps if step.case is not None and len(step.new) == 3]
        if not calls:
            return None
        case = calls[-1].case
        assert case is not None
        operands = {
            "outputs": tuple(step.new[0] for step in calls),
            "p": Text(repr(case.configuration.dropout)),
            "allowed": Text(repr(failure.allowed)),
        }
        return Ending(MASK + text, operands, tape.steps)

    return build


SURVIVORS = """nearest = [np.where(mask < 0.5 / (1 - {p}), 0, 1 / (1 - {p})) for mask in masks]
off = np.abs(np.array(masks) - nearest)
fault = not (off <= {allowed}).all()
print("expected: each value dropped, or multiplied by", 1 / (1 - {p}), "; got factors:", masks[0])"""
RATE = """share = np.mean(np.array(masks) < 0.5)
fault = not abs(share - {p}) <= {allowed}
print("expected share of dropped values:", {p}, "±", {allowed}, "; got:", share)"""
ANEW = {
    "calls": "masks[0], masks[1]",
    "steps": "masks[0][: len(masks[0]) // 2], masks[0][len(masks[0]) // 2 :][: len(masks[0]) // 2]",
    "rows": "masks[0][:, : masks[0].shape[1] // 2], "
    "masks[0][:, masks[0].shape[1] // 2 :][:, : masks[0].shape[1] // 2]",
    "features": "masks[0][..., :3], masks[0][..., 3:]",
}


def _drawn_anew(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    text = f"one, other = {ANEW[found[1]]}\nfault = bool(((one > 0.5) == (other > 0.5)).all())\n"
    text += f'print("masks of different {found[1]} are the same:", fault)'
    ended: Ending | None = _dropout(text)(found, failure, tape)
    return ended


def _initial(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    """Many new modules: no parameter beyond the limit, and all of them uniform."""
    made = [step for step in tape.steps if "cls" in step.operands]
    if not made:
        return None
    size = _hidden_size(made[-1])
    lines = f"""modules = [{{cls}}({{arguments}}) for _ in range(16)]
parameters = [dict(module.named_parameters())[{found[1]!r}] for module in modules]
values = np.concatenate([numbers(parameter).ravel() for parameter in parameters])
uniform = np.sort(values * {size} ** 0.5 / 2 + 0.5)
ranks = np.arange(len(uniform))
apart = [np.abs(uniform - ranks / len(ranks)), np.abs(uniform - (ranks + 1) / len(ranks))]
allowed = np.sqrt(np.log(2 / 1e-15) / 2 / len(ranks))
outside = np.abs(values).max() * {size} ** 0.5 - 1
print("largest |value|, as a share of 1 / sqrt(hidden_size):", outside + 1)
print("distance from the uniform distribution:", np.max(apart), "allowed:", allowed)
fault = bool(outside > 1e-6 or np.max(apart) > allowed)"""
    operands = {name: made[-1].operands[name] for name in ("cls", "arguments")}
    return Ending(lines, operands, [])


def _hidden_size(made: Step) -> int:
    return int(re.findall(r"\d+", made.operands["arguments"].text)[1])


RESULTS = "(output|h_n|c_n)"
BY_WHAT: tuple[tuple[str, Any], ...] = (
    (rf"{RESULTS}\.(shape|dtype|device)", _attribute),
    (r"state_dict", _state_dict),
    (r"(.+)\.dtype", _parameter_dtype),
    (r"(.+)\.requires_grad", _requires_grad),
    (r"module\.(\w+)", _module_attribute),
    (r"repr\(module\)", _repr),
    (r"gradient of frozen (\w+)", _frozen),
    (r"second derivative by (\w+)", _finite_gradient),
    (rf"max\(\|{RESULTS}\| - .*", _range),
    (rf"isfinite\({RESULTS}\)", _finite),
    (r"h_n", _last_step),
    (r"dropout mask", _dropout(SURVIVORS)),
    (r"share of dropped values", _dropout(RATE)),
    (r"dropout masks of different (\w+)", _drawn_anew),
    (r"max\(\|(\w+)\| sqrt\(hidden_size\) - 1, 0\)", _initial),
    (r"distance of (\w+) from the uniform distribution", _initial),
)
"""By what failed, how a script finds that out where it is no plain comparison of results."""


def used(ended: Ending) -> set[Name]:
    """The variables that the ending needs."""
    return {*names_in(ended.operands), *ended.names}
