"""Endings for claims about random numbers: what dropout drops, and initial parameters."""

from __future__ import annotations

import re
from typing import Any

from conformance.implementations.failures import Mismatch
from conformance.recording.operands import Text
from conformance.recording.steps import Step
from conformance.recording.tape import Tape
from conformance.reproductions.ending import Ending

MASK = (
    "lower = np.tanh(np.tanh(np.where(np.arange(6) % 2, 0.5, -0.5)))  # of the first layer\n"
    "masks = [np.arctanh(np.arctanh(numbers(output))) * 8 / lower for output in {outputs}]\n"
)


def _dropout(text: str) -> Any:
    def build(_: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
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
print("expected factors: 0 or", 1 / (1 - {p}), "; got:", masks[0])"""
RATE = """share = np.mean(np.array(masks) < 0.5)
fault = not abs(share - {p}) <= {allowed}
print("expected share of dropped values:", {p}, "+-", {allowed}, "; got:", share)"""
ANEW = {
    "calls": "masks[0], masks[1]",
    "steps": "masks[0][: len(masks[0]) // 2], masks[0][len(masks[0]) // 2 :][: len(masks[0]) // 2]",
    "rows": "masks[0][:, : masks[0].shape[1] // 2], "
    "masks[0][:, masks[0].shape[1] // 2 :][:, : masks[0].shape[1] // 2]",
    "features": "masks[0][..., :3], masks[0][..., 3:]",
}


def _drawn_anew(found: re.Match[str], failure: Mismatch, tape: Tape) -> Ending | None:
    text = f"one, other = {ANEW[found[1]]}\nfault = bool(((one > 0.5) == (other > 0.5)).all())\n"
    text += f'print("expected: masks of different {found[1]} differ; the same:", fault)'
    ended: Ending | None = _dropout(text)(found, failure, tape)
    return ended


def _initial(found: re.Match[str], _: Mismatch, tape: Tape) -> Ending | None:
    """Many new modules from the same seed: none beyond the limit, and all of them uniform."""
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
print("expected |value| * sqrt(hidden_size): at most 1; got:", outside + 1)
print("expected distance from uniform: at most", allowed, "; got:", np.max(apart))
fault = bool(outside > 1e-6 or np.max(apart) > allowed)"""
    operands = {name: made[-1].operands[name] for name in ("cls", "arguments")}
    seeds = [step for step in tape.steps if step.text.startswith("torch.manual_seed(")]
    return Ending(lines, operands, seeds[-1:])


def _hidden_size(made: Step) -> int:
    return int(re.findall(r"\d+", made.operands["arguments"].text)[1])


BY_WHAT: tuple[tuple[str, Any], ...] = (
    (r"dropout mask", _dropout(SURVIVORS)),
    (r"share of dropped values", _dropout(RATE)),
    (r"dropout masks of different (\w+)", _drawn_anew),
    (r"max\(\|(\w+)\| sqrt\(hidden_size\) - 1, 0\)", _initial),
    (r"distance of (\w+) from the uniform distribution", _initial),
)
"""By what failed, how a script finds that out."""
