"""What limits a run, and what is reported where a system has no such limit."""

import io
import sys

import pytest
from rich.console import Console

from conformance import CommandImplementation, UsageError
from conformance.cli import command
from conformance.running import limits
from conformance.running.choosing import select
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal.summary import summarize
from tests.support.options import config

NO_MEMORY_LIMIT = "this system has no memory limit: --memory has no effect"


@pytest.mark.parametrize(
    ("system", "absent"),
    [("linux", []), ("darwin", [NO_MEMORY_LIMIT]), ("win32", [NO_MEMORY_LIMIT])],
)
def test_absent_limit_is_in_the_report(
    system: str, absent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is among the circumstances of a run, and a line of its summary."""
    select(config(lstm_device="cpu"))  # whatever else is imported comes before
    monkeypatch.setattr("conformance.running.circumstances._cuda", dict)  # it starts a program
    monkeypatch.setattr(sys, "platform", system)
    found = select(config(lstm_device="cpu")).circumstances
    assert found["absent"] == absent
    shown = io.StringIO()
    summarize(Console(file=shown, width=200), Run("default", 1, None, found))
    assert [line.strip() for line in shown.getvalue().splitlines() if "system" in line] == absent


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_memory_is_left_alone_where_no_limit_is_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS nothing is set that would have no effect."""
    import resource

    monkeypatch.setattr(sys, "platform", "darwin")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limits.cap_memory(1.0)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_absent_limit_is_told_by_the_other_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, before whatever else they print."""
    monkeypatch.setattr(command, "absent", lambda: [NO_MEMORY_LIMIT])
    assert command.main(["replay", "nowhere"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"lstm-conformance: {NO_MEMORY_LIMIT}",
        "lstm-conformance: there is no folder nowhere",
    ]


def test_command_is_refused_where_there_are_no_process_groups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows a program could not be ended with all that it started."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="--command needs a POSIX system"):
        CommandImplementation("node mine.mjs")
