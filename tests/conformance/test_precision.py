"""Declared precision, from the declaration to the verdict and the report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, Budget, Failed, Passed, UsageError, Verdict, check
from conformance.drop_in import adapt
from conformance.hypotheses import HYPOTHESES
from conformance.implementation import precision
from conformance.selection import with_dtypes, with_precision
from reference import DTYPES, Case, Precision, Result, rounded
from tests.conformance.cases import RoundedReference
from tests.conformance.processes import SPECIMENS, command
from tests.conformance.specimens import CutsProductsTo10Bits


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


@pytest.mark.parametrize(
    "requirement",
    [name for name, each in REQUIREMENTS.items() if each.level == "core" and not each.costly],
)
def test_declared_precision_holds_in_every_core_requirement(requirement: str) -> None:
    """No core requirement turns red on what was declared."""
    decided = verdict(DeclaresTF32, requirement)
    assert decided.conformant, decided.lines()


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
        ("sums=tf32", "unknown 'sums': choose among storage, products"),
        ("activation=many", "activation must be a number, got 'many'"),
        ("products=tf64", "products must be one of tf32"),
        ("weight_bits", "weight_bits must be a number, got ''"),
        ("activation=inf", "activation must be 0 or more, and finite, got inf"),
    ],
)
def test_impossible_declaration_is_refused(declared: str, told: str) -> None:
    """Each gets one line that says what is wrong and what there is."""
    with pytest.raises(UsageError, match=f"^--precision: {told}"):
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
