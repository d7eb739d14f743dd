"""The same run on other machines: socket servers on the loopback, each in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.checking.verdict import Crashed
from conformance.reproductions.record import read
from conformance.running import remote
from conformance.running.baseline import KNOWN
from conformance.running.journal import Collected, Doing, Entry, Journal, collected
from conformance.running.journal import read as read_entry
from conformance.running.journal import verdicts as read_verdicts
from reference import Configuration
from tests.support.cases import random_case
from tests.support.processes import SPECIMENS, command
from tests.support.reports import report

LOOP = """
import subprocess, sys
while subprocess.run([sys.executable, "-m", "execnet.script.socketserver", sys.argv[1]]):
    pass
"""
"""A server that is started again whenever it has ended, as the page says."""
ONCE = """
import runpy
runpy.run_module("execnet.script.socketserver", run_name="__main__")
"""
NAMES = ("theirs.py:ForgetsBiasHH", "theirs.py:Segfaults", "torch.nn.LSTMCell")
ASKED = ("results_match_reference", "rows_do_not_interact", "h_n_is_last_output")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts a server in a folder of its own, and returns its specification."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str = LOOP) -> str:
        port = free_port()
        folder = tmp_path / f"machine-{port}"
        folder.mkdir()
        arguments = [sys.executable, "-c", program, f"127.0.0.1:{port}"]
        with (tmp_path / f"{port}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    arguments, cwd=folder, stdout=log, stderr=log, start_new_session=True
                )
            )
        while not remote.answers(f"127.0.0.1:{port}"):
            assert started[-1].poll() is None
        return f"socket=127.0.0.1:{port}"

    yield start
    for each in started:
        os.killpg(each.pid, signal.SIGKILL)
        each.wait()


def verified(folder: Path, *options: object) -> dict[str, Any]:
    """The report of a run in a project of somebody's own, by implementation and requirement."""
    folder.mkdir()
    shutil.copy(SPECIMENS, folder / "theirs.py")
    asked = [word for name in ASKED for word in ("--requirement", name)]
    run = command(
        *("verify", *NAMES, *asked, "--device", "cpu", "--max-examples", 6, "--seed", 8),
        *("--json", "report.json", *options),
        folder=folder,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return report(folder / "report.json")


def decided(written: dict[str, Any]) -> dict[tuple[str, str], tuple[str, int, str, str]]:
    return {
        (each["implementation"], each["requirement"]): (
            each["outcome"],
            each["cases"],
            each["cases_digest"],
            each["reproduction"],
        )
        for each in written["verdicts"]
    }


@pytest.mark.slow
def test_workers_elsewhere_reach_the_verdicts_of_workers_here(
    server: Callable[..., str], tmp_path: Path
) -> None:
    """With the same cases, also where they die; and what failures leave is here."""
    here = verified(tmp_path / "here", "-n", 2)
    there = verified(tmp_path / "project", "--tx", server(), "--tx", server(), "--rsyncdir", ".")
    assert decided(there) == decided(here)
    assert there["run"]["cases_digest"] == here["run"]["cases_digest"]
    crashed = [each for each in there["verdicts"] if each["outcome"] == Crashed.outcome]
    assert crashed
    for each in crashed:
        kept = read(tmp_path / "project" / each["reproduction"])
        assert kept.subject.folder == str(tmp_path / "project")
        assert each["counterexample"]["message"] == "the process died in this case"
    for machine in tmp_path.glob("machine-*"):
        assert (machine / "pyexecnetcache" / "project" / "theirs.py").is_file()
        assert not list(machine.rglob("reproduce.py"))
    again = command(
        "replay", tmp_path / "project" / crashed[0]["reproduction"], folder=tmp_path / "project"
    )
    assert again.returncode == 1, again.stdout + again.stderr


@pytest.mark.slow
def test_machine_that_is_gone_is_replaced_here(server: Callable[..., str], tmp_path: Path) -> None:
    """A server that dies with its worker, and is not started again, costs no verdict."""
    here = verified(tmp_path / "here", "-n", 1)
    there = verified(tmp_path / "project", "--tx", server(ONCE), "--rsyncdir", ".")
    assert {key: value[0] for key, value in decided(there).items()} == {
        key: value[0] for key, value in decided(here).items()
    }


@pytest.mark.slow
def test_baseline_reaches_workers_elsewhere(server: Callable[..., str], tmp_path: Path) -> None:
    """As data: they have no copy of its file."""
    (tmp_path / "project").mkdir()
    shutil.copy(SPECIMENS, tmp_path / "project" / "theirs.py")
    arguments = ("verify", NAMES[0], "--requirement", ASKED[0], "--device", "cpu", "--seed", 8)
    few = (*arguments, "--max-examples", 6)
    old = command(*few, "-n", 1, "--json", "../old.json", folder=tmp_path / "project")
    assert old.returncode == 1, old.stdout + old.stderr
    there = ("--tx", server(), "--rsyncdir", ".", "--json", "../new.json")
    run = command(*few, *there, "--baseline", "../old.json", folder=tmp_path / "project")
    assert run.returncode == 0, run.stdout + run.stderr
    (verdict,) = report(tmp_path / "new.json")["verdicts"]
    assert (verdict["outcome"], verdict["reason"]) == ("expected failure", KNOWN)


def test_server_or_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """In one line, before anything is verified."""
    spec = f"socket=127.0.0.1:{free_port()}"
    run = command("verify", "torch.nn.LSTM", "--tx", spec, folder=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stderr == f"lstm-conformance: --tx {spec}: no server answers there\n"
    folder = ("--tx", "popen", "--rsyncdir", "nowhere")
    run = command("verify", "torch.nn.LSTM", *folder, folder=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stderr == "lstm-conformance: --rsyncdir nowhere: there is no such folder\n"


def test_server_that_ends_does_not_answer() -> None:
    """A process that dies takes connections for a moment; one that lives keeps them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        assert remote.answers(address)
        listening.accept()[0].close()
        dying = threading.Thread(target=lambda: listening.accept()[0].close())
        dying.start()
        assert not remote.answers(address)
        dying.join()
    assert not remote.answers(address)


class Wire:
    """A channel: what is sent on one side arrives on the other."""

    def __init__(self) -> None:
        self.callback: Any = None

    def setcallback(self, callback: Any) -> None:
        self.callback = callback

    def send(self, message: Any) -> None:
        self.callback(message)


def test_journal_of_a_worker_elsewhere_is_in_the_folder_of_the_run(tmp_path: Path) -> None:
    """Line by line, as one that is written here."""
    wire, given = Wire(), dict[str, Any]()
    spec = SimpleNamespace(popen=False, via=None)
    gateway = SimpleNamespace(spec=spec, id="gw7", newchannel=lambda: wire)
    assert remote.attach(SimpleNamespace(gateway=gateway, workerinput=given), tmp_path)
    config: Any = SimpleNamespace(
        workerinput={**given, "workerid": "gw7"}, getoption={"lstm_journal": ""}.__getitem__
    )
    journal = Journal.of(config)
    case = random_case(Configuration(2, 3))
    journal.write(Entry(Doing("first")))
    journal.write(Entry(Doing("second", "mine"), case))
    journal.collected(Collected({"item": ("claim", "mine", "cpu")}))
    for seconds in (1.0, 2.0):
        journal.decided(Crashed("claim", "mine", "cpu", seconds=seconds))
    entry = read_entry(tmp_path / "gw7")
    assert entry is not None
    assert entry.now.doing == "second"
    assert collected(tmp_path).items == {"item": ("claim", "mine", "cpu")}
    assert [each.seconds for each in read_verdicts(tmp_path / "gw7")] == [1.0, 2.0]


def test_workers_of_this_machine_share_its_disk(tmp_path: Path) -> None:
    """They get no channel."""
    spec = SimpleNamespace(popen=True, via=None)
    node = SimpleNamespace(gateway=SimpleNamespace(spec=spec), workerinput={})
    assert not remote.attach(node, tmp_path)
    assert not node.workerinput


def test_folder_of_a_worker_elsewhere_is_the_copy_of_the_current_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """If that, or a folder above it, was sent."""
    inside = tmp_path / "project" / "inside"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    for roots, expected in (
        ([tmp_path / "project"], "project/inside"),
        ([tmp_path / "other"], "."),
    ):
        node = SimpleNamespace(nodemanager=SimpleNamespace(roots=roots))
        assert remote.home(node) == expected
