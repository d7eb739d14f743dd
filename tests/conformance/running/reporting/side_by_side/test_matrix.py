"""Reports of several versions in one table."""

import re
from dataclasses import replace

import pytest

from conformance import UsageError
from conformance.checking.verdict import NotApplicable, Verdict
from conformance.running.reporting.side_by_side.matrix import tables
from conformance.running.reporting.side_by_side.page import html, markdown
from conformance.running.reporting.side_by_side.reports import Report
from tests.support.several_reports import (
    EQUATIONS,
    REPR,
    SHAPES,
    crashed,
    expected,
    failed,
    passed,
    report,
)

SUPPORTS = {"mine": {"dtypes": ["float32"]}}


def versions(*lists: list[Verdict]) -> list[Report]:
    """Reports of torch 2.9, 2.10 and so on, the newest first."""
    found = [report(*verdicts, torch=f"2.{9 + n}.0") for n, verdicts in enumerate(lists)]
    return found[::-1]


THREE = versions(
    [failed(), passed(SHAPES, 0.01), passed(REPR, None)],
    [passed(), passed(SHAPES, 0.01), passed(REPR, None)],
    [passed(), passed(SHAPES, 0.4), passed(REPR, None)],
)


def test_columns_are_versions_in_their_order() -> None:
    """2.10 comes after 2.9; each cell says what has changed since the version before."""
    (table,) = tables(THREE)
    assert [each.label for each in table.columns] == [f"torch 2.{n}.0" for n in (9, 10, 11)]
    rows = {row.requirement: row for row in table.rows}
    assert list(rows) == [EQUATIONS, SHAPES, REPR]
    assert [cell.changed for cell in rows[EQUATIONS].cells] == ["", "failed before", ""]
    grown = [cell.grown for cell in rows[SHAPES].cells]
    assert grown == ["", "", "1.00% of the bound before, 40.00% now"]
    assert [row.steady for row in table.rows] == [False, False, True]


def test_another_failure_is_a_change() -> None:
    """And one that was expected only now; the same one is none."""
    (table,) = tables(versions([failed()], [failed(dtype="float16")], [expected()], [expected()]))
    (row,) = table.rows
    told = ["", "failed in another way before", "failed before", ""]
    assert [cell.changed for cell in row.cells] == told


def test_columns_of_one_version_are_told_apart() -> None:
    """By Python, by dtypes, or by the file, which come in the order in which they are given."""
    one, other = (report(passed(), torch="2.9.0", python=python) for python in ("3.10", "3.13"))
    (table,) = tables([other, one])
    assert [each.label for each in table.columns] == [
        "torch 2.9.0, python 3.10",
        "torch 2.9.0, python 3.13",
    ]
    few = replace(one, run={**one.run, "supports": SUPPORTS})
    (table,) = tables([one, few])
    assert [each.label for each in table.columns] == ["torch 2.9.0", "torch 2.9.0, float32"]
    (table,) = tables([one, replace(one, file="lowest.json")])
    assert [each.label for each in table.columns] == [
        "torch 2.9.0, report.json",
        "torch 2.9.0, lowest.json",
    ]


def test_devices_have_tables_of_their_own() -> None:
    """But for one that no machine had."""
    here = report(passed(), replace(passed(), device="cuda:0"), torch="2.9.0")
    absent = NotApplicable(EQUATIONS, "mine", "cuda", reason="no CUDA device is present")
    there = report(passed(), absent, torch="2.10.0")
    assert [(each.device, len(each.columns)) for each in tables([here, there])] == [
        ("cpu", 2),
        ("cuda:0", 1),
    ]
    with pytest.raises(UsageError, match="no report has a verdict"):
        tables([report(absent)])


def test_markdown_lists_what_differs() -> None:
    """What holds everywhere is one line."""
    lines = markdown(tables(THREE)).split("\n")
    heading = lines.index(
        "| implementation | version | device | conformant | passed | expected failure "
        "| not applicable | other |"
    )
    assert [line.split(" | ")[3:] for line in lines[heading + 2 : heading + 5]] == [
        ["**no**", "2", "0", "0", "1 |"],
        ["yes", "3", "0", "0", "0 |"],
        ["yes", "3", "0", "0", "0 |"],
    ]
    assert f"| {EQUATIONS} | ✗ | **✓ 10.0%** | ✓ 10.0% |" in lines
    assert f"| {SHAPES} | ✓ 1.0% | ✓ 1.0% | **✓ 40.0%** |" in lines
    assert "<summary>Hold wherever they apply: 1</summary>" in lines
    assert "repr_tells_the_sizes" in lines
    assert f"- {EQUATIONS}, failed in torch 2.9.0:" in lines


def test_markdown_has_scripts_in_folds() -> None:
    """As code, in which nothing is a tag, below the failure that they show."""
    lines = markdown(tables(versions([failed(script="print('</details>')\nprint(1)")]))).split("\n")
    place = lines.index("  <details><summary>Script</summary>")
    assert lines[place - 2].startswith("  output\\[0\\] = 1.0")
    code = ["      print('</details>')", "      print(1)"]
    assert lines[place + 1 : place + 6] == ["", *code, "", "  </details>"]


def test_page_leads_from_each_failure_to_its_counterexample() -> None:
    """Each link has its place, with message and script; what was said is escaped."""
    script = "print('<script>')"
    bad = failed(message="output = <b>1</b>", script=script)
    made = html(tables(versions([bad], [crashed()], [passed()])))
    links = re.findall(r'<a href="#(t1-\d+)">', made)
    assert links == ["t1-1", "t1-2"]
    places = re.findall(r'<details id="(t1-\d+)"', made)
    assert places == links
    assert "output = &lt;b&gt;1&lt;/b&gt;" in made
    assert "print(&#39;&lt;script&gt;&#39;)" in made
    assert made.count("<small>") == 2
    assert "failed before" in made
    assert "crashed before" in made


def test_page_has_units_and_their_growth() -> None:
    """A row for each dtype and function that was measured."""
    of = [passed(units={"float32": {"tanh": units}}) for units in (0.5, 0.6, 3.0)]
    made = html(tables(versions(*([each] for each in of))))
    row = re.findall(r'<th scope="row">float32: tanh</th>(.*?)</tr>', made, re.S)[0]
    assert re.findall(r'<td class="([^"]+)">([^<]*)', row) == [
        ("units", "0.5"),
        ("units", "0.6"),
        ("units changed", "3"),
    ]
    assert "0.6 before" in row
