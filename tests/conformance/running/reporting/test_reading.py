"""Reports that somebody else may have written."""

import json
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.recording.json import write
from conformance.running.reporting import reading
from conformance.running.reporting.merging import whole
from conformance.running.reporting.reading import read, run_of
from tests.support.written import every_outcome
from tests.support.written import run_of as run_with


def test_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The run that is read makes the same report."""
    run = every_outcome()
    run.seconds = 2.5
    write(tmp_path / "r.json", run.to_json())
    found = read(tmp_path / "r.json")
    assert found == json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert run_of(found).to_json() == found


def test_incomplete_run_stays_incomplete() -> None:
    """Also if all of its verdicts are conformant."""
    run = every_outcome()
    run.total += 1
    assert not run_of(run.to_json()).complete


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is not a report: "),
        (b"\xff", "is not a report: "),
        (b"[1]", "is not a report: report must be object"),
        (b'{"schema": "lstm-conformance/report"}', "report must contain "),
        (b'{"x": NaN}', "NaN must be in quotes"),
        (b"[" * 100_000, "is not a report: "),
        (b"\xef\xbb\xbf[1]", "is not a report: report must be object"),
    ],
)
def test_what_is_no_report_is_refused(text: bytes, told: str, tmp_path: Path) -> None:
    """In one line that names the file."""
    path = tmp_path / "r.json"
    path.write_bytes(text)
    with pytest.raises(UsageError, match=r"r\.json") as caught:
        read(path)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shard", ["x", "0/2", "2", "1/2\n", "-1/2", ""])
def test_shard_that_is_none_is_refused(shard: str, tmp_path: Path) -> None:
    """Before anything counts with it."""
    report = every_outcome().to_json()
    report["run"]["shard"] = shard
    write(tmp_path / "r.json", report)
    with pytest.raises(UsageError, match=r"report\.run\.shard must match pattern"):
        read(tmp_path / "r.json")


def test_shards_are_merged(tmp_path: Path) -> None:
    """Two whole runs are not."""
    files = []
    for number, verdict in enumerate(every_outcome().verdicts[:2], start=1):
        run = run_with(verdict, shard=f"{number}/2", items_digest="x")
        write(tmp_path / f"{number}.json", run.to_json())
        files.append(tmp_path / f"{number}.json")
    assert [each["outcome"] for each in whole(files)["verdicts"]] == ["passed", "failed"]
    write(tmp_path / "1.json", every_outcome().to_json())
    with pytest.raises(UsageError, match="not the shards of one run"):
        whole(files)


@pytest.mark.parametrize("part", ["verdict", "supports", "precision"])
def test_damaged_report_is_refused(part: str) -> None:
    """A field that this version does not know, where the schema allows one."""
    report = every_outcome().to_json()
    known = {name: report["run"][name]["off"] for name in ("supports", "precision")}
    {"verdict": report["verdicts"][0], **known}[part]["colour"] = "red"
    with pytest.raises(UsageError, match="colour"):
        run_of(report)


def test_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that is not there."""
    monkeypatch.setattr(reading, "LARGEST", 10)
    path = tmp_path / "r.json"
    path.write_bytes(b" " * 11)
    with pytest.raises(UsageError, match="more than 10 bytes"):
        read(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read(tmp_path / "none.json")


def test_texts_are_made_printable(tmp_path: Path) -> None:
    """So that no terminal obeys what a file holds."""
    report = every_outcome().to_json()
    report["verdicts"][0]["reason"] = "\x1b[31m\ud800"
    (tmp_path / "r.json").write_text(json.dumps(report), encoding="ascii")
    assert read(tmp_path / "r.json")["verdicts"][0]["reason"] == r"\x1b[31m\ud800"
