"""A process of its own: answers, and how it ends."""

import contextlib
import multiprocessing
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.errors import Broken, UsageError
from conformance.running import child
from conformance.running.child import Apart, Ended, Late
from tests.support.misbehaving import DAEMON
from tests.support.processes import wait_for_end

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.fixture(autouse=True)
def found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process imports this module, by the path that it takes over."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


def counts(last: int) -> Iterator[int]:
    yield from range(last)


def has_children() -> Iterator[int]:
    child = multiprocessing.get_context("spawn").Process(target=time.time)
    child.start()
    child.join()
    yield child.exitcode or 0


def exits() -> Iterator[int]:
    sys.exit(7)
    yield 0


def aborts() -> Iterator[int]:
    yield 1
    os.abort()


def sleeps() -> Iterator[int]:
    time.sleep(600)
    yield 0


def refuses() -> Iterator[int]:
    raise UsageError("there is no such thing")
    yield 0


def fails() -> Iterator[int]:
    raise RuntimeError("our own fault")
    yield 0


def takes(gib: float) -> Iterator[int]:
    yield len(bytearray(int(gib * 2**30)))


def test_answers_come_one_after_another() -> None:
    """Then the process has ended."""
    with Apart(counts, 2) as process:
        assert [process.answer(60), process.answer(60)] == [0, 1]
        with pytest.raises(Ended, match="exited with status 0"):
            process.answer(60)


def test_process_may_have_children() -> None:
    """What is under test may start processes of its own."""
    with Apart(has_children) as process:
        assert process.answer(60) == 0


def test_ends_are_told_apart() -> None:
    """An exit, a signal, and no answer in time, however long that is."""
    with Apart(exits) as process, pytest.raises(Ended, match="exited with status 7"):
        process.answer(1e9)
    with Apart(aborts) as process:
        assert process.answer(60) == 1
        with pytest.raises(Ended, match="ended by SIGABRT"):
            process.answer(60)
    with Apart(sleeps) as process, pytest.raises(Late):
        process.answer(0.1)


def test_wrong_usage_and_own_faults_are_told_apart() -> None:
    """The first is what was asked for; the second comes with its traceback."""
    with Apart(refuses) as process, pytest.raises(UsageError, match=r"^there is no such thing$"):
        process.answer(60)
    with Apart(fails) as process, pytest.raises(Broken, match=r"(?s)Traceback.*in fails") as caught:
        process.answer(60)
    assert "RuntimeError: our own fault" in str(caught.value)


def leaves(folder: Path) -> Iterator[int]:
    left = os.fork()
    if not left:
        time.sleep(600)
        os._exit(0)
    subprocess.run([sys.executable, "-c", DAEMON], cwd=folder, check=True)
    yield left
    time.sleep(600)


@linux
@pytest.mark.parametrize("forked", [True, False])
def test_nothing_is_left(forked: bool, tmp_path: Path) -> None:
    """Neither a child nor a daemon, also where the process has no time for its end."""
    with Apart(leaves, tmp_path, forked=forked) as process:
        left = process.answer(60)
        daemon = tmp_path / "left"
        while not (daemon.exists() and daemon.read_text()):
            time.sleep(0.01)
    assert wait_for_end([left, int(daemon.read_text())]) == []


def writes(noise: bytes, seconds: float) -> Iterator[int]:
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, noise)
    time.sleep(seconds)
    yield 0


@linux
@pytest.mark.parametrize("seconds", [0, 600])
@pytest.mark.parametrize("header", [-7, 3, 2**31 - 1])
def test_noise_is_no_answer(header: int, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever length it announces; nobody waits for the rest, or for the end of the process."""
    monkeypatch.setattr(child, "READING", 0.5)
    noise = struct.pack("!i", header) + b"abc"
    with Apart(writes, noise, seconds, forked=True) as process, pytest.raises(Ended):
        process.answer(60)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is capped by Linux alone")
def test_memory_is_capped() -> None:
    """More than allowed is refused by the operating system, as much as that is not."""
    with Apart(takes, 1.0, memory=2) as process:
        assert process.answer(60) == 2**30
    with Apart(takes, 2.5, memory=2) as process, pytest.raises(Broken, match="MemoryError"):
        process.answer(60)
