"""How a script tells whether the fault shows, by how it failed."""

from __future__ import annotations

import re

from conformance.failures import Misbehaviour, Mismatch
from conformance.reproductions.claims import claim
from conformance.reproductions.ending import Ending, compare
from conformance.reproductions.single import single_call
from conformance.steps import Step
from conformance.tape import Tape


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
