"""LSTMs that compute the right numbers and misbehave otherwise, one way each.

They misbehave on inputs with a non-zero element only, so that trying out what they take ends well.
"""

import ctypes
import os
import warnings
from dataclasses import replace
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
