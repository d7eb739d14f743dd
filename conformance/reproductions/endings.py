"""How a script tells whether the fault shows, by how it failed."""

from __future__ import annotations

import re

from conformance.implementations.failures import Misbehaviour, Mismatch
from conformance.recording.steps import Step
from conformance.recording.tape import Tape
from conformance.reproductions.claims import claim
from conformance.reproductions.ending import Ending, compare
from conformance.reproductions.single import single_call


def ending(failure: Mismatch | Misbehaviour, tape: Tape) -> Ending | None:
    """The shortest ending for a failure, None if there is none.

    Where two results may be apart by their bounds and are further, or where what was compared is
    derived from results, a call that is off by itself shows it. What has to be exact is compared.
    """
    if isinstance(failure, Misbehaviour):
        return _of_misbehaviour(str(failure), tape)
    if failure.expected.startswith("refused by "):
        return Ending("", {}, tape.steps)
    arrays = failure.arrays
    if arrays is None:
        return claim(failure, tape)
    exact = arrays.got is not None and not arrays.allowed.array.any()
    alone = None if exact else single_call(tape)
    if alone is not None:
        return alone
    if arrays.got is not None:
        return compare(failure.what, arrays, tape.steps)
    return claim(failure, tape)


def _of_misbehaviour(text: str, tape: Tape) -> Ending | None:
    calls = [step for step in tape.steps if step.case is not None]
    last = calls[-1] if calls else None
    if text.startswith("raised "):
        return Ending("fault = False", {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if last is None:
        return None
    first = text.partition(" ")[0]
    made = {name.stem: name for step in tape.steps for name in step.new}
    if re.match(r"the answer |the second part |the cell's answer ", text):
        return _of_answer(last, tape)
    for pattern, line in (
        (r"(output|h_n|c_n) is a .*, not a tensor", "not isinstance({it}, torch.Tensor)"),
        (r"(output|h_n|c_n) does not require gradients", "{it}.grad_fn is None"),
        (r"(run\(\)) returned .*", "not isinstance({it}, Result)"),
        (r"(.+) is no parameter of", f"{first!r} not in dict({{it}}.named_parameters())"),
    ):
        found = re.match(pattern, text)
        if found:
            stems = {"run()": "result", found[1]: found[1]}
            module = made.get("lstm") or made.get("cell")
            name = made.get(stems[found[1]], module)
            lines = f"fault = {line}\nprint({text!r} if fault else 'as expected')"
            return None if name is None else Ending(lines, {"it": name}, tape.steps)
    return None


def _of_answer(call: Step, tape: Tape) -> Ending:
    """The call again, without taking its answer apart; of a cell the first one."""
    looped = "looped(" in call.text
    text = call.text.partition(" = ")[2].replace("looped({module}, {x}", "{module}({x}[0]")
    answer = tape.name("answer")
    operands = {gap: each for gap, each in call.operands.items() if each not in call.new}
    again = Step(f"{{answer}} = {text}", (answer,), {**operands, "answer": answer}, call.under)
    what = "h, c" if looped else "output, (h_n, c_n)"
    lines = [
        "def pair(it):\n    return isinstance(it, (tuple, list)) and len(it) == 2\n",
        f"fault = not (pair({{answer}}){'' if looped else ' and pair({answer}[1])'})",
        f'print("expected: {what}; got:", type({{answer}}).__name__, {{answer}})',
    ]
    steps = [*tape.steps[: tape.steps.index(call)], again]
    return Ending("\n".join(lines), {"answer": answer}, steps)
