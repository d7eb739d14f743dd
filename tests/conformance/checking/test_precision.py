"""Declared precision, from the declaration to the verdict and the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conformance import REQUIREMENTS, Budget, Failed, Passed, UsageError, Verdict, check
from conformance.checking.truth import truth
from conformance.diagnosis.alternatives import HYPOTHESES
from conformance.implementations.implementation import precision
from conformance.implementations.pytorch.probing import adapt
from conformance.reproductions.endings import ending
from conformance.running.limiting import with_dtypes, with_precision
from reference import DTYPES, Case, Configuration, Precision, Result, lstm, rounded
from tests.support.cases import RoundedReference, random_case
from tests.support.findings import finding
from tests.support.processes import SPECIMENS, command
from tests.support.specimens import CutsProductsTo10Bits


class DeclaresTF32(CutsProductsTo10Bits):
    """Says what it does."""

    precision = Precision(products="tf32")


def verdict(cls: type, requirement: str = "results_match_reference") -> Verdict:
    implementation = with_dtypes(adapt(cls, "mine"), "float32")
    return check(REQUIREMENTS[requirement], implementation, budget=Budget(60, seed=1))


def test_undeclared_precision_is_the_dtypes_own() -> None:
    """Products of 10 bits fail where nothing is declared, and pass where they are."""
    assert isinstance(verdict(CutsProductsTo10Bits), Failed)
    passed = verdict(DeclaresTF32)
    assert isinstance(passed, Passed), passed.lines()
    assert passed.largest_share is not None
    assert 0.01 < passed.largest_share <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "requirement",
    [name for name, each in REQUIREMENTS.items() if each.level == "core" and not each.costly],
)
def test_declared_precision_holds_in_every_core_requirement(requirement: str) -> None:
    """No core requirement turns red on what was declared."""
    decided = verdict(DeclaresTF32, requirement)
    assert decided.conformant, decided.lines()


def test_parameter_may_seem_unused_within_both_bounds() -> None:
    """Weights of one bit may hide a change of a parameter, as far as both bounds go."""

    def nearest_to_zero(case: Case, _: Result) -> Result:
        known = truth(case, mine)
        pairs = zip(known.result.items(), known.bound.items(), strict=True)
        near = [np.sign(a) * np.maximum(np.abs(a) - limit, 0) for (_, a), (_, limit) in pairs]
        return rounded(Result.of(near), case.dtype)

    mine = with_precision(RoundedReference(nearest_to_zero), "weight_bits=1")
    case = random_case(Configuration(1, 1), seq_len=1, batch_size=1)
    parameters = {name: 0 * array for name, array in case.parameters.items()}
    nothing = 0 * case.initial_states()[0]
    case = replace(case, parameters=parameters, h_0=nothing, c_0=nothing)
    changed = replace(
        case, parameters={**parameters, "weight_ih_l0": 0.5 + 0 * case.parameters["weight_ih_l0"]}
    )
    assert not nearest_to_zero(changed, lstm(changed)).output.any()
    assert lstm(changed).output.any()
    REQUIREMENTS["every_parameter_influences_result"].body(mine, case)


def test_script_has_the_limit_that_the_precision_allows() -> None:
    """What the requirement passes under a coarse declaration, its script passes too."""
    factor = 1.0

    def large(case: Case, result: Result) -> Result:
        return replace(result, c_n=factor * (np.abs(case.initial_states()[1]) + case.seq_len))

    mine = with_precision(RoundedReference(large), "storage=bfloat16")
    case = random_case(Configuration(2, 3), seq_len=20)
    body = REQUIREMENTS["states_stay_in_range"].body
    factor = 1.3
    body(mine, case)
    passed = mine.run(case).c_n
    factor = 9.0
    ended = ending(replace(finding(mine, case, body), implementation=None))
    assert ended is not None
    assert (np.abs(passed) <= ended.operands["limit"].array).all()


def test_precision_can_be_declared_by_name() -> None:
    """The text of the option becomes the precision of the implementation."""
    declared = with_precision(RoundedReference(), "products=tf32,activation=8,weight_bits=8")
    assert precision(declared) == Precision(products="tf32", activation=8.0, weight_bits=8)
    assert precision(with_precision(RoundedReference(), "")) == Precision()


def test_precision_by_name_adds_to_the_implementations_own() -> None:
    """What the implementation itself declares still holds."""
    mine = adapt(DeclaresTF32, "mine")
    both = with_precision(mine, "added_bias=1")
    assert precision(both) == Precision(products="tf32", added_bias=1.0)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("sums=tf32", "unknown --precision 'sums': choose among storage, products"),
        ("activation=many", "--precision: activation must be a number, got 'many'"),
        ("products=tf64", "--precision: products must be one of tf32"),
        ("weight_bits", "--precision: weight_bits must be a number, got ''"),
        ("activation=inf", r"--precision: activation must be from 0 to 9.01e\+15, got inf"),
    ],
)
def test_impossible_declaration_is_refused(declared: str, told: str) -> None:
    """Each gets one line that says what is wrong and what there is."""
    with pytest.raises(UsageError, match=f"^{told}"):
        with_precision(RoundedReference(), declared)


def test_fault_is_explained_within_the_declared_precision() -> None:
    """Swapped gates are told where products of bfloat16 are declared and made."""
    swapped = next(each for each in HYPOTHESES if "order f, i, g, o" in each.says)

    def rough(case: Case, _: Result) -> Result:
        narrow = case.input.astype(DTYPES["bfloat16"].numpy).astype(case.dtype.numpy)
        known = swapped.compute(replace(case, input=narrow), bounded=False)
        assert known is not None
        return rounded(known.result, case.dtype)

    mine = with_precision(RoundedReference(rough), "products=bfloat16")
    failed = check(
        REQUIREMENTS["results_match_reference"],
        with_dtypes(mine, "float32"),
        budget=Budget(60, seed=1),
    )
    assert f"equal those of an LSTM {swapped.says}" in "\n".join(failed.lines())


def test_command_takes_and_reports_the_precision(tmp_path: Path) -> None:
    """What was declared is in the summary and in the JSON report."""
    run = command(
        *("verify", f"{SPECIMENS}:CutsProductsTo10Bits", "--precision", "products=tf32"),
        *("--dtype", "float32", "--requirement", "results_match_reference", "-n", 0),
        *("--profile", "quick", "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "declares its precision: products tf32" in run.stdout
    (declared,) = json.loads((tmp_path / "report.json").read_text())["run"]["precision"].values()
    assert declared["products"] == "tf32"
