"""Faults of PyTorch that are known: the requirement, the versions and devices, and the reason.

Each entry is strict: where a known failure does not occur the verdict is an unexpected pass, and
where it occurs with another message a failure.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from conformance.checking.verdict import (
    Crashed,
    ExpectedFailure,
    Failed,
    NotApplicable,
    Passed,
    TimedOut,
    UnexpectedPass,
    Verdict,
)

Version = tuple[int, ...]


@dataclass(frozen=True)
class Expectation:
    """A requirement that some implementations are known not to meet.

    It holds for the `devices` named (``cuda`` for each), for torch versions from `since` up to,
    not including, `until`, and in the `dtypes` named, all if empty. `saying` is part of what is
    reported when it occurs. `reproduction` is a script that shows it. One that is not `certain`,
    such as a read beyond an array, need not occur in every run.
    """

    requirement: str
    implementations: tuple[str, ...]
    reason: str
    saying: str
    reproduction: str
    since: Version = (0,)
    until: Version = (10**6,)
    devices: tuple[str, ...] = ("cpu", "cuda")
    dtypes: tuple[str, ...] = ()
    certain: bool = True

    def covers(self, requirement: str, implementation: str, device: str) -> bool:
        """Whether it is about this requirement of this implementation here and now."""
        return (
            self.requirement == requirement
            and implementation in self.implementations
            and device.partition(":")[0] in self.devices
            and self.since <= torch_version() < self.until
        )


def torch_version() -> Version:
    """The installed torch's version, (0,) without torch."""
    try:
        text = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0])[:3])


CELLS = ("torch.nn.LSTMCell", "stacked-cells")

KNOWN: tuple[Expectation, ...] = (
    Expectation(
        "vmap_over_rows_is_a_batch",
        ("torch.nn.LSTM",),
        "torch has no batching rule for aten::lstm",
        "Batching rule not implemented for aten::lstm",
        "m = torch.nn.LSTM(1, 1); torch.func.vmap(lambda x: m(x)[0], 1, 1)(torch.zeros(1, 1, 1))",
    ),
    Expectation(
        "vmap_over_rows_is_a_batch",
        CELLS,
        "torch has no batching rule for aten::lstm_cell",
        "Batching rule not implemented for aten::lstm_cell",
        "m = torch.nn.LSTMCell(1, 1); torch.func.vmap(lambda x: m(x)[0])(torch.zeros(1, 1))",
    ),
    Expectation(
        "sizes_that_are_not_positive_are_refused",
        CELLS,
        "LSTMCell accepts hidden_size=0, which LSTM refuses",
        "hidden_size=0 = accepted",
        "torch.nn.LSTMCell(1, 0)",
    ),
    Expectation(
        "batched_states_with_unbatched_input_are_refused",
        CELLS,
        "LSTMCell reads beyond its states where they have a batch dimension and the input has none",
        "process died",
        "s = torch.zeros(1, 1); torch.nn.LSTMCell(1, 1)(torch.zeros(1), (s, s))",
        certain=False,
    ),
    Expectation(
        "empty_batch_gives_empty_results",
        ("torch.nn.LSTM",),
        "oneDNN's bfloat16 LSTM divides by the number of rows",
        "process died",
        "m = torch.nn.LSTM(1, 1).bfloat16(); m(torch.zeros(1, 0, 1).bfloat16())",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("bfloat16",),
    ),
    Expectation(
        "float32_has_second_derivatives",
        ("torch.nn.LSTM",),
        "torch has no second derivative of oneDNN's LSTM",
        "derivative for mkldnn_rnn_layer_backward is not implemented",
        "x = torch.zeros(1, 1, 1, requires_grad=True); y = torch.nn.LSTM(1, 1)(x)[0].sum(); "
        "torch.autograd.grad(y, x, create_graph=True)[0].sum().backward()",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("float32",),
    ),
    Expectation(
        "empty_sequence_is_refused",
        ("torch.nn.LSTM",),
        "oneDNN's LSTM accepts a sequence of length 0, which the other dtypes' refuses",
        "a sequence of length 0 = accepted",
        "torch.nn.LSTM(1, 1)(torch.zeros(0, 1, 1))",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("float32", "bfloat16"),
    ),
    Expectation(
        "wrong_state_batch_is_refused_when_packed",
        ("torch.nn.LSTM",),
        "torch checks no shapes of packed input's initial states: it broadcasts a c_0 of one row, "
        "and reads beyond it where all rows have the same length",
        "c_0 of one row with packed input = accepted",
        "p = torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(2, 2, 1), [2, 1]); "
        "torch.nn.LSTM(1, 1)(p, (torch.zeros(1, 2, 1), torch.zeros(1, 1, 1)))",
        since=(2, 1),
        devices=("cpu",),
    ),
)


def expectation(requirement: str, implementation: str, device: str) -> Expectation | None:
    """The known failure that is to be expected, if any."""
    covering = (each for each in KNOWN if each.covers(requirement, implementation, device))
    return next(covering, None)


def judged(verdict: Verdict) -> Verdict:
    """`verdict`, or what it means where the failure is known."""
    known = expectation(verdict.requirement, verdict.implementation, verdict.device)
    if known is None:
        return _compared(verdict)
    if isinstance(verdict, (NotApplicable, ExpectedFailure, UnexpectedPass)):
        return verdict
    if isinstance(verdict, Passed) and not known.certain:
        return verdict
    if isinstance(verdict, Passed):
        return UnexpectedPass(**{**vars(verdict), "reason": f"known to fail: {known.reason}"})
    said = "\n".join(verdict.lines())
    elsewhere = known.dtypes and not any(f" {name} on " in said for name in known.dtypes)
    if isinstance(verdict, (Failed, Crashed, TimedOut)) and known.saying in said and not elsewhere:
        return ExpectedFailure(**{**vars(verdict), "reason": known.reason})
    return replace(verdict, reason=f"known to fail otherwise: {known.reason}")


def _compared(verdict: Verdict) -> Verdict:
    """`verdict`, with a word where torch.nn.LSTM or its cell is known to fail in the same way."""
    said = "\n".join(verdict.lines())
    for name in ("torch.nn.LSTM", "torch.nn.LSTMCell"):
        known = expectation(verdict.requirement, name, verdict.device)
        if known is not None and not verdict.conformant and known.saying in said:
            return replace(verdict, reason=f"{name} fails in the same way: {known.reason}")
    return verdict


def decide(
    requirement: str,
    implementation: str,
    device: str,
    dtypes: tuple[str, ...],
    check: Callable[[tuple[str, ...]], Verdict],
) -> Verdict:
    """Run `check` on the dtypes in which no failure is known, then on those in which one is."""
    known = expectation(requirement, implementation, device)
    if known is None:
        return _compared(check(dtypes))
    failing = tuple(name for name in dtypes if name in (known.dtypes or dtypes))
    others = tuple(name for name in dtypes if name not in failing)
    if others:
        verdict = check(others)
        if not failing or not verdict.conformant:
            return verdict
    return judged(check(failing))
