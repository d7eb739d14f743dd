"""Reports read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance import UsageError
from conformance.running.reporting.reading import read as read_one
from conformance.running.reporting.side_by_side.reports import failure, found_in, read
from tests.support.several_reports import crashed, expected, failed, passed, written


def test_report_is_read_back(tmp_path: Path) -> None:
    """What was written comes back, verdict by verdict."""
    verdicts = [failed(), passed("shapes_are_as_documented")]
    found = read(written(tmp_path / "r.json", *verdicts, torch="2.13.0"))
    assert found.complete
    assert found.verdicts == verdicts
    assert found.version("mine") == "torch 2.13.0"


def test_report_of_another_version_is_read(tmp_path: Path) -> None:
    """Fields that an older version had not are left at their defaults, those of a newer ignored."""
    file = tmp_path / "r.json"
    values = json.loads(Path(written(file, failed())).read_text(encoding="utf-8"))
    (verdict,) = values["verdicts"]
    del verdict["shares"], verdict["script"], verdict["units"]
    verdict["of_tomorrow"] = verdict["counterexample"]["of_tomorrow"] = 1
    verdict["counterexample"]["diagnosis"]["of_tomorrow"] = 1
    file.write_text(json.dumps(values), encoding="utf-8")
    assert list(read(str(file)).verdicts) == [failed()]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "something else"}, "is of schema something else"),
        ({"version": 99}, "version 99"),
        ({"verdicts": [{"outcome": "fine"}]}, "KeyError"),
        ({"verdicts": [{"outcome": "passed"}]}, "missing"),
        ({"verdicts": 3}, "TypeError"),
        ({"run": 3}, "TypeError"),
    ],
)
def test_other_files_are_refused(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    """In one line that names the file."""
    file = tmp_path / "r.json"
    values = json.loads(Path(written(file, passed())).read_text(encoding="utf-8"))
    file.write_text(json.dumps({**values, **change}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"r\.json is not a report") as refused:
        read(str(file))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_verdicts_on_the_same_are_refused(tmp_path: Path) -> None:
    """One would hide the other, as in a file that was put together by hand."""
    file = written(tmp_path / "r.json", passed(), failed())
    told = r"r\.json is not a report: it has 2 verdicts on cell_matches_equations on mine \(cpu\)$"
    for reader in (read, lambda name: read_one(Path(name))):
        with pytest.raises(UsageError, match=told):
            reader(file)


def test_reports_in_a_folder_are_those_that_are_not_hidden(tmp_path: Path) -> None:
    """Not the cases that failures leave in the folder in which the command ran."""
    for place in ("one.json", "below/two.json", ".lstm-conformance/mine/case.json"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert [Path(each).name for each in found_in([str(tmp_path)])] == ["two.json", "one.json"]


def test_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """Or that hold no JSON."""
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read(str(tmp_path / "r.json"))
    (tmp_path / "r.json").write_bytes(b"\xff{")
    with pytest.raises(UsageError, match="is not a report"):
        read(str(tmp_path / "r.json"))


def test_failure_is_told_by_kind_and_dtype() -> None:
    """Whether expected or not; what holds has none."""
    assert failure(failed()) == failure(expected()) == ("wrong element", "float32")
    assert failure(crashed()) == ("raised", "float32")
    assert failure(passed()) is None
