"""LSTMs put under test by these tests: right ones, and ones with one fault each.

Torch modules, to be named ``path/to/specimens.py:Class``. Those that end or hold up their process
do so on inputs with a non-zero element only, so that trying out what they take ends well.
"""

import ctypes
import os
import sys
import time

import torch
from torch import Tensor, nn

from conformance import Case, Result, Support
from reference import lstm, rounded

States = tuple[Tensor, Tensor]


class PlainCell(nn.LSTMCell):
    """A right cell, spelled out; its faulty kin override one method."""

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a)

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        return x @ weight.T

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        if hx is None:
            zeros = x.new_zeros(*x.shape[:-1], self.hidden_size)
            hx = zeros, zeros
        h, c = hx
        a = self.product(x, self.weight_ih) + self.product(h, self.weight_hh)
        if self.bias:
            a = a + self.bias_ih + self.bias_hh
        i, f, g, o = a.chunk(4, -1)
        c = self.sigmoid(f) * c + self.sigmoid(i) * self.tanh(g)
        return self.sigmoid(o) * self.tanh(c), c


class MissesSigmoidBy2e5(PlainCell):
    """Its float32 sigmoid is off by 2e-5."""

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a) + (2e-5 if a.dtype == torch.float32 else 0)


class CutsProductsTo10Bits(PlainCell):
    """Factors of its float32 products keep 10 bits of their mantissa, as TF32 does."""

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        return super().product(cut_to_10_bits(x), cut_to_10_bits(weight))


class ComputesFloat64InFloat32(PlainCell):
    """Computes float64 through float32."""

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        if x.dtype != torch.float64:
            return super().forward(x, hx)
        self.float()
        h, c = super().forward(x.float(), hx and (hx[0].float(), hx[1].float()))
        self.double()
        return h.double(), c.double()


class MissesHiddenStateBy1e4(PlainCell):
    """Its hidden state is off by 1e-4."""

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        h, c = super().forward(x, hx)
        return h + 1e-4, c


class ForgetsBiasHH(nn.LSTM):
    """Ignores bias_hh."""

    def forward(self, x: Tensor, hx: States | None = None) -> tuple[Tensor, States]:
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if name.startswith("bias_hh"):
                    parameter.zero_()
        return super().forward(x, hx)


class Careful(nn.Module):
    """A right cell that takes batches with initial states only, always has biases, no more."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        cell = nn.LSTMCell(input_size, hidden_size)
        for name, parameter in list(cell.named_parameters()):
            self.register_parameter(name, parameter)

    def forward(self, x: Tensor, hx: States) -> States:
        h, c = hx
        assert x.dim() == 2
        assert len(x)
        return torch.lstm_cell(x, (h, c), *self.parameters())


class OneWay(nn.Module):
    """A right LSTM of ``torch.nn.LSTM``'s names: one direction, no projection, no packed input."""

    weight_hh_l0: Tensor

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        lstm = nn.LSTM(input_size, hidden_size, num_layers, bias)
        for name, parameter in list(lstm.named_parameters()):
            self.register_parameter(name, parameter)
        self.options = num_layers, bias

    def forward(self, x: Tensor, hx: States | None = None) -> tuple[Tensor, States]:
        if not isinstance(x, Tensor):
            raise TypeError("no packed input")
        lstm = nn.LSTM(x.shape[-1], self.weight_hh_l0.shape[-1], *self.options, dtype=x.dtype)
        lstm.load_state_dict(self.state_dict())
        output, states = lstm(x, hx)
        return output, states


class OnlyFloat32(nn.Module):
    """A right cell that has a kernel for float32 alone."""

    dtype = torch.float32
    weight_hh: Tensor

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        cell = nn.LSTMCell(input_size, hidden_size, bias)
        for name, parameter in list(cell.named_parameters()):
            self.register_parameter(name, parameter)

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        if x.dtype != self.dtype:
            raise RuntimeError(f"\"my_lstm\" not implemented for '{x.dtype}'")
        zeros = x.new_zeros(*x.shape[:-1], self.weight_hh.shape[-1])
        return torch.lstm_cell(x, hx or (zeros, zeros), *self.parameters())


class OnlyFloat64(OnlyFloat32):
    """A right cell that has a kernel for float64 alone."""

    dtype = torch.float64


class DiesWhenTried(OnlyFloat32):
    """Ends its process in the first call, before anything is verified."""

    def forward(self, *arguments: object) -> None:
        os._exit(3)


class NeedsThreeArguments(nn.Module):
    """Cannot be constructed from two sizes."""

    def __init__(self, input_size: int, hidden_size: int, mood: str) -> None:
        super().__init__()


class Numbers:
    """Is an implementation itself: the reference, from plain Python."""

    name = "numbers"
    supports = Support(dtypes=("float64",), gradients=False)

    def run(self, case: Case) -> Result:
        return rounded(lstm(case), case.dtype)


class BreaksWhenMade:
    """Is an implementation that cannot be made."""

    supports = Support()

    def __init__(self) -> None:
        raise RuntimeError("no\nlicence")

    def run(self, case: Case) -> Result:
        raise NotImplementedError


an_instance = Numbers()


class Dangerous(nn.LSTM):
    """Does something terrible when its input is not all zero."""

    def forward(self, x: Tensor, hx: States | None = None) -> tuple[Tensor, States]:
        if (x if isinstance(x, Tensor) else x.data).any():
            self.terrible()
        return super().forward(x, hx)

    def terrible(self) -> None:
        raise NotImplementedError


class Exits(Dangerous):
    """Ends its process."""

    def terrible(self) -> None:
        os._exit(3)


class Segfaults(Dangerous):
    """Reads memory at address 0."""

    def terrible(self) -> None:
        ctypes.string_at(0)


class Raises(Dangerous):
    """Raises an exception."""

    def terrible(self) -> None:
        raise RuntimeError("the kernel is on fire")


class CallsExit(Dangerous):
    """Raises SystemExit, which no ``except Exception`` catches."""

    def terrible(self) -> None:
        sys.exit("bye")


class Sleeps(Dangerous):
    """Sleeps for a quarter of an hour."""

    def terrible(self) -> None:
        time.sleep(1000)


class LoopsForever(Dangerous):
    """Runs Python code forever."""

    def terrible(self) -> None:
        while True:
            pass


class HoldsTheInterpreter(Dangerous):
    """Sleeps in C code that lets no other Python thread run."""

    def terrible(self) -> None:
        ctypes.PyDLL(None).sleep(1000)


def cut_to_10_bits(x: Tensor) -> Tensor:
    """Float32 numbers with the last 13 bits of their mantissa zeroed; others as they are."""
    if x.dtype != torch.float32:
        return x
    return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)
