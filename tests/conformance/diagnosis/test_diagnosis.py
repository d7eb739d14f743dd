"""What a diagnosis looks at, what it claims, and that it does no harm."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import REQUIREMENTS, Budget, Case, Result, Support, check
from conformance.checking.comparison import against_reference
from conformance.checking.counterexample import Diagnosis
from conformance.checking.verdict import Failed, from_json
from conformance.diagnosis import diagnose
from conformance.diagnosis.alternatives import HYPOTHESES
from conformance.diagnosis.parting import right
from reference import Configuration, lstm, rounded
from tests.faults import equations, layers, layout, plain, states
from tests.faults.zoo import Fault, implementation
from tests.support.cases import RoundedReference, random_case
from tests.support.findings import diagnosed, finding
from tests.support.kinds import CASES, SINGLE, STATELESS
from tests.support.numpy_lstm import NumPyLSTM


def equal(says: str) -> tuple[str]:
    return (f"The results equal those of an LSTM {says}, here and in 3 further cases.",)


def test_diagnosis_of_a_right_lstm_is_empty() -> None:
    """Nothing is said of the plain LSTM in any kind of case."""
    for case in CASES:
        assert diagnosed(implementation(plain.PlainLSTM), case, against_reference) == Diagnosis()


def test_diagnosis_tells_that_a_single_call_is_right() -> None:
    """What is wrong with a second call only is said to be right when called once."""
    body = REQUIREMENTS["same_call_gives_same_bits"].body
    found = diagnosed(implementation(states.KeepsItsStateBetweenCalls), STATELESS, body)
    assert found.lines() == [
        "A new instance, called once with this case, gives the true results.",
    ]


def test_diagnosis_is_about_the_run_that_is_wrong() -> None:
    """Where the case itself is right, the derived one that is wrong is named."""
    body = REQUIREMENTS["batch_first_only_swaps_axes"].body
    case = random_case(Configuration(2, 3), dtype="float64")
    found = diagnosed(implementation(layout.ReshapesInsteadOfTransposing), case, body)
    assert found.derived == (
        "The following is about a case derived from this one, <LSTM 2->3 batch_first seq_len=4 "
        "batch_size=3 float64 on cpu> with other input."
    )
    assert "by a reshape instead of a transpose" in found.explanations[0]


class FailsWithMoreRows(NumPyLSTM):
    """Is wrong with one row, as without bias_hh, and raises with more."""

    def bias(self, name: str, bias: Any) -> Any:
        return bias * (name == "bias_ih")

    def run(self, case: Case) -> Result:
        if case.batch_size > 1:
            raise RuntimeError("too many rows")
        return super().run(case)


def test_diagnosis_claims_nothing_that_it_could_not_confirm() -> None:
    """An implementation that raises in the larger cases is not explained by the smallest alone."""
    found = diagnosed(FailsWithMoreRows(), SINGLE, against_reference)
    assert found.explanations == ()
    assert "results first differ in layer 0, step 0" in found.parted


def test_diagnosis_refutes_what_explains_the_smallest_case_only() -> None:
    """What explains a counterexample of zeros, but no larger case, is not claimed."""

    def change(_: Case, result: Result) -> Result:
        return Result(result.c_n / 2, result.c_n / 2, result.c_n)

    c_0 = np.ones((1, 1, 3))
    zeros = {name: 0 * array for name, array in SINGLE.parameters.items()}
    case = replace(SINGLE, parameters=zeros, h_0=0 * c_0, c_0=c_0)
    faulty = RoundedReference(change)
    fitting = [each.compute(case) for each in HYPOTHESES]
    assert any(known is not None and right(faulty.run(case), known) for known in fitting)
    assert diagnosed(faulty, case, against_reference).explanations == ()


def test_diagnosis_swallows_what_the_implementation_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is no result does not end the run; a fault of the suite is not hidden."""

    def change(case: Case, result: Result) -> Any:
        return result.output if case.seq_len > 3 else replace(result, h_n=result.h_n + 1)

    found = diagnosed(RoundedReference(change), SINGLE, against_reference)
    assert "The output is right; the results first differ in h_n of layer 0" in found.parted

    def broken(*_: Any) -> Diagnosis:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("conformance.diagnosis.located", broken)
    with pytest.raises(ZeroDivisionError, match="oh"):
        diagnosed(RoundedReference(change), SINGLE)


def test_diagnosis_keeps_to_its_time() -> None:
    """A slow implementation is given up, with what has been found until then."""

    class Slow(FailsWithMoreRows):
        runs = 0

        def run(self, case: Case) -> Result:
            self.runs += 1
            time.sleep(0.1)
            return super().run(case)

    slow = Slow()
    found = diagnosed(slow, SINGLE, against_reference, seconds=0.05)
    assert found.lines()[-1] == "The diagnosis was stopped after 0.05 s."
    assert slow.runs == 2, "one that fails, and the first of the diagnosis"


def test_diagnosis_tells_each_case_before_it_is_run() -> None:
    """`before` sees every case that the implementation is run on, in the same order."""
    reference = RoundedReference(lambda _, result: replace(result, c_n=result.c_n + 1))
    told: list[Case] = []
    found = finding(reference, SINGLE)
    reference.seen.clear()
    diagnose(found, before=told.append)
    assert len(told) == len(reference.seen) > 3
    for each, seen in zip(told, reference.seen, strict=True):
        assert np.shares_memory(each.input, seen.input), "a view of the same case"


class Sixteen(NumPyLSTM):
    """Forgets bias_hh, in bfloat16 only."""

    supports = Support(dtypes=("bfloat16",), gradients=False)

    def run(self, case: Case) -> Result:
        parameters = {
            name: array * (not name.startswith("bias_hh"))
            for name, array in case.parameters.items()
        }
        return rounded(lstm(replace(case, parameters=parameters)), case.dtype)


def test_diagnosis_works_in_sixteen_bits() -> None:
    """A coarse dtype hides no simple fault and makes up none."""
    case = random_case(Configuration(2, 3, num_layers=2), dtype="bfloat16")
    assert diagnosed(Sixteen(), case, against_reference).explanations == equal("without bias_hh")


def scaled(case: Case) -> Case:
    """With parameters larger by 6 %."""
    parameters = {
        name: (1.06 * array.astype(float)).astype(array.dtype)
        for name, array in case.parameters.items()
    }
    return replace(case, parameters=parameters)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_diagnosis_makes_nothing_up_in_coarse_dtypes(dtype: str, num_layers: int) -> None:
    """Results that are slightly wrong are not taken for those of something that is about right."""
    case = random_case(Configuration(2, 3, num_layers=num_layers), dtype=dtype)

    def add(case: Case, result: Result) -> Result:
        moved = Result.of(array.astype(float) + 0.06 for _, array in result.items())
        return rounded(moved, case.dtype)

    found = diagnosed(RoundedReference(add), case, against_reference)
    assert found.explanations == ()
    assert found.parted
    scaling = RoundedReference(lambda case, _: rounded(lstm(scaled(case)), case.dtype))
    assert diagnosed(scaling, case, against_reference).explanations == ()


@pytest.mark.parametrize(
    ("fault", "requirement", "says"),
    [
        (equations.ForgetsBiasHH, "results_match_reference", "without bias_hh"),
        (
            equations.SwapsInputAndForgetGates,
            "cell_matches_equations",
            "that reads the gates in the order f, i, g, o (input gate and forget gate are swapped)",
        ),
        (
            layers.TakesStatesDirectionMajor,
            "results_match_reference",
            "that reads the initial states in direction-major order",
        ),
    ],
)
def test_check_adds_the_diagnosis_to_the_counterexample(
    fault: Fault, requirement: str, says: str
) -> None:
    """The shrunk counterexample carries it, shows it last, and keeps it as JSON."""
    verdict = check(REQUIREMENTS[requirement], implementation(fault), budget=Budget(40, 1, 5.0))
    assert isinstance(verdict, Failed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.diagnosis.explanations == equal(says)
    assert verdict.lines()[-1:] == list(equal(says))
    report = json.loads(json.dumps(verdict.to_json()))
    assert from_json(report) == verdict
    del report["counterexample"]["diagnosis"]
    assert (
        from_json(report).lines()
        == verdict.lines()[: -len(verdict.counterexample.diagnosis.lines())]
    )


def test_check_without_time_to_shrink_gives_no_diagnosis() -> None:
    """Where nothing is to be shrunk, nothing is diagnosed."""
    faulty = implementation(equations.ForgetsBiasHH)
    verdict = check(REQUIREMENTS["results_match_reference"], faulty, budget=Budget(40, 1, 0.0))
    assert isinstance(verdict, Failed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.diagnosis == Diagnosis()
