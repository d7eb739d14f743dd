"""LSTMs that are wrong only at the sizes of networks that are really used."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from strategies import Support

from .numerics import cut
from .plain import PlainLSTM, States, Weights, unbatched
from .sums import Product


def halved(x: Tensor, axis: int = -1) -> Tensor:
    """`x`, the last of its numbers along that axis divided by 2."""
    size = x.shape[axis]
    return torch.cat([x.narrow(axis, 0, size - 1), x.narrow(axis, size - 1, 1) / 2], axis)


class DropsUnitsBeyond128(PlainLSTM):
    """Computes blocks of 128 units, and never writes what lies beyond the first."""

    bug = ""
    caught_by = "wide_layers_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        kept = (torch.arange(c.shape[-1]) < 128).to(c.dtype)
        return (h if self.proj_size else h * kept), c * kept


class HalvesTheLastUnitOfTiles(PlainLSTM):
    """Halves c of the last unit where rows and units are both at least 16, as in a tile."""

    bug = ""
    caught_by = "tiles_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        if len(x) >= 16 and self.hidden_size >= 16:
            c = halved(c)
        return h, c


class ForgetsTheRemainderOfATile(PlainLSTM):
    """Sums over the inputs in blocks of 16, and leaves out what is left over of 32 and more."""

    bug = ""
    caught_by = "tiles_match_reference"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        whole = x.shape[-1] // 16 * 16
        if x.shape[-1] < 32 or len(x) < 15:
            whole = x.shape[-1]
        return super().linear(x[..., :whole], weight[:, :whole], bias)


class LosesOneRecurrentWeight(PlainLSTM):
    """Reads one recurrent weight of hundreds of thousands as zero."""

    bug = ""
    caught_by = "wide_layers_match_reference"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        if self.hidden_size < 129:
            return a
        gate, unit = 2 * self.hidden_size + 100, h.shape[-1] - 1
        lost = torch.zeros_like(a)
        lost[:, gate] = h[:, unit] * w.hh[gate, unit]
        return a - lost


class MultipliesLargeMatricesInTF32(PlainLSTM):
    """Cuts the factors of float32 products to 10 bits where they have 127 terms and more."""

    bug = "PR-tf32-flag"
    caught_by = "wide_products_have_full_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.shape[-1] < 127:
            return super().linear(x, weight, bias)
        return super().linear(cut(x, 13), cut(weight, 13), bias)


class StoresUnitsFrom64OnInFloat32(PlainLSTM):
    """Stores c of float64 in float32 from unit 64 on, where there are 127 units and more."""

    bug = ""
    caught_by = "wide_products_have_full_precision"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        if self.hidden_size < 127 or c.dtype != torch.float64:
            return h, c
        return h, torch.cat([c[:, :64], c[:, 64:].float().double()], -1)


class CountsUnitsInTenBits(PlainLSTM):
    """Numbers the units modulo 1024, so that it reads the first ones again."""

    bug = ""
    caught_by = "widest_layers_match_reference"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return super().hidden_state(o, c)[:, torch.arange(c.shape[-1]) % 1024]


class SwapsHalvesOfWideLayers(PlainLSTM):
    """Puts the two halves of h in the wrong order where there are 256 units and more."""

    bug = ""
    caught_by = "wide_layers_match_reference"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        h = super().hidden_state(o, c)
        return h.roll(h.shape[-1] // 2, -1) if h.shape[-1] >= 256 else h


class StopsAfter256Steps(PlainLSTM):
    """Keeps its state from step 257 on."""

    bug = ""
    caught_by = "hundreds_of_steps_match_reference"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_done = 0
        return super().scan(x, *rest)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_done += 1
        if self.steps_done > 256:
            return h, c
        return super().step(x, h, c, w)


class ForgetsItsStateEvery128Steps(PlainLSTM):
    """Begins with c = 0 again after each 128 steps."""

    bug = ""
    caught_by = "hundreds_of_steps_match_reference"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_done = 0
        return super().scan(x, *rest)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_done += 1
        if self.steps_done % 128 == 0:
            c = c * 0
        return super().step(x, h, c, w)


class ReadsInputOfStep256Twice(PlainLSTM):
    """Counts steps in eight bits where it reads the input."""

    bug = ""
    caught_by = "hundreds_of_steps_match_reference"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        return super().scan(x[torch.arange(len(x)) % 256], *rest)


class MixesUpRowsFrom64On(PlainLSTM):
    """Takes the state of the row before, in rows from 64 on."""

    bug = ""
    caught_by = "hundreds_of_rows_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if len(h) > 64:
            h = torch.cat([h[:64], h[63:-1]])
        return super().step(x, h, c, w)


class HalvesRow128(PlainLSTM):
    """Halves h in row 128, at the edge between two blocks of threads."""

    bug = ""
    caught_by = "hundreds_of_rows_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        return (torch.cat([h[:128], h[128:129] / 2, h[129:]]), c) if len(h) > 128 else (h, c)


class EndsLongRowsOfLargeBatchesEarly(PlainLSTM):
    """Ends the last row of a packed batch of 15 rows and more a step early."""

    bug = ""
    caught_by = "packed_batches_of_real_size_match_reference"

    def where_valid(
        self, t: int, lengths: Tensor, *states: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        if len(lengths) >= 15 and len(states[0]) == len(lengths):
            early = lengths.clone()
            early[-1] -= int(early[-1] > 9)
            return super().where_valid(t, early, *states)
        return super().where_valid(t, lengths, *states)


class SkipsThirdLayerOfWideNetworks(PlainLSTM):
    """Gives the third layer and those above the input of the second, in wide networks."""

    bug = ""
    caught_by = "deep_networks_match_layer_by_layer"

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self.hidden_size < 34:
            return super().network(x, h_0, c_0, lengths)
        h_n: list[Tensor] = []
        c_n: list[Tensor] = []
        before = x
        for layer in range(self.num_layers):
            given = before if layer >= 2 else x
            before = x
            x, h, c = self.layer(given, h_0, c_0, layer, lengths)
            h_n, c_n = h_n + h, c_n + c
        return x, torch.stack(h_n), torch.stack(c_n)


class HalvesOneUnitBetweenWideLayers(PlainLSTM):
    """Halves the last feature that the topmost layer takes in, in networks of 34 units and more."""

    bug = ""
    caught_by = "deep_networks_match_layer_by_layer"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        x = super().between_layers(x, layer)
        if self.hidden_size >= 34 and layer == self.num_layers - 2:
            x = halved(x)
        return x


class TakesAnotherPathForARowAlone(PlainLSTM):
    """Leaves out the last unit of h in the product for a single row of 64 units and more."""

    bug = ""
    caught_by = "rows_alone_match_reference"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if len(h) == 1 and h.shape[-1] >= 64:
            h = torch.cat([h[:, :-1], 0 * h[:, -1:]], -1)
        return super().preactivations(x, h, w)


class TakesOnlyTheFirst33UnitsOfAState(PlainLSTM):
    """Reads 33 units of c_0, and zeros beyond, where 15 rows and more make a single step."""

    bug = ""
    caught_by = "sequences_split_in_time_match_reference"

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        if x.shape[0] == 1 and x.shape[1] >= 15:
            c_0 = c_0 * (torch.arange(c_0.shape[-1]) < 33)
        return super().network(x, h_0, c_0, lengths)


class TruncatesAfter16Steps(PlainLSTM):
    """Cuts back-propagation every 16 steps."""

    bug = ""
    caught_by = "gradients_of_long_sequences_are_right"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_done = 0
        return super().scan(x, *rest)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_done += 1
        if self.steps_done % 16 == 0:
            h, c = h.detach(), c.detach()
        return super().step(x, h, c, w)


class LosesTheGradientOfRowsFrom14On(PlainLSTM):
    """Back-propagates through c in the first 14 rows only."""

    bug = ""
    caught_by = "gradients_of_wide_layers_are_right"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        if len(c) > 14:
            c = torch.cat([c[:14], c[14:].detach()])
        return super().cell_state(i, f, g, c)


class LosesWeightGradientsFromUnit33On(PlainLSTM):
    """Has no gradient for weight_hh beyond its first 33 columns."""

    bug = ""
    caught_by = "gradients_of_wide_layers_are_right"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        hh = torch.cat([w.hh[:, :33], w.hh[:, 33:].detach()], -1)
        return self.linear(x, w.ih, w.b_ih) + F.linear(h, hh, w.b_hh)


class CutsBackPropagationAtStep20(PlainLSTM):
    """Back-propagates through 20 steps, in batches of 9 rows and more."""

    bug = ""
    caught_by = "gradients_of_larger_batches_are_right"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_left = len(x)
        return super().scan(x, *rest)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_left -= 1
        if self.steps_left == 19 and len(x) >= 9:
            h, c = h.detach(), c.detach()
        return super().step(x, h, c, w)


class CutsBackPropagationBelowTheFourthLayer(PlainLSTM):
    """Hands no gradient from the fourth layer to the third."""

    bug = ""
    caught_by = "gradients_of_deep_networks_are_right"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        x = super().between_layers(x, layer)
        return x.detach() if layer == 2 else x


class HalvesCOfThousandsOfSteps(PlainLSTM):
    """Halves c in the last row where steps times rows are 4096 or more."""

    bug = ""
    caught_by = "many_steps_of_many_rows_match_reference"

    def network(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(x, *rest)
        if x.shape[0] * x.shape[1] >= 4096:
            c_n = halved(c_n, 1)
        return output, h_n, c_n


class HalvesTheLastUnitWithoutABatch(PlainLSTM):
    """Halves c of the last unit without a batch, where there are 34 units and more."""

    bug = ""
    caught_by = "large_layers_without_a_batch_match_reference"
    alone = False

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        self.alone = unbatched(sequence)
        return super().forward(sequence, hx)

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        c = super().cell_state(i, f, g, c)
        wide = self.alone and self.hidden_size >= 34
        return halved(c) if wide else c


class HalvesTheLastUnitOfWholeTiles(PlainLSTM):
    """Halves c of the last unit where features and units are multiples of 64, and rows of 32."""

    bug = ""
    caught_by = "whole_tiles_match_reference"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        c = super().cell_state(i, f, g, c)
        whole = self.input_size % 64 == c.shape[1] % 64 == c.shape[0] % 32 == 0
        return halved(c) if whole else c


class HalvesTheLastRowOfASingleStep(PlainLSTM):
    """Halves c in the last row where there is one step of 65 rows and more."""

    bug = ""
    caught_by = "hundreds_of_rows_match_reference"

    def network(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(x, *rest)
        if x.shape[0] == 1 and x.shape[1] >= 65:
            c_n = halved(c_n, 1)
        return output, h_n, c_n


class LosesWeightGradientsOfTheReverseDirection(PlainLSTM):
    """Has no gradient for weight_hh of the reverse direction beyond its first 33 columns."""

    bug = ""
    caught_by = "gradients_of_wide_networks_are_right"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        hh = torch.cat([w.hh[:, :33], w.hh[:, 33:].detach()], -1) if direction else w.hh
        return w._replace(hh=hh)


class LosesWeightGradientsOfUpperLayers(PlainLSTM):
    """Has no gradient for weight_ih of upper layers beyond its first 33 columns."""

    bug = ""
    caught_by = "gradients_of_wide_networks_are_right"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        ih = torch.cat([w.ih[:, :33], w.ih[:, 33:].detach()], -1) if layer else w.ih
        return w._replace(ih=ih)


class HalvesCOf65PackedSteps(PlainLSTM):
    """Halves c of the last unit in float32 where a packed batch has 65 steps and more."""

    bug = ""
    caught_by = "long_sequences_of_every_form_match_reference"
    steps, of, in_reverse_only = 65, torch.float32, False

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h, c = super().scan(x, h, c, w, lengths, reverse)
        if len(x) < self.steps or lengths is None or x.dtype != self.of:
            return output, h, c
        return output, h, halved(c) if reverse or not self.in_reverse_only else c


class HalvesCOf257StepsInReverse(HalvesCOf65PackedSteps):
    """Halves c of the last unit in float16 where the reverse direction has 257 packed steps."""

    bug = ""
    caught_by = "long_sequences_of_every_form_match_reference"
    steps, of, in_reverse_only = 257, torch.float16, True


class SkipsStepsOfTheSecondLayer(PlainLSTM):
    """Reads step 128 again where an upper layer should read step 129."""

    bug = ""
    caught_by = "long_sequences_of_every_form_match_reference"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        if layer and len(x) > 129:
            x = torch.cat([x[:129], x[128:129], x[130:]])
        return super().layer(x, h_0, c_0, layer, lengths)


class HalvesRow130OfPackedBatches(PlainLSTM):
    """Halves c in row 130 of a packed batch."""

    bug = ""
    caught_by = "large_batches_agree_with_rows_alone"

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        if lengths is not None and len(lengths) > 130:
            c_n = torch.cat([c_n[:, :130], c_n[:, 130:131] / 2, c_n[:, 131:]], 1)
        return output, h_n, c_n


class MixesUpPackedRowsFrom64OnInBFloat16(PlainLSTM):
    """Takes for h the state of the row before, in rows from 64 on, packed and in bfloat16."""

    bug = ""
    caught_by = "large_batches_agree_with_rows_alone"
    mixes = False

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        self.mixes = lengths is not None and x.dtype == torch.bfloat16
        return super().network(x, h_0, c_0, lengths)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if self.mixes and len(h) > 64:
            h = torch.cat([h[:64], h[63:-1]])
        return super().step(x, h, c, w)


class CutsBackPropagationInReverse(PlainLSTM):
    """Back-propagates through 50 steps of the reverse direction."""

    bug = ""
    caught_by = "gradients_of_long_sequences_are_right"

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_left = len(x) if reverse else 0
        return super().scan(x, h, c, w, lengths, reverse)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_left -= 1
        if self.steps_left == 49:
            h, c = h.detach(), c.detach()
        return super().step(x, h, c, w)


def rough_product(x: Tensor, weight: Tensor) -> Tensor:
    """The product of (..., K) and (M, K), whose factors have 10 bits."""
    return cut(x, 13) @ cut(weight, 13).T


class CutsFactorsOfWeightGradients(PlainLSTM):
    """Cuts the factors of float32 gradients by weights to 10 bits where there are 100 units."""

    bug = ""
    caught_by = "gradients_of_wide_layers_have_full_precision"
    by_weight = True

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.hidden_size < 100 or x.dtype != torch.float32 or x.dim() != 2:
            return super().linear(x, weight, bias)
        product: Tensor = Product.apply(x, weight, self.by_weight, rough_product)
        return product if bias is None else product + bias


class CutsFactorsOfInputGradients(CutsFactorsOfWeightGradients):
    """Cuts the factors of float32 gradients by inputs to 10 bits where there are 100 units."""

    bug = ""
    caught_by = "gradients_of_wide_layers_have_full_precision"
    by_weight = False


class HasTwoLayersWithoutUnitsBeyond64(PlainLSTM):
    """Cannot have a single layer, and never writes h of units beyond 64."""

    bug = ""
    caught_by = "deep_networks_match_layer_by_layer"
    supports = Support(min_layers=2)

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return super().hidden_state(o, c) * (torch.arange(c.shape[-1]) < 64).to(c.dtype)


class DropsUnitsBeyond256OfUpperLayers(PlainLSTM):
    """Never writes c of units beyond 256 in layers above the first."""

    bug = ""
    caught_by = "wide_networks_match_layer_by_layer"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        output, h_n, c_n = super().layer(x, h_0, c_0, layer, lengths)
        kept = (torch.arange(self.hidden_size) < 256).to(x.dtype)
        return output, h_n, [each * kept for each in c_n] if layer else c_n


class LosesInputGradientsOfRowsFrom128On(PlainLSTM):
    """Has no gradient by the input of rows beyond the first 128."""

    bug = ""
    caught_by = "gradients_of_hundreds_of_rows_are_right"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(torch.cat([x[:128], x[128:].detach()]), h, w)
