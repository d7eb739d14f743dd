"""LSTMs that compute the right numbers and misbehave otherwise, one way each.

They misbehave on inputs with a non-zero element only, so that trying out what they take ends well.
"""

import _thread
import builtins
import contextlib
import ctypes
import faulthandler
import io
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from conformance import Case, Result, Support
from reference import lstm, rounded


class Misbehaving(nn.LSTM):
    """Misbehaves before or after it computes."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        if not (x if isinstance(x, Tensor) else x.data).any():
            return super().forward(x, hx)
        self.before()
        return self.after(super().forward(x, hx))

    def before(self) -> None:
        """Misbehave without an answer."""

    def after(self, answer: Any) -> Any:
        """Misbehave in the answer."""
        return answer


class Aborts(Misbehaving):
    """Calls abort()."""

    def before(self) -> None:
        os.abort()


class ExitsInC(Misbehaving):
    """Calls exit() of the C library, with success."""

    def before(self) -> None:
        ctypes.CDLL(None).exit(0)


class RaisesWhatNobodyCatches(Misbehaving):
    """Raises an exception that is no Exception."""

    def before(self) -> None:
        class Bang(BaseException):
            pass

        raise Bang("gone")


class InterruptsItself(Misbehaving):
    """Raises KeyboardInterrupt."""

    def before(self) -> None:
        raise KeyboardInterrupt


class HogsMemory(Misbehaving):
    """Takes memory until there is no more."""

    def before(self) -> None:
        hog = []
        while True:
            hog.append(bytearray(2**26))


class HogsMemoryInTorch(Misbehaving):
    """Asks torch for 60 GiB at once."""

    def before(self) -> None:
        torch.ones(60 * 2**30, dtype=torch.uint8)


class Prints(Misbehaving):
    """Writes to standard output, through Python and past it."""

    def before(self) -> None:
        print("shape")
        os.write(1, b"\x00\xff raw\n")


class ClosesItsOutput(Misbehaving):
    """Closes standard output and error, and what these were at the start."""

    def before(self) -> None:
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.close()
        sys.stdout = sys.stderr = None


class ChangesEverything(Misbehaving):
    """Changes default dtype, threads, grad mode, random state and warnings filters."""

    def before(self) -> None:
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(3)
        torch.set_grad_enabled(False)
        torch.manual_seed(1)
        warnings.simplefilter("error", ResourceWarning)


class RaisesOnUnderflow(Misbehaving):
    """Makes NumPy raise on whatever it would let pass."""

    def before(self) -> None:
        np.seterr(all="raise")


class AnswersLists(Misbehaving):
    """Answers with lists in place of tensors."""

    def after(self, answer: Any) -> Any:
        output, (h_n, c_n) = answer
        return output, (h_n.tolist(), c_n.tolist())


class AnswersTheWrongType(Misbehaving):
    """Answers with a text."""

    def after(self, answer: Any) -> Any:
        return "done"


class Plain:
    """Is an implementation itself."""

    supports = Support(dtypes=("float64",), gradients=False)

    @property
    def name(self) -> str:
        return type(self).__name__

    def run(self, case: Case) -> Result:
        return rounded(lstm(case), case.dtype)


class GivesLists(Plain):
    """Its Result holds lists."""

    def run(self, case: Case) -> Result:
        return Result.of(array.tolist() for _, array in super().run(case).items())


class GivesTensorsThatRequireGrad(Plain):
    """Its Result holds tensors that require gradients."""

    def run(self, case: Case) -> Any:
        arrays = [array for _, array in super().run(case).items()]
        tensors: list[Any] = [torch.tensor(array, requires_grad=True) for array in arrays]
        return Result.of(tensors)


class GivesNothing(Plain):
    """Returns None."""

    def run(self, case: Case) -> Any:
        return None


class Sleeps(Misbehaving):
    """Never answers."""

    def before(self) -> None:
        ctypes.CDLL(None).sleep(1000)


class RightOnASecondDevice(Plain):
    """Is right on what it calls a CUDA device, as long as that works."""

    supports = Support(
        dtypes=("float64",), devices=("cpu", "cuda:0"), gradients=False, hands_on_arrays=True
    )
    lost = False

    def run(self, case: Case) -> Result:
        if case.device == "cuda:0":
            self.synchronize()
        result = super().run(replace(case))  # which refuses wrong shapes
        return replace(result, devices=dict.fromkeys(Support.results, case.device))

    @staticmethod
    def synchronize(*_: Any) -> None:
        if RightOnASecondDevice.lost:
            raise RuntimeError("CUDA error: device-side assert triggered\nand more")


class LosesItsDevice(RightOnASecondDevice):
    """Triggers an assertion on its device where a state has one feature too few."""

    def run(self, case: Case) -> Result:
        wrong = case.h_0 is not None and case.h_0.shape[-1] != case.configuration.output_size
        if wrong and case.device == "cuda:0":
            RightOnASecondDevice.lost = True
            torch.cuda.is_initialized = lambda: True
            torch.cuda.synchronize = self.synchronize  # type: ignore[assignment]
        return super().run(case)


class DiesOfWrongShapes(Plain):
    """Ends its process where a state has one feature too few."""

    supports = replace(Plain.supports, hands_on_arrays=True)

    def run(self, case: Case) -> Result:
        if case.h_0 is not None and case.h_0.shape[-1] != case.configuration.output_size:
            os._exit(3)
        return super().run(case)


# What holds up or takes down the run, and what outlives it.


class StopsItself(Misbehaving):
    """Stops its process."""

    def before(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)


class HoldsTheInterpreter(Misbehaving):
    """Cancels the timer of faulthandler, and lets no other thread run."""

    def before(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        ctypes.PyDLL(None).sleep(100_000)


class DiesBesideAChild(Misbehaving):
    """Forks a child that has all pipes, and aborts."""

    def before(self) -> None:
        if not os.fork():
            time.sleep(100_000)
        os.abort()


class WritesIntoEveryPipe(Misbehaving):
    """Writes noise to every file descriptor."""

    noise = b"\xff\x00garbage" * 8

    def before(self) -> None:
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.write(descriptor, self.noise)


class AnnouncesALongMessage(WritesIntoEveryPipe):
    """Writes what reads as the begin of a message of 2 GB, which never comes."""

    noise = struct.pack("!bii", 4, 1, 2**31 - 1)


def left(number: int) -> None:
    """Write down the number of a process that is left."""
    with Path("left").open("a") as file:
        file.write(f"{number}\n")


class LeavesChildren(Misbehaving):
    """Forks twenty children at its first call."""

    done = False

    def before(self) -> None:
        if not LeavesChildren.done:
            LeavesChildren.done = True
            for _ in range(20):
                child = os.fork()
                if not child:
                    time.sleep(100_000)
                left(child)


class ComesBackTwice(Misbehaving):
    """Forks at every call, and both processes go on; at every other call the child raises."""

    calls = 0

    def before(self) -> None:
        ComesBackTwice.calls += 1
        child = os.fork()
        if not child and ComesBackTwice.calls % 2:
            raise SystemExit(0)


class LeavesAProgram(Misbehaving):
    """Starts a program at its first call, and does not wait for it."""

    done = False

    def before(self) -> None:
        if not LeavesAProgram.done:
            LeavesAProgram.done = True
            left(subprocess.Popen(["sleep", "100000"]).pid)


DAEMON = """
import os, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open("left", "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(100_000)
"""
"""A program that leaves its session and its parent, as a daemon does."""


class LeavesADaemon(Misbehaving):
    """Starts a daemon at its first call."""

    done = False

    def before(self) -> None:
        if not LeavesADaemon.done:
            LeavesADaemon.done = True
            subprocess.run([sys.executable, "-c", DAEMON], check=True)


class KillsItsKeeper(Misbehaving):
    """Starts a program, and kills the process that would end that."""

    def before(self) -> None:
        left(subprocess.Popen(["sleep", "100000"]).pid)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(100_000)


class OfItsOwn(UserWarning):
    """A class of warnings that the process that reports cannot import."""


class Warns(Misbehaving):
    """Warns by a class of its own."""

    def before(self) -> None:
        warnings.warn("this is old", OfItsOwn, stacklevel=1)


class DeletesTheRunFolder(Misbehaving):
    """Deletes what the run has written until then."""

    def before(self) -> None:
        for folder in Path(".lstm-conformance").glob("running-*"):
            shutil.rmtree(folder, ignore_errors=True)


class RaisesForEver(Misbehaving):
    """Starts a thread that raises ValueError in the main thread, a thousand times a second."""

    done = False

    def before(self) -> None:
        if not RaisesForEver.done:
            RaisesForEver.done = True
            _thread.start_new_thread(self.fire, (threading.main_thread().ident,))

    @staticmethod
    def fire(ident: Any) -> None:
        here, kind = ctypes.c_ulong(ident), ctypes.py_object(ValueError)
        while True:
            time.sleep(0.001)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(here, kind)


class ReplacesOpen(Misbehaving):
    """Replaces all functions that open a file, and the one that ends its process."""

    def before(self) -> None:
        fails: Any = lambda *_: 1 / 0  # noqa: E731
        io.open = builtins.open = os.open = fails
        Path.open = fails  # type: ignore[method-assign]
        os._exit = fails


class HangsOnThreeSteps(nn.LSTM):
    """Never answers where a sequence has three steps."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        steps = x.size(1 if self.batch_first else 0) if isinstance(x, Tensor) else 0
        if steps == 3 and x.any():
            time.sleep(100_000)
        return super().forward(x, hx)
