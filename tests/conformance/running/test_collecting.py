"""What the process that reports makes of pytest's reports."""

import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance import Crashed, Undecided
from conformance.running.collecting import Reporting
from conformance.running.journal import Collected, Journal
from tests.support.options import config

ITEM = "requirements/batch.py::rows_do_not_interact[odd [a|b]:Mine|cpu]"
HERE = ("rows_do_not_interact", "odd [a|b]:Mine", "cpu")


def reporting(folder: Path, **changed: Any) -> Reporting:
    """Of a run in which a worker has collected one item and found nothing."""
    asked = config(lstm_reproductions=str(folder), **changed)
    made = Reporting(asked)
    Journal.of(asked).collected(Collected({ITEM: HERE}, {"python": "3"}))
    return made


def crash(run: Reporting, item: str, sched: Any = None) -> None:
    """What pytest-xdist calls when a worker died in `item`."""
    report = pytest.TestReport(item, (item, None, item), {}, "failed", "crashed", "???")  # type: ignore[arg-type]
    report.node = SimpleNamespace(gateway=SimpleNamespace(id="gw0"))  # type: ignore[attr-defined]
    run.pytest_handlecrashitem(item, report, sched)
    run.pytest_runtest_logreport(report)


def test_workers_ignore_an_interrupt_while_they_start() -> None:
    """The keyboard interrupts them as well, and Python would print a traceback."""
    spec = SimpleNamespace(popen=True, via=None, python=None)
    Reporting.pytest_xdist_setupnodes(Any, [spec])  # type: ignore[arg-type]
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    ran = subprocess.run([*shlex.split(spec.python), "-c", code], capture_output=True, check=True)
    assert ran.stdout == b"True\n"


def test_item_of_a_dead_worker_is_known_by_what_was_collected(tmp_path: Path) -> None:
    """Whatever stands in the name of the implementation; what is not ours is left alone."""
    run = reporting(tmp_path)
    crash(run, "test_theirs.py::test_one[requirements]")
    assert not run.run.verdicts
    crash(run, ITEM)
    assert run.run.verdicts == [Crashed(*HERE, reason="the process died")]
    assert not run.run.broken


def test_item_is_known_though_the_folder_of_the_run_was_deleted(tmp_path: Path) -> None:
    """By the code under test, as with all hidden files; the next worker can write again."""
    run = reporting(tmp_path)
    run.pytest_xdist_node_collection_finished([ITEM])
    shutil.rmtree(run.folder.path)
    crash(run, ITEM)
    assert run.run.verdicts == [Crashed(*HERE, reason="the process died")]
    run.folder.restore()
    Journal.of(run.config).collected(Collected({ITEM: HERE}, {"python": "4"}))
    run.finish()
    assert run.run.circumstances["python"] == "4"


def test_item_of_a_dead_worker_is_undecided_after_the_end(tmp_path: Path) -> None:
    """Where the time of the run is up, its process was ended by that."""
    run = reporting(tmp_path, lstm_deadline=1.0, lstm_time_limit=9.0)
    crash(run, ITEM)
    (verdict,) = run.run.verdicts
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "the run's time limit of 9 s was reached"


def test_failure_without_a_verdict_is_a_fault_of_the_suite(tmp_path: Path) -> None:
    """If it is one of our items; others have failures of their own."""
    run = reporting(tmp_path)
    for item in (ITEM, "test_theirs.py::test_one[requirements]"):
        run.pytest_runtest_logreport(
            pytest.TestReport(item, (item, None, item), {}, "failed", "why", "setup")
        )
    assert run.run.broken == [f"{ITEM}\nwhy"]


def test_refusal_is_wrong_usage_and_no_fault_of_the_suite(tmp_path: Path) -> None:
    """It is known by what the process that collects left, not by the text of the report."""
    run = reporting(tmp_path)
    report = pytest.CollectReport("requirements", "failed", "what was asked is not there", None)
    run.pytest_collectreport(report)
    assert run.run.broken == ["what was asked is not there"]
    Journal.of(run.config).collected(Collected(refusal="there is no such thing"))
    run.run.broken.clear()
    run.pytest_collectreport(report)
    run.finish()
    assert (run.run.broken, run.run.usage_errors) == ([], ["there is no such thing"])


def test_what_was_collected_counts_though_there_is_nothing_to_decide(tmp_path: Path) -> None:
    """As in a shard that is empty, or a run that is resumed at its end."""
    asked = config(lstm_reproductions=str(tmp_path))
    run = Reporting(asked)
    Journal.of(asked).collected(Collected(circumstances={"python": "3"}, digest="0"))
    run.finish()
    assert run.run.circumstances["python"] == "3"
    assert run.run.items_digest == "0"
