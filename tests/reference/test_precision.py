"""Declared arithmetic: what it allows, what it still forbids."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import reference
from reference import DTYPES, Arithmetic, Array, Case, Precision, forward_bound, gradient_bound
from strategies import lstm_cases
from tests.reference.rounded import RoundedLSTM, share

FLOAT32 = DTYPES["float32"]
CASES = lstm_cases(dtypes=["float32"], hidden_size=(1, 9), seq_len=(1, 12), num_layers=(1, 3))
TAME = lstm_cases(
    dtypes=["float32"],
    hidden_size=(2, 9),
    input_size=(4, 9),
    seq_len=(2, 6),
    num_layers=(1, 1),
    weights=["default", "unit"],
)


def cut(values: Array, bits: int) -> Array:
    """float32 `values` with so many bits of mantissa, the rest cut off."""
    mask = np.array(0xFFFFFFFF << (23 - bits) & 0xFFFFFFFF, np.uint32)
    return (values.astype(np.float32).view(np.uint32) & mask).view(np.float32)


@dataclass(frozen=True)
class CutsFactors(RoundedLSTM):
    """Multiplies factors of `bits` bits of mantissa, as TF32 does with 10."""

    bits: int = 10

    def product(self, x: Array, weight: Array) -> Array:
        return super().product(cut(x, self.bits), cut(weight, self.bits))


@dataclass(frozen=True)
class MultipliesBfloat16(RoundedLSTM):
    """Rounds the factors of products to bfloat16."""

    def product(self, x: Array, weight: Array) -> Array:
        narrow = DTYPES["bfloat16"].numpy
        return super().product(x.astype(narrow), weight.astype(narrow))


@dataclass(frozen=True)
class Quantizes(RoundedLSTM):
    """Quantizes the weights and, at each step, the inputs of products, as dynamic quantization."""

    weight_bits: int = 8
    input_bits: int = 7
    unused: int = 0

    def product(self, x: Array, weight: Array) -> Array:
        step = np.abs(weight).max(initial=0).astype(np.float64) * 2
        step /= 2**self.weight_bits - 1 - self.unused
        weight = np.round(weight / (step or 1)) * step
        top, bottom = max(x.max(initial=0), 0), min(x.min(initial=0), 0)
        step = (np.float64(top) - bottom) / (2**self.input_bits - 1)
        zero = np.round(bottom / (step or 1))
        levels = np.clip(np.round(x / (step or 1)), zero, zero + 2**self.input_bits - 1)
        return super().product(levels * step, weight)


@dataclass(frozen=True)
class AddsOne(RoundedLSTM):
    """Adds 1 to the forget gate's pre-activation."""

    def cell(self, a: Array, c: Array) -> tuple[Array, Array]:
        a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)
        return super().cell(np.concatenate([a_i, self.stored(a_f + 1), a_g, a_o], -1), c)


def with_one_taken_back(case: Case) -> Case:
    """The forget gate's bias less 1, rounded to the dtype."""
    size, parameters = case.configuration.hidden_size, dict(case.parameters)
    for name in parameters:
        if name.startswith("bias_ih"):
            bias = parameters[name].copy()
            bias[size : 2 * size] -= np.float32(1)
            parameters[name] = bias
    return replace(case, parameters=parameters)


def share_of(
    lstm: RoundedLSTM, case: Case, precision: Precision, given: Case | None = None
) -> float:
    """The largest share of the bound under `precision` that `lstm` uses up on `case`."""
    trace = reference.trace(case)
    bound = forward_bound(trace, Arithmetic.of(case.dtype, precision))
    return share(lstm(case if given is None else given), trace.result, bound)


@pytest.mark.parametrize(
    ("lstm", "precision"),
    [
        (CutsFactors(FLOAT32), Precision(products="tf32")),
        (MultipliesBfloat16(FLOAT32), Precision(products="bfloat16")),
        (RoundedLSTM(DTYPES["float16"]), Precision(storage="float16")),
        (RoundedLSTM(DTYPES["bfloat16"]), Precision(storage="bfloat16")),
        (Quantizes(FLOAT32), Precision(weight_bits=8, input_bits=7)),
    ],
    ids=["tf32", "bfloat16 products", "float16 inside", "bfloat16 inside", "quantized"],
)
@settings(max_examples=150)
@given(case=CASES)
def test_declared_arithmetic_is_within_its_bound(
    lstm: RoundedLSTM, precision: Precision, case: Case
) -> None:
    """An LSTM that computes as it declares is never above the bound derived from that."""
    assert share_of(lstm, case, precision) <= 1


def test_step_of_quantized_weights_may_spare_the_lowest_number() -> None:
    """From -127 to 127 the steps of 8 bits are larger than from -128, and within the bound."""
    configuration = reference.Configuration(11, 1, bias=False)
    shapes = configuration.parameter_shapes()
    parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    parameters["weight_ih_l0"][:] = np.float32(0.1 * 0.4999 / 127)
    parameters["weight_ih_l0"][:, 0] = 0.1
    x, one = np.ones((1, 1, 11), np.float32), np.ones((1, 1, 1), np.float32)
    x[..., 0] = 0
    case = Case(configuration, parameters, x, h_0=0 * one, c_0=100 * one)
    spares = Quantizes(FLOAT32, input_bits=24, unused=1)
    assert share_of(spares, case, Precision(weight_bits=8, input_bits=24)) <= 1


@settings(max_examples=150)
@given(case=lstm_cases(dtypes=["float32"], hidden_size=(1, 9), seq_len=(1, 12), bias=True))
def test_bias_that_is_added_inside_is_within_its_bound(case: Case) -> None:
    """A forget bias that was taken back, rounded, and added again is within the declared bound."""
    given_case = with_one_taken_back(case)
    assert share_of(AddsOne(FLOAT32), case, Precision(added_bias=1.0), given_case) <= 1


def test_what_storage_inside_holds_and_the_dtype_does_not_is_rounded_once_more() -> None:
    """64.25, a number of float16, is 64 in bfloat16: such an answer is within the bound."""
    configuration = reference.Configuration(1, 1)
    shapes, narrow = configuration.parameter_shapes(), DTYPES["bfloat16"].numpy
    parameters = {name: np.zeros(shape, narrow) for name, shape in shapes.items()}
    parameters["bias_ih_l0"] = np.array([50, 50, np.arctanh(0.25), 50]).astype(narrow)
    one = np.ones((1, 1, 1), narrow)
    case = Case(configuration, parameters, one, h_0=0 * one, c_0=64 * one)
    inside = RoundedLSTM(DTYPES["float16"])(case)
    assert inside.c_n.item() == 64.25
    trace = reference.trace(case)
    bound = forward_bound(trace, Arithmetic.of(case.dtype, Precision(storage="float16")))
    assert share(reference.rounded(inside, case.dtype), trace.result, bound) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lstm", "precision"),
    [
        (CutsFactors(FLOAT32), Precision()),
        (CutsFactors(FLOAT32, bits=5), Precision(products="tf32")),
        (CutsFactors(FLOAT32, bits=4), Precision(products="bfloat16")),
        (RoundedLSTM(DTYPES["bfloat16"]), Precision(storage="float16")),
        (CutsFactors(FLOAT32, bits=3), Precision(storage="bfloat16")),
        (Quantizes(FLOAT32, weight_bits=4, input_bits=3), Precision(weight_bits=8, input_bits=7)),
        (AddsOne(FLOAT32), Precision(added_bias=1.0)),
    ],
)
def test_coarser_arithmetic_than_declared_is_above_the_bound(
    lstm: RoundedLSTM, precision: Precision
) -> None:
    """An LSTM that computes with fewer bits than it declares, or another bias, is found out."""
    shares: list[float] = []

    @settings(max_examples=400, database=None)
    @given(case=TAME)
    def measure(case: Case) -> None:
        shares.append(share_of(lstm, case, precision))

    measure()
    assert max(shares) > 1


@given(case=CASES)
def test_declaration_that_changes_nothing_changes_no_bound(case: Case) -> None:
    """A storage type at least as wide as the dtype, and TF32 for other dtypes, allow nothing."""
    own = Arithmetic.of(FLOAT32)
    assert Arithmetic.of(FLOAT32, Precision(storage="float64")) == own
    double = DTYPES["float64"]
    assert Arithmetic.of(double, Precision(products="tf32")) == Arithmetic.of(double)
    looser = forward_bound(reference.trace(case), Arithmetic.of(FLOAT32, Precision(activation=8)))
    for (_, upper), (_, lower) in zip(
        looser.items(), forward_bound(reference.trace(case), own).items(), strict=True
    ):
        assert (upper >= lower).all()


def test_gradients_have_no_bound_where_numbers_are_quantized() -> None:
    """A precision for which no bound on gradients is known is refused."""
    configuration = reference.Configuration(1, 1)
    shapes = configuration.parameter_shapes()
    parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    trace = reference.trace(Case(configuration, parameters, np.zeros((1, 1, 1), np.float32)))
    with pytest.raises(ValueError, match="no bound on gradients"):
        gradient_bound(trace, trace.result, Arithmetic.of(FLOAT32, Precision(weight_bits=8)))


@pytest.mark.parametrize(
    "options",
    [
        {"storage": "int8"},
        {"products": "tf64"},
        {"activation": -1.0},
        {"activation": np.inf},
        {"added_bias": np.nan},
        {"weight_bits": 0},
    ],
)
def test_impossible_precision_is_refused(options: dict[str, Any]) -> None:
    """Unknown names and numbers out of range raise, and the message names the field."""
    with pytest.raises(ValueError, match=next(iter(options))):
        Precision(**options)


def test_precision_describes_what_is_not_the_dtypes_own() -> None:
    """Only the fields that differ from the defaults are told."""
    assert Precision(products="tf32", activation=8).described() == ["products tf32", "activation 8"]
    assert Precision().described() == []
