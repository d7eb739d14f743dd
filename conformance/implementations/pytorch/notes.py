"""Recorded steps on torch modules: the lines that do in a script what the adapters do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from conformance.recording.ending import Ending
from conformance.recording.noting import Noted, current, note
from conformance.recording.operands import Text, keyword_arguments
from conformance.recording.steps import Step
from reference import RESULTS, Case

PACK, PAD = pack_padded_sequence.__name__, pad_packed_sequence.__name__
IMPORT = f"from torch.nn.utils.rnn import {PACK}, {PAD}"


def construction(noun: str, cls: type[nn.Module], arguments: Mapping[str, Any]) -> Noted:
    """Record ``lstm = LSTM(2, 3)``; it makes the module."""
    text = f"{{{noun}}} = {{cls}}({{arguments}})"
    return note(text, new=(noun,), cls=cls, arguments=keyword_arguments(arguments))


def placement(module: nn.Module, case: Case) -> None:
    """Record ``lstm.to(torch.float64)``, with the device if that is not the CPU."""
    place = f"{case.device!r}, " if case.device != "cpu" else ""
    note(f"{{module}}.to({place}torch.{case.dtype.name})", module=module)


def packing(case: Case, x: Any, *, in_order: bool = False) -> Noted:
    """Record that `x` is packed to the lengths of `case`; it makes the packed sequence.

    If `in_order`, the rows are in order, the longest first, and are packed as such.
    """
    assert case.lengths is not None
    batch_first = case.configuration.batch_first
    order = "" if in_order else ", enforce_sorted=False"
    return note(
        f"{{packed}} = {PACK}({{x}}, {{lengths}}, {batch_first}{order})",
        new=("packed",),
        x=x,
        lengths=Text(f"torch.tensor({case.lengths.tolist()})", (IMPORT,)),
    )


def padding(case: Case, packed: Any) -> Noted:
    """Record that a packed output is padded; it makes the padded output."""
    batch_first = case.configuration.batch_first
    text = f"{{output}}, _ = {PAD}({{packed}}, {batch_first}, total_length={case.seq_len})"
    return note(text, new=("output",), packed=packed)


def call(case: Case, module: nn.Module, x: Any, states: Any) -> Noted:
    """Record ``output, (h_n, c_n) = lstm(x, (h_0, c_0))``; it makes all three."""
    gaps, given = _states(states)
    text = f"{{output}}, ({{h_n}}, {{c_n}}) = {{module}}({{x}}{gaps})"
    return note(text, new=RESULTS, case=case, module=module, x=x, **given)


def loop(case: Case, module: nn.Module, x: Any, states: Any) -> Noted:
    """Record that a cell is called with each step of `x`; it makes output, h_n and c_n."""
    gaps, given = _states(states, "[0]")
    text = f"{{output}}, {{h_n}}, {{c_n}} = looped({{module}}, {{x}}{gaps})"
    return note(text, new=RESULTS, case=case, module=module, x=x, **given)


PAIR = """def pair(it):
    return isinstance(it, (tuple, list)) and len(it) == 2

fault = not ({pair})
print("expected: {expected}; got:", type({{answer}}).__name__, {{answer}})"""


def answered(module: nn.Module, x: Any, states: Any, *, cell: bool = False) -> Ending | None:
    """Write an ending that repeats the last call, or for a `cell` its first step.

    It finds a fault if the answer is not a pair, or, unless of a `cell`, its second part is not.
    """
    tape = current()
    if tape is None:
        return None
    gaps, given = _states(states, "[0]" if cell else "")
    answer, call = tape.name("answer"), tape.steps[-1]
    given = {"module": module, "x": x, **given}
    operands = {gap: tape.operand(each) for gap, each in given.items()}
    text = f"{{answer}} = {{module}}({{x}}{'[0]' if cell else ''}{gaps})"
    again = Step(text, (answer,), {**operands, "answer": answer}, call.under)
    if cell:
        lines = PAIR.format(pair="pair({answer})", expected="h, c")
    else:
        whole = "pair({answer}) and pair({answer}[1])"
        lines = PAIR.format(pair=whole, expected="output, (h_n, c_n)")
    return Ending(lines, {"answer": answer}, [*tape.steps[:-1], again])


def _states(states: Any, each: str = "") -> tuple[str, dict[str, Any]]:
    """Write the argument for initial states, and give what fills its gaps; `each` follows a gap."""
    if states is None:
        return "", {}
    if not isinstance(states, tuple):
        return f", {{h_0}}{each}", {"h_0": states}
    return f", ({{h_0}}{each}, {{c_0}}{each})", {"h_0": states[0], "c_0": states[1]}
