"""The findings, and the table that they are part of."""

import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, Failed, Passed
from conformance.checking.counterexample import Counterexample
from conformance.checking.verdict import Verdict
from conformance.implementations.shipped import SHIPPED
from conformance.running.reporting.side_by_side.reports import Report
from tests.adapters import findings, kept
from tests.adapters.findings import FINDINGS, Finding
from tests.adapters.findings.finding import KINDS
from tests.adapters.found import PAGE, page
from tests.adapters.table import FIELDS, KEPT, TABLE, Column, columns, markdown, problems

WRITE = "python tests/adapters/table.py --write"
BOTH = "float64", "float32"
RED = Counterexample("<LSTM 1->1 float64 on cpu>", "output[0] = 1, but should be 0", {})


def column(*verdicts: Verdict, name: str = "mlx") -> Column:
    return Column(report(*verdicts, name=name))


def report(*verdicts: Verdict, name: str = "mlx", dtypes: tuple[str, ...] = BOTH) -> Report:
    run = {
        "profile": "quick",
        "max_examples": None,
        "started": "2026-01-02T03:04:05Z",
        "supports": {name: {"dtypes": list(dtypes)}},
        "mlx": "0.0",
    }
    return Report("", True, run, verdicts)


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.title)
def test_finding_is_about_what_exists(finding: Finding) -> None:
    """Its implementations are shipped, its requirements defined, its source is linked."""
    assert finding.implementations
    assert set(finding.implementations) <= set(SHIPPED)
    assert set(finding.requirements) <= set(REQUIREMENTS)
    assert finding.kind in KINDS
    assert finding.source.startswith("https://")
    compile(finding.reproduction, finding.title, "exec")


def test_every_module_has_its_findings_among_all() -> None:
    """A module of findings is listed in the package."""
    for _, name, _ in pkgutil.iter_modules(findings.__path__, f"{findings.__name__}."):
        here = getattr(importlib.import_module(name), "FINDINGS", ())
        left = [finding.title for finding in here if finding not in FINDINGS]
        assert not left, f"{name} is not in FINDINGS of findings/__init__.py"


def test_red_without_a_finding_is_a_problem() -> None:
    """What is not examined is told, with the requirement and what it said."""
    (first, *rest) = problems([column(Failed("repr_tells_the_sizes", "mlx", "cpu", reason="odd"))])
    assert first.startswith("mlx: repr_tells_the_sizes failed, which no finding explains: odd")
    assert rest


def test_finding_without_a_red_is_a_problem() -> None:
    """A finding of a reported implementation has to show in the report."""
    said = problems([column(Passed("results_match_reference", "mlx", "cpu"))])
    assert said == [
        f"no red shows: {finding.title}" for finding in FINDINGS if "mlx" in finding.implementations
    ]


def test_table_has_a_mark_for_each_verdict() -> None:
    """Rows are requirements that apply, cells marks with the numbers of findings."""
    verdicts = (
        Passed("shapes_are_as_documented", "mlx", "cpu"),
        Failed("results_match_reference", "mlx", "cpu", counterexample=RED),
    )
    text = markdown([column(*verdicts)])
    (number,) = (
        n
        for n, finding in enumerate(FINDINGS, 1)
        if "mlx" in finding.implementations and finding.saying
    )
    assert "| requirement | mlx |" in text
    assert "| shapes_are_as_documented | ✓ |" in text
    assert f"| results_match_reference | ✗ {number} |" in text
    assert "h_n_is_last_output" not in text
    assert all(f"### {n}. {finding.title}" in text for n, finding in enumerate(FINDINGS, 1))


def test_table_tells_runs_of_one_implementation_apart() -> None:
    """By their dtypes."""
    first = column(Passed("h_n_is_last_output", "mlx", "cpu"))
    passed = Passed("shapes_are_as_documented", "mlx", "cpu")
    text = markdown([first, Column(report(passed, dtypes=("float32",)))])
    assert "| mlx (float64, float32) | mlx (float32) |" in text
    assert "| shapes_are_as_documented | · | ✓ |" in text


def test_table_is_renewed_one_implementation_at_a_time(tmp_path: Path) -> None:
    """What is kept of a report has what findings need; a new report replaces all of its own."""
    red = Failed("h_n_is_last_output", "mlx", "cpu", reason="odd", counterexample=RED)
    passed = Passed("shapes_are_as_documented", "mlx", "cpu")
    other = Passed("shapes_are_as_documented", "opacus", "cpu")
    kept.save(tmp_path / "kept.json", [report(red, passed), report(other, name="opacus")], FIELDS)
    old = kept.load(tmp_path / "kept.json")
    ((first, second), (third,)) = (each.verdicts for each in old)
    assert (first, second, third) == (red, passed, other)
    assert markdown(columns(old)) == markdown(
        columns([report(red, passed), report(other, name="opacus")])
    )
    new = report(replace(passed, requirement="nothing_is_printed"))
    found = kept.renewed(old, [new], lambda each: each.implementations[0])
    assert found == [old[1], new]


def test_published_table_is_that_of_what_is_kept() -> None:
    """TABLE.md has every implementation and finding, and each of its reds is examined."""
    found = columns(kept.load(KEPT))
    adapted = {name: shipped.extra for name, shipped in SHIPPED.items() if shipped.needs}
    unseen = sorted(adapted.keys() - {each.implementation for each in found})
    runs = ",".join(sorted({adapted[name] for name in unseen}))
    run = f"tox -e {runs}, then {WRITE} .tox/reports"
    assert not unseen, f"TABLE.json has no verdicts on {', '.join(unseen)}: {run}"
    assert TABLE.read_text(encoding="utf-8") == markdown(found), f"{WRITE} makes it"
    assert not problems(found)


def test_page_of_faults_is_that_of_the_findings() -> None:
    """FOUND.md has each fault with its script, its source and the versions."""
    assert PAGE.read_text(encoding="utf-8") == page(), "python tests/adapters/found.py makes it"
    faults = [finding for finding in FINDINGS if finding.kind == "fault"]
    assert page().count("\nSeen with ") == page().count("\n```python\n") == len(faults) > 10
