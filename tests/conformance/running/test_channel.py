"""The channel of a worker is out of reach of what is tried."""

import contextlib
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.errors import DEVICE_LOST
from conformance.running import channel, session
from conformance.running.child import Apart, Ended

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no files")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The ends of the channel of this process, and the ends of its session."""
    theirs, ours = os.pipe(), os.pipe()
    opened = [os.fdopen(ours[0], "rb", 0), os.fdopen(theirs[1], "wb", 0)]
    opened += [os.fdopen(theirs[0], "rb", 0), os.fdopen(ours[1], "wb", 0)]
    io = SimpleNamespace(infile=opened[0], outfile=opened[1])
    worker = SimpleNamespace(channel=SimpleNamespace(gateway=SimpleNamespace(_io=io)))
    plugins = SimpleNamespace(get_plugins=lambda: [worker, object()])
    monkeypatch.setattr(session, "config", lambda: SimpleNamespace(pluginmanager=plugins))
    yield opened
    for each in opened:
        with contextlib.suppress(OSError):
            each.close()


def test_noise_goes_nowhere_and_messages_arrive(files: Any) -> None:
    """In both directions, and many times."""
    infile, outfile, arrives, sends = files

    def descriptors() -> set[int]:
        return {int(number) for number in os.listdir("/dev/fd")}

    def noise(before: set[int]) -> None:
        for number in {outfile.fileno(), *(descriptors() - before)}:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    os.write(number, b"garbage")

    for _ in range(3):
        before = descriptors()
        with channel.out_of_reach():
            noise(before)
        outfile.write(b"message")
        assert arrives.read(100) == b"message"
        sends.write(b"answer")
        assert infile.read(100) == b"answer"


def test_channel_that_was_closed_is_open_again(files: Any) -> None:
    """Whatever took its place."""
    infile, outfile, arrives, sends = files
    with channel.out_of_reach():
        os.close(outfile.fileno())
        os.close(infile.fileno())
        taken = os.open(os.devnull, os.O_RDONLY)
        assert taken in (infile.fileno(), outfile.fileno())
    outfile.write(b"message")
    assert arrives.read(100) == b"message"
    sends.write(b"answer")
    assert infile.read(100) == b"answer"


@pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
@pytest.mark.usefixtures("files")
def test_worker_without_its_channel_ends() -> None:
    """Its session would wait for ever."""

    def answers() -> Any:
        with channel.out_of_reach():
            os.closerange(3, 256)
        yield "it goes on"

    with Apart(answers, forked=True) as process, pytest.raises(Ended, match=f"{DEVICE_LOST}$"):
        process.answer(60)


def test_fork_does_not_use_the_channel(files: Any) -> None:
    """Whoever has it meanwhile."""
    _, outfile, arrives, _ = files
    kept = os.dup(outfile.fileno())
    channel.leave()
    outfile.write(b"garbage")
    os.write(kept, b"message")
    os.close(kept)
    assert arrives.read(100) == b"message"


def test_process_without_a_channel_has_nothing_to_put_aside() -> None:
    """As where nobody uses workers."""
    read, write = os.pipe()
    with channel.out_of_reach():
        os.write(write, b"message")
    assert os.read(read, 100) == b"message"
    os.close(read)
    os.close(write)
