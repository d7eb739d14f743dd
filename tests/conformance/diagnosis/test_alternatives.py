"""What a hypothesis computes, and that LSTMs built to have its fault are told by it."""

import math
import re
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from conformance import Case, Result
from conformance.checking.comparison import against_reference
from conformance.checking.truth import truth
from conformance.diagnosis.alternatives import HYPOTHESES, AlteredLSTM, hypotheses
from conformance.diagnosis.alternatives.cells import tf32_cut, tf32_rounded
from conformance.diagnosis.richer import extreme
from conformance.implementations.pytorch.probing import adapt
from reference import Array, lstm
from tests.faults.plain import PlainLSTM
from tests.support.cases import RoundedReference
from tests.support.findings import diagnosed
from tests.support.kinds import CASES, DEEP, FLOAT32, PLAIN, RAGGED, SQUARE, TALL, TIME_FIRST
from tests.support.numpy_lstm import QUARTERS, NumPyLSTM


def explanations(implementation: Any, case: Case) -> tuple[str, ...]:
    # under load the usual limit may be too short
    return diagnosed(implementation, case, against_reference, seconds=60).explanations


def equals(says: str) -> tuple[str]:
    return (f"The results equal those of an LSTM {says}, here and in 3 further cases.",)


def test_altered_lstm_without_a_change_is_the_reference() -> None:
    """Nothing changed, it computes the same results with the same bound."""
    for case in CASES:
        computed, known = AlteredLSTM("").compute(case), truth(case, RoundedReference())
        assert computed is not None
        for of in ("result", "bound"):
            for (name, got), (_, expected) in zip(
                getattr(computed, of).items(), getattr(known, of).items(), strict=True
            ):
                np.testing.assert_array_equal(got, expected, err_msg=f"{of} {name} of {case!r}")


def numbers(result: Result) -> bytes:
    return b"".join(str(array.shape).encode() + array.tobytes() for _, array in result.items())


def test_hypotheses_differ_from_the_truth_and_from_each_other() -> None:
    """Each shows in some kind of case, and no two compute the same in all of them."""
    seen: dict[tuple[bytes | None, ...], str] = {}
    for hypothesis in HYPOTHESES:
        computed = [hypothesis.compute(case, bounded=False) for case in CASES]
        key = tuple(None if known is None else numbers(known.result) for known in computed)
        assert key not in seen, (hypothesis.says, seen.get(key))
        seen[key] = hypothesis.says
        assert any(
            known is not None and numbers(known.result) != numbers(lstm(case))
            for known, case in zip(computed, CASES, strict=True)
        ), hypothesis.says


def test_hypotheses_have_sentences_of_their_own() -> None:
    """No two say the same, about the whole network or a part of it."""
    said = [each.says for each in hypotheses(DEEP)]
    assert len(said) == len(set(said)) > 2 * len(HYPOTHESES)
    assert list(hypotheses(PLAIN)) == list(HYPOTHESES)


def test_plain_numpy_lstm_is_right() -> None:
    """The LSTM that is broken below agrees with the reference before."""
    for case in CASES:
        if case.dtype.name == "float64":
            against_reference(NumPyLSTM(), case)


@pytest.mark.parametrize("order", list(permutations("ifgo"))[1:], ids="".join)
def test_gate_orders_are_told(order: tuple[str, ...]) -> None:
    """An LSTM that takes the quarters of its parameters in any wrong order is told by it alone."""

    class Permuted(NumPyLSTM):
        def quarter(self, gate: str) -> int:
            return order.index(gate)

    names = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}
    moved = [names[gate] for gate in QUARTERS if order.index(gate) != QUARTERS[gate]]
    says = f"that reads the gates in the order {', '.join(order)}"
    if len(moved) == 2:
        says += f" ({moved[0]} and {moved[1]} are swapped)"
    assert explanations(Permuted(), PLAIN) == equals(says)


class Biases(NumPyLSTM):
    """Multiplies its biases."""

    def __init__(self, ih: float, hh: float) -> None:
        self.factors = {"bias_ih": ih, "bias_hh": hh}

    def bias(self, name: str, bias: Array) -> Array:
        return self.factors[name] * bias


@pytest.mark.parametrize(
    ("ih", "hh", "says"),
    [
        (1, 0, "without bias_hh"),
        (0, 1, "without bias_ih"),
        (0, 0, "without biases"),
        (2, 1, "that adds bias_ih twice"),
        (1, 2, "that adds bias_hh twice"),
        (2, 2, "that adds both biases twice"),
        (2, 0, "that adds bias_ih in place of bias_hh"),
        (0, 2, "that adds bias_hh in place of bias_ih"),
    ],
)
def test_missing_and_doubled_biases_are_told(ih: float, hh: float, says: str) -> None:
    """Each bias missing, doubled, or in place of the other."""
    assert explanations(Biases(ih, hh), PLAIN) == equals(says)


class Transposed(NumPyLSTM):
    """Reads some of its matrices in another way."""

    def __init__(self, names: tuple[str, ...], by_gate: bool) -> None:
        self.names, self.by_gate = names, by_gate

    def matrix(self, name: str, stacked: Array) -> Array:
        if name not in self.names:
            return stacked
        if not self.by_gate:
            return np.asfortranarray(stacked.ravel().reshape(stacked.shape, order="F"))
        size = len(stacked) // 4
        return np.array(
            [stacked[r - r % size + c, r % size] for r in range(4 * size) for c in range(size)]
        ).reshape(stacked.shape)


@pytest.mark.parametrize("by_gate", [True, False])
@pytest.mark.parametrize("names", [("weight_ih",), ("weight_hh",), ("weight_ih", "weight_hh")])
def test_transposed_weights_are_told(names: tuple[str, ...], by_gate: bool) -> None:
    """Square matrices transposed gate by gate, or memory read column by column."""
    how = "transposed, gate by gate" if by_gate else "read column by column"
    verb = "is" if len(names) == 1 else "are"
    says = f"whose {' and '.join(names)} {verb} {how}"
    assert explanations(Transposed(names, by_gate), SQUARE) == equals(says)


class ForgetsInput(NumPyLSTM):
    def matrix(self, name: str, stacked: Array) -> Array:
        return 0 * stacked if name == "weight_ih" else stacked


class Linear(NumPyLSTM):
    def candidate(self, a: float) -> float:
        return a

    def squash(self, c: float) -> float:
        return c


class HardSixth(NumPyLSTM):
    def sigmoid(self, a: float) -> float:
        return min(1.0, max(0.0, a / 6 + 0.5))


class HardFifth(NumPyLSTM):
    def sigmoid(self, a: float) -> float:
        return min(1.0, max(0.0, a / 5 + 0.5))


class SigmoidCandidate(NumPyLSTM):
    def candidate(self, a: float) -> float:
        return 1 / (1 + math.exp(-a))


class PutsOutCells(NumPyLSTM):
    def shown(self, h: Array, c: Array, top: bool) -> Array:
        return c if top else h


class FeedsCellsUp(NumPyLSTM):
    def shown(self, h: Array, c: Array, top: bool) -> Array:
        return h if top else c


class ShowsCells(NumPyLSTM):
    def shown(self, h: Array, c: Array, top: bool) -> Array:
        return c


class RunsThroughPadding(NumPyLSTM):
    def steps(self, length: int, seq_len: int, direction: int) -> int:
        return seq_len


class StartsInPadding(NumPyLSTM):
    def steps(self, length: int, seq_len: int, direction: int) -> int:
        return seq_len if direction else length


class IgnoresLengths(NumPyLSTM):
    def run(self, case: Case) -> Result:
        return super().run(replace(case, lengths=None))


class LeavesTheTopUnflipped(NumPyLSTM):
    def run(self, case: Case) -> Result:
        result = super().run(case)
        output = case.time_major(result.output).copy()
        half = output[..., output.shape[-1] // 2 :]
        half[:] = half[::-1].copy()
        return replace(result, output=case.user_order(output))


class ReturnsTheFirstRow(NumPyLSTM):
    def run(self, case: Case) -> Result:
        output, h_n, c_n = (array.copy() for _, array in super().run(case).items())
        for array in (output, h_n, c_n):
            array[:] = array[:, :1]
        return Result(output, h_n, c_n)


class ReturnsOneRow(NumPyLSTM):
    def run(self, case: Case) -> Result:
        output, h_n, c_n = (array.copy() for _, array in super().run(case).items())
        for array in (output, h_n, c_n):
            array[:, 1:] = 0
        return Result(output, h_n, c_n)


class ReadsTheNextRow(NumPyLSTM):
    def run(self, case: Case) -> Result:
        order = [*range(1, case.batch_size), 0]
        return super().run(replace(case, input=case.input[:, order].copy()))


class PutsOutOneHalf(NumPyLSTM):
    def run(self, case: Case) -> Result:
        result = super().run(case)
        half = result.output[..., : result.output.shape[-1] // 2]
        return replace(result, output=np.concatenate([half, half], axis=-1))


class SharesWeightHH(NumPyLSTM):
    def run(self, case: Case) -> Result:
        shared = {
            f"{name}_reverse": array
            for name, array in case.parameters.items()
            if name.startswith("weight_hh") and not name.endswith("_reverse")
        }
        return super().run(replace(case, parameters={**case.parameters, **shared}))


class SwapsGatesAndAddsOne(NumPyLSTM):
    def quarter(self, gate: str) -> int:
        return "iofg".index(gate)

    def bias(self, name: str, bias: Array) -> Array:
        # the forget gate takes the third quarter
        size = len(bias) // 4
        added = np.repeat([0, 0, 1, 0], size)
        return bias + added if name == "bias_ih" else bias


class SwapsBatchAndTime(NumPyLSTM):
    def run(self, case: Case) -> Result:
        wrongly = replace(case.configuration, batch_first=not case.configuration.batch_first)
        return super().run(replace(case, configuration=wrongly))


@pytest.mark.parametrize(
    ("faulty", "case", "says"),
    [
        (ForgetsInput, PLAIN, "without weight_ih"),
        (Linear, PLAIN, "without any tanh"),
        (HardSixth, PLAIN, "with the hard sigmoid a / 6 + 0.5 in place of sigmoid"),
        (HardFifth, PLAIN, "with the hard sigmoid 0.2 a + 0.5 in place of sigmoid"),
        (SigmoidCandidate, PLAIN, "with sigmoid on the candidate"),
        (PutsOutCells, TALL, "that returns the cell state as output"),
        (FeedsCellsUp, TALL, "that feeds the cell state to the next layer"),
        (
            ShowsCells,
            TALL,
            "that returns the cell state as output and feeds the cell state to the next layer",
        ),
        (RunsThroughPadding, RAGGED, "whose states keep changing in the padding"),
        (StartsInPadding, RAGGED, "whose reverse direction starts in the padding"),
        (IgnoresLengths, RAGGED, "that ignores lengths"),
        (
            LeavesTheTopUnflipped,
            DEEP,
            "whose reverse output is left in the order of processing in the top layer only",
        ),
        (ReturnsTheFirstRow, SQUARE, "that returns the results of the first row for every row"),
        (ReturnsOneRow, SQUARE, "that returns zeros past the first row"),
        (ReadsTheNextRow, PLAIN, "that reads the input of each row from the next row"),
        (PutsOutOneHalf, DEEP, "that returns the forward half of its output twice"),
        (SharesWeightHH, DEEP, "that uses the forward weight_hh in both directions"),
        (
            SwapsGatesAndAddsOne,
            PLAIN,
            "that reads the gates in the order i, o, f, g and adds 1 to the forget gate's bias",
        ),
        (
            SwapsBatchAndTime,
            TIME_FIRST,
            "that reads time-major input as batch-first, with batch and time swapped",
        ),
    ],
)
def test_other_faults_are_told(faulty: type[NumPyLSTM], case: Case, says: str) -> None:
    """An LSTM built to have one simple fault is told by it alone."""
    assert explanations(faulty(), case) == equals(says)


class Changed(NumPyLSTM):
    """Takes other functions for sigmoid, for tanh, and for the next c and h."""

    def __init__(self, methods: dict[str, Any]) -> None:
        vars(self).update(methods)


@pytest.mark.parametrize(
    ("says", "methods"),
    [
        ("with relu on the candidate", {"candidate": lambda a: max(a, 0)}),
        ("with tanh on the gates", {"sigmoid": math.tanh}),
        ("without sigmoid on the gates", {"sigmoid": float}),
        (
            "with sigmoid and tanh exchanged",
            {"sigmoid": math.tanh, "candidate": NumPyLSTM().sigmoid},
        ),
        ("with sigmoid on the cell state", {"squash": NumPyLSTM().sigmoid}),
        ("without an output gate, h = tanh(c)", {"hidden_state": lambda _, c: math.tanh(c)}),
        (
            "without an input gate, c = f * c + g",
            {"cell_state": lambda _, f, g, c: f * c + g},
        ),
        (
            "that drops the cell state of the previous step",
            {"cell_state": lambda i, _f, g, _c: i * g},
        ),
        (
            "with coupled gates, i = 1 - f",
            {"cell_state": lambda _, f, g, c: f * c + (1 - f) * g},
        ),
        (
            "that computes c = f * (c + i * g)",
            {"cell_state": lambda i, f, g, c: f * (c + i * g)},
        ),
        ("that computes c = i * g - f * c", {"cell_state": lambda i, f, g, c: i * g - f * c}),
        (
            "that computes c = tanh(f * c + i * g)",
            {
                "cell_state": lambda i, f, g, c: math.tanh(f * c + i * g),
                "hidden_state": lambda o, c: o * c,
            },
        ),
    ],
)
def test_other_equations_are_named(says: str, methods: dict[str, Any]) -> None:
    """An LSTM with one equation changed is explained by that alone."""
    assert explanations(Changed(methods), PLAIN) == equals(says)


class Restarts(NumPyLSTM):
    """Starts every step from the initial states, but for those that it carries."""

    def __init__(self, carried: str) -> None:
        self.carried = carried

    def run(self, case: Case) -> Result:
        states, outputs = (case.h_0, case.c_0), []
        for t in range(case.seq_len):
            step = replace(case, input=case.input[t : t + 1], h_0=states[0], c_0=states[1])
            result = super().run(step)
            outputs.append(result.output)
            states = (
                result.h_n if "h" in self.carried else case.h_0,
                result.c_n if "c" in self.carried else case.c_0,
            )
        return replace(result, output=np.concatenate(outputs))


@pytest.mark.parametrize(
    ("carried", "initial"), [("c", "initial h"), ("h", "initial c"), ("", "initial states")]
)
def test_states_that_are_not_carried_are_named(carried: str, initial: str) -> None:
    """An LSTM that starts each step from an initial state is explained by that alone."""
    says = f"that starts every step from the {initial}"
    assert explanations(Restarts(carried), PLAIN) == equals(says)


class RunsBackwards(NumPyLSTM):
    """Takes the last step first, and may return the output in that order."""

    def __init__(self, flips_input: bool) -> None:
        self.flips_input = flips_input

    def run(self, case: Case) -> Result:
        if self.flips_input:
            case = replace(case, input=case.input[::-1].copy())
        result = super().run(case)
        return replace(result, output=result.output[::-1].copy())


def test_steps_in_the_wrong_order_are_named() -> None:
    """So is an LSTM that runs from the last step to the first, or returns its output so."""
    says = "that processes the steps from the last to the first"
    assert explanations(RunsBackwards(True), PLAIN) == equals(says)
    says = "that returns its output from the last step to the first"
    assert explanations(RunsBackwards(False), PLAIN) == equals(says)


class SwapsGatesInReverse(NumPyLSTM):
    """Swaps input and forget gate in the reverse direction."""

    reverse = False

    def cell(self, case: Case, suffix: str) -> Any:
        step = super().cell(case, suffix)

        def cell(x: Array, h: Array, c: Array) -> tuple[Array, Array]:
            self.reverse = suffix.endswith("_reverse")
            return step(x, h, c)

        return cell

    def quarter(self, gate: str) -> int:
        return QUARTERS[{"i": "f", "f": "i"}.get(gate, gate) if self.reverse else gate]


class SwapsStates(NumPyLSTM):
    """Takes h_0 for c_0 and c_0 for h_0, and returns the output alone."""

    supports = replace(NumPyLSTM.supports, results=("output",))

    def run(self, case: Case) -> Result:
        result = super().run(replace(case, h_0=case.c_0, c_0=case.h_0))
        missing = np.full_like(result.h_n, np.nan)
        return Result(result.output, missing, missing)


def test_faults_are_told_where_results_are_missing() -> None:
    """What does not come back rejects no hypothesis."""
    assert explanations(SwapsStates(), PLAIN) == equals("that swaps h_0 and c_0")


def test_faults_of_one_direction_are_told() -> None:
    """A fault of the reverse direction alone is not said of both."""
    says = "that reads the gates in the order f, i, g, o (input gate and forget gate are swapped)"
    found = explanations(SwapsGatesInReverse(), DEEP)
    assert found == equals(f"{says}, in the reverse direction only")


class RoundsToTF32(PlainLSTM):
    """Rounds the factors of float32 products to 10 bits."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super().linear(self.rounded(x), self.rounded(weight), bias)

    def rounded(self, x: Tensor) -> Tensor:
        mantissa, exponent = torch.frexp(x)
        return torch.ldexp((mantissa * 2**11).round() / 2**11, exponent)


def test_rounding_to_tf32_is_told_from_cutting() -> None:
    """Factors rounded to TF32 are told, and not said to be cut."""
    found = explanations(adapt(RoundsToTF32, "RoundsToTF32"), FLOAT32)
    assert found == equals("that rounds the factors of its products to the 10 bits of TF32")


@pytest.mark.parametrize(
    ("x", "cut", "rounded"),
    [
        (1.0, 1.0, 1.0),
        (1 + 2**-10, 1 + 2**-10, 1 + 2**-10),
        (1 + 2**-11, 1.0, 1.0),
        (1 + 3 * 2**-11, 1 + 2**-10, 1 + 2**-9),
        (1 + 2**-11 + 2**-20, 1.0, 1 + 2**-10),
        (-1 - 2**-11 - 2**-20, -1.0, -1 - 2**-10),
        (2 - 2**-20, 2 - 2**-10, 2.0),
    ],
)
def test_tf32_keeps_ten_bits(x: float, cut: float, rounded: float) -> None:
    """Cutting goes towards zero, rounding to the nearest, and to even from half way."""
    assert tf32_cut(np.array([x])).item() == cut
    assert tf32_rounded(np.array([x])).item() == rounded


class ClipsGates(NumPyLSTM):
    """Keeps its gates from being quite shut or open."""

    def sigmoid(self, a: float) -> float:
        return min(max(super().sigmoid(a), 1e-7), 1 - 1e-7)


class ClipsCellState(NumPyLSTM):
    """Keeps c within 50 of zero."""

    def cell_state(self, i: float, f: float, g: float, c: float) -> float:
        return min(max(super().cell_state(i, f, g, c), -50), 50)


class LimitsTheNorm(PlainLSTM):
    """Scales c down to a norm of 1000, that of the whole batch."""

    axis: int | None = None

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        c = super().cell_state(i, f, g, c)
        norm = torch.linalg.vector_norm(c, dim=self.axis, keepdim=True)
        return c * (1e3 / (norm + 1e-7)).clamp(max=1)


class LimitsTheNormOfRows(LimitsTheNorm):
    """Scales c down to a norm of 1000, that of each row."""

    axis = -1


@pytest.mark.parametrize(
    ("lstm", "says"),
    [
        (ClipsGates(), "with sigmoid clipped to [1e-07, 1 - 1e-07]"),
        (ClipsCellState(), "that clips c to [-50, 50]"),
        *(
            (adapt(lstm, "limits"), f"that scales c to a norm of at most 1000 {of}, {added}")
            for added in ["with 1e-07 added to the norm"]
            for lstm, of in (
                (LimitsTheNorm, "over the whole batch"),
                (LimitsTheNormOfRows, "in each row"),
            )
        ),
    ],
)
def test_clipping_is_told_by_its_limit(lstm: Any, says: str) -> None:
    """Ordinary numbers do not show it, so that larger ones are tried."""
    assert explanations(lstm, PLAIN) == ()
    case = extreme(PLAIN, 11)
    told = f"The results equal those of an LSTM {says}, here and in 2 further cases."
    assert explanations(lstm, case) == (told,)


class Constant(NumPyLSTM):
    """Returns 7 everywhere."""

    def run(self, case: Case) -> Result:
        return Result.of(np.full_like(array, 7) for _, array in super().run(case).items())


def test_constant_is_told_alone() -> None:
    """Neither gates nor a dtype that holds the number are guessed at."""
    assert explanations(Constant(), PLAIN) == (
        "Every number returned is 7, here and in 3 further cases.",
    )


class SwapsInFloat32(NumPyLSTM):
    """Reads the gates in the order i, o, g, f, and rounds what it computes to float32."""

    def quarter(self, gate: str) -> int:
        return "iogf".index(gate)

    def hidden_state(self, o: float, c: float) -> float:
        return float(np.float32(super().hidden_state(float(np.float32(o)), c)))

    def cell_state(self, i: float, f: float, g: float, c: float) -> float:
        c = super().cell_state(float(np.float32(i)), float(np.float32(f)), float(np.float32(g)), c)
        return float(np.float32(c))

    def run(self, case: Case) -> Result:
        result = super().run(case)
        # so that not every number returned is one of float32
        return Result.of(array * (1 + 2.0**-40) for _, array in result.items())


def test_fault_with_narrower_arithmetic_is_told() -> None:
    """Two faults at once: another order of the gates, and float32 inside."""
    (told,) = explanations(SwapsInFloat32(), PLAIN)
    assert "in the order i, o, g, f" in told
    assert "and computes in float32 inside, here and in 3 further cases" in told


class ApproximatesTanh(NumPyLSTM):
    """Its tanh is off by up to 1e-3, as a table may be."""

    def candidate(self, a: float) -> float:
        return math.tanh(a) + 1e-3 * math.sin(7 * a)

    def squash(self, c: float) -> float:
        return self.candidate(c)


def test_inaccurate_activation_is_told_before_a_narrower_dtype() -> None:
    """By how many units it was measured to be off."""
    (told,) = explanations(ApproximatesTanh(), PLAIN)
    assert told.startswith("The errors are no larger than ")
    assert re.search(r"tanh off by 9\.\d+e\+12 units .*can make them, here and in 3", told)
