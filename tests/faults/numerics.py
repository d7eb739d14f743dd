"""LSTMs that compute the right equations with the wrong numbers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights


class ComputesInFloat16(PlainLSTM):
    """Computes its products in float16, whatever the dtype."""

    bug = ""
    caught_by = "cell_matches_equations"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        half = torch.float16
        return F.linear(x.to(half), weight.to(half), None if bias is None else bias.to(half)).to(
            x.dtype
        )


class ComputesFloat64InFloat32(PlainLSTM):
    """Computes float64 through float32."""

    bug = "PR-axon-f32-buffer"
    caught_by = "results_have_full_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.dtype != torch.float64:
            return super().linear(x, weight, bias)
        single = F.linear(x.float(), weight.float(), None if bias is None else bias.float())
        return single.double()


class ReturnsFloat32(PlainLSTM):
    """Returns float64 results as float32."""

    bug = "PR-axon-f32-buffer"
    caught_by = "dtypes_follow_input"

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(*arguments)
        if output.dtype != torch.float64:
            return output, h_n, c_n
        return output.float(), h_n.float(), c_n.float()


class MultipliesInTF32(PlainLSTM):
    """Cuts the factors of float32 products to 10 bits."""

    bug = "PR-tf32-flag PR-fp32-precision-flag PR-math-type"
    caught_by = "results_have_full_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super().linear(cut(x, 13), cut(weight, 13), bias)


class CarriesItsStateInBfloat16(PlainLSTM):
    """Stores the float32 cell state in 16 bits between the steps."""

    bug = ""
    caught_by = "results_have_full_precision"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h, cut(c, 16), w)


class ApproximatesTanh(PlainLSTM):
    """Is off by up to 2e-5 in tanh, as a rational approximation is."""

    bug = ""
    caught_by = "activations_are_accurate"

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a) * (1 - 2e-5)


class ApproximatesTanhRoughly(PlainLSTM):
    """Is off by up to 1e-4 in tanh, to and fro."""

    bug = ""
    caught_by = "activations_are_accurate"

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a) + 1e-4 * torch.sin(3 * a.clamp(-9, 9)) / (1 + a * a)


class MissesTanhBy124Units(PlainLSTM):
    """Is off in float32 by up to 124 units of 2^-24 in tanh, whose derivative is 1 - t^2."""

    bug = ""
    caught_by = "activations_are_accurate"

    def tanh(self, a: Tensor) -> Tensor:
        t = torch.tanh(a)
        off = 124 * 2.0**-24 if a.dtype == torch.float32 else 0.0
        return t - (off / 0.3849 * t * (1 - t * t)).detach()


class MissesSigmoidBy124Units(PlainLSTM):
    """Is off in float32 by up to 124 units of 2^-24 in sigmoid, whose derivative is s (1 - s)."""

    bug = ""
    caught_by = "activations_are_accurate"

    def sigmoid(self, a: Tensor) -> Tensor:
        s = torch.sigmoid(a)
        off = 124 * 2.0**-24 if a.dtype == torch.float32 else 0.0
        return s - (4 * off * s * (1 - s)).detach()


class LooksUpSigmoidInATable(PlainLSTM):
    """Rounds the argument of sigmoid to a 64th."""

    bug = ""
    caught_by = "cell_matches_equations"

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a + ((a * 64).round() / 64 - a).detach())


class OverflowsInSigmoid(PlainLSTM):
    """Computes sigmoid as e^a / (1 + e^a), which is NaN where e^a overflows."""

    bug = "EQ-numerics-nan-sigmoid EQ-numerics-overflow-exp"
    caught_by = "huge_preactivations_saturate"

    def sigmoid(self, a: Tensor) -> Tensor:
        return a.exp() / (1 + a.exp())


class OverflowsInTanh(PlainLSTM):
    """Computes tanh from e^2a, which is NaN where that overflows."""

    bug = ""
    caught_by = "huge_preactivations_saturate"

    def tanh(self, a: Tensor) -> Tensor:
        power = (2 * a).exp()
        return (power - 1) / (power + 1)


class KnowsSigmoidWithin40(PlainLSTM):
    """Gives NaN for gates with pre-activations beyond 40."""

    bug = "EQ-numerics-nan-neon"
    caught_by = "saturated_gates_are_exact"

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a).masked_fill(a.abs() > 40, torch.nan)


class ClipsPreactivations(PlainLSTM):
    """Clips pre-activations to 5."""

    bug = ""
    caught_by = "saturated_gates_are_exact"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w).clamp(-5, 5)


class ClipsItsCellState(PlainLSTM):
    """Clips the cell state to 2."""

    bug = ""
    caught_by = "results_match_reference"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i, f, g, c).clamp(-2, 2)


class LeavesTheRange(PlainLSTM):
    """Stretches sigmoid by a thousandth beyond 0 and 1."""

    bug = "EQ-peephole-after-sigmoid"
    caught_by = "saturated_gates_are_exact"

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a) * 1.002 - 0.001


class DividesByItsLargestInput(PlainLSTM):
    """Scales the input to one and back, which overflows where the input is tiny."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        largest = x.detach().abs().amax(-1, keepdim=True) if x.numel() else x
        scale = torch.where(largest > 0, 1 / largest, torch.ones_like(largest))
        a = F.linear(x * scale, weight) / scale
        return a if bias is None else a + bias


class AddsEpsilon(PlainLSTM):
    """Adds 1e-3 to the output gate lest it be zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return super().hidden_state(o + 1e-3, c)


class FlushesSmallNumbers(PlainLSTM):
    """Takes states below 2^-8 for zero."""

    bug = "EQ-epsilon-rate"
    caught_by = "results_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h, c.masked_fill(c.abs() < 2**-8, 0), w)


class ReplacesNaN(PlainLSTM):
    """Replaces NaN by zero."""

    bug = ""
    caught_by = "nan_stays_in_its_row"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x.nan_to_num(), h, c, w)


class SpreadsNaN(PlainLSTM):
    """Adds the sum of all pre-activations times zero, which makes every row NaN if one is."""

    bug = ""
    caught_by = "nan_stays_in_its_row"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return a + 0 * a.sum(0)


class SpreadsInfinity(PlainLSTM):
    """Subtracts and adds the input's largest entry over all rows, which is NaN for infinity."""

    bug = ""
    caught_by = "infinity_stays_in_its_row"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        largest = x.detach().abs().max() if x.numel() else 0
        return super().step(x + 0 * largest, h, c, w)


class ReadsMemoryAsContiguous(PlainLSTM):
    """Reads the memory of input and states as if it were contiguous."""

    bug = "EC-noncontig-old"
    caught_by = "memory_layout_does_not_matter"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(sequence, Tensor):
            sequence = as_if_contiguous(sequence)
        if isinstance(hx, tuple):
            hx = tuple(as_if_contiguous(state) for state in hx)
        return super().forward(sequence, hx)


class RefusesStridedStates(PlainLSTM):
    """Refuses initial states that are not contiguous."""

    bug = "EC-hx-noncontig EC-hx-noncontig-darts"
    caught_by = "memory_layout_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        if hx is not None and not all(state.is_contiguous() for state in hx):
            raise RuntimeError("rnn: hx is not contiguous")
        return super().initial_states(sequence, x, hx)


class RefusesItsBiasUnderAutocast(PlainLSTM):
    """Fails under autocast, where its product is bfloat16 and its bias float32."""

    bug = "PR-autocast-cell PR-autocast-cudnn"
    caught_by = "autocast_stays_within_its_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        product = F.linear(x, weight)
        if bias is not None and product.dtype != bias.dtype:
            raise RuntimeError(f"expected {product.dtype} but got {bias.dtype}")
        return product if bias is None else product + bias


class RoundsToQuartersUnderAutocast(PlainLSTM):
    """Rounds its products to multiples of a quarter under autocast."""

    bug = ""
    caught_by = "autocast_stays_within_its_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        a = super().linear(x, weight, bias)
        return a if a.dtype == x.dtype else ((a * 4).round() / 4)


class FreezesItsStateWhenExported(PlainLSTM):
    """Traces initial states as constants of zero when it is being exported."""

    bug = "FR-trace-batch FR-onnx-batch-warn ST-export-extra-dim"
    caught_by = "exported_program_agrees"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return (0 * h_0, 0 * c_0) if torch.compiler.is_compiling() else (h_0, c_0)


def cut(x: Tensor, bits: int) -> Tensor:
    """Float32 numbers without the last bits of their mantissa, with the gradient of x."""
    if x.dtype != torch.float32:
        return x
    kept = (x.detach().contiguous().view(torch.int32) & -(1 << bits)).view(torch.float32)
    return x + (kept - x).detach()


def as_if_contiguous(x: Tensor) -> Tensor:
    """The first numbers in the memory of x, and zeros where that ends."""
    flat = x.new_zeros(x.numel())
    there = min(x.numel(), x.untyped_storage().nbytes() // x.element_size() - x.storage_offset())
    flat[:there] = x.as_strided((there,), (1,))
    return flat.view(x.shape)


class AccumulatesInHalfPrecision(PlainLSTM):
    """Adds up products in float16 and bfloat16 one by one, rounding each sum."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.dtype not in (torch.float16, torch.bfloat16):
            return super().linear(x, weight, bias)
        a = x.new_zeros(*x.shape[:-1], len(weight))
        for column in range(x.shape[-1]):
            a = a + x[..., column, None] * weight[:, column]
        return a if bias is None else a + bias


class TakesNaNInH0ForZero(PlainLSTM):
    """Takes NaN in h_0 for zero."""

    bug = ""
    caught_by = "nan_stays_in_its_row"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0.masked_fill(h_0.isnan(), 0), c_0


class TakesNaNInC0ForZero(PlainLSTM):
    """Takes NaN in c_0 for zero."""

    bug = ""
    caught_by = "nan_stays_in_its_row"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0, c_0.masked_fill(c_0.isnan(), 0)


class SpreadsNaNOfItsStates(PlainLSTM):
    """Adds the mean initial cell state times zero, which makes every row NaN if one is."""

    bug = ""
    caught_by = "nan_stays_in_its_row"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0, c_0 + 0 * c_0.mean(1, keepdim=True) if c_0.numel() else c_0


class ReplacesInfinityInC0(PlainLSTM):
    """Takes an infinite c_0 for the largest finite number."""

    bug = ""
    caught_by = "infinity_stays_in_its_row"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0, c_0.nan_to_num(nan=torch.nan)


class SpreadsInfinityOfH0(PlainLSTM):
    """Adds the largest h_0 times zero to all of them, which is NaN for infinity."""

    bug = ""
    caught_by = "infinity_stays_in_its_row"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return (h_0 + 0 * h_0.detach().amax(), c_0) if h_0.numel() else (h_0, c_0)


class ClipsItsCellStateAt50(PlainLSTM):
    """Clips the cell state to 50, as a cell clip of a framework does."""

    bug = ""
    caught_by = "large_cell_states_are_kept"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i, f, g, c).clamp(-50, 50)


class ClipsItsCellStateFarOut(PlainLSTM):
    """Clips the cell state to a hundred thousand, where the dtype has larger numbers."""

    bug = ""
    caught_by = "large_cell_states_are_kept"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i, f, g, c).clamp(-1e5, 1e5)


class DividesStatesByTheNormOfTheBatch(PlainLSTM):
    """Divides the cell states of all rows by their common norm where that exceeds a thousand."""

    bug = ""
    caught_by = "large_cell_states_are_kept"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        c = super().cell_state(i, f, g, c)
        norm = c.detach().double().norm() / 1000
        return c / norm.clamp_min(1.0).to(c.dtype)


class OverflowsInTheNormOfH0(PlainLSTM):
    """Multiplies h_0 by its squared norm over itself, which is NaN where the norm overflows."""

    bug = ""
    caught_by = "huge_preactivations_saturate"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        norm = (h_0.detach() * h_0.detach()).sum(-1, keepdim=True)
        return h_0 * torch.where(norm > 0, norm / norm, 1), c_0


class TakesNaNInWeightsForZero(PlainLSTM):
    """Takes a NaN in a weight for zero."""

    bug = ""
    caught_by = "nan_in_a_parameter_reaches_the_results"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super().linear(x, torch.nan_to_num(weight), bias)


class TakesTanhOfMinusInfinityForNaN(PlainLSTM):
    """Computes tanh as a quotient, which is NaN for minus infinity."""

    bug = ""
    caught_by = "infinity_stays_in_its_row"

    def tanh(self, a: Tensor) -> Tensor:
        return torch.where(a == -torch.inf, torch.full_like(a, torch.nan), torch.tanh(a))


class MultipliesInfinityWithZeroInThePadding(PlainLSTM):
    """Keeps the states of rows that have ended by multiplying the others with 0."""

    bug = ""
    caught_by = "infinity_stays_in_its_row"

    def where_valid(
        self, t: int, lengths: Tensor, new_h: Tensor, new_c: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h, _ = super().where_valid(t, lengths, new_h, new_c, h, c)
        valid = (t < lengths)[:, None].to(c.dtype)
        return output, h, valid * new_c + (1 - valid) * c
