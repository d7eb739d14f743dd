"""The bound on gradients: correct gradients never exceed it, faulty ones do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from reference import (
    DTYPES,
    Arithmetic,
    Array,
    Case,
    Configuration,
    Result,
    Step,
    Trace,
    Weights,
)
from reference.gradient_bounds import gradient_bound
from reference.gradient_errors import Near, sigmoid_slope, tanh_slope
from reference.gradients import (
    StepGradients,
    backward,
    by_name,
    lstm_cell_backward,
    trace_gradients,
)
from tests.reference import autograd
from tests.reference.autograd import random_cotangents
from tests.reference.cases import KINDS, dropout_masks, lstm_cases
from tests.support.devices import skip_unless_torch_computes

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported:UserWarning")

Gradients = dict[str, Array]

ORDINARY: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "steps": 3},
    {"bidirectional": True, "steps": 3},
    {"proj_size": 3, "steps": 3},
]
"""Options of :func:`ordinary_case` on which a faulty gradient has to be seen."""


def largest_share(found: Gradients, true: Gradients, bound: Gradients) -> float:
    """The largest error of any element as a share of its bound; NaN counts as infinite."""
    assert set(found) == set(true) == set(bound)
    shares = [0.0]
    for name, allowed in bound.items():
        assert allowed.shape == true[name].shape, name
        assert allowed.dtype == np.float64, name
        error = np.abs(found[name] - true[name]).astype(np.float64)
        with np.errstate(all="ignore"):
            share = np.where(error > 0, error / allowed, 0)
        share = np.where(np.isnan(error), np.inf, share)
        shares.append(float(np.where(np.isinf(allowed), 0, share).max(initial=0)))
    return max(shares)


def ordinary_case(dtype: str, steps: int = 5, seed: int = 0, **options: Any) -> Case:
    """A case initialised as ``torch.nn.LSTM`` is, with normal input and states."""
    c, rng = Configuration(3, 8, **options), np.random.default_rng(seed)
    count, scale = c.num_layers * c.num_directions, c.hidden_size**-0.5
    arrays = {
        name: rng.uniform(-scale, scale, shape) for name, shape in c.parameter_shapes().items()
    }
    rows = ((steps, 4, 3), (count, 4, c.output_size), (count, 4, c.hidden_size))
    x, h_0, c_0 = (rng.standard_normal(shape).astype(DTYPES[dtype].numpy) for shape in rows)
    parameters = {name: array.astype(DTYPES[dtype].numpy) for name, array in arrays.items()}
    return Case(c, parameters, x, h_0, c_0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=4)
def test_autograd_stays_within_the_bound(kind: str, dtype: str, data: st.DataObject) -> None:
    """So do the gradients of nn.LSTM and of cells stacked by hand, in every type and kind."""
    skip_unless_torch_computes(dtype)
    case = data.draw(lstm_cases(dtypes=(dtype,), sizes=(1, 8), steps=(1, 8), **KINDS[kind]))
    masks, cotangents = dropout_masks(case), random_cotangents(case)
    trace = reference.trace(case, masks)
    true, bound = backward(trace, cotangents), gradient_bound(trace, cotangents)
    assert largest_share(autograd.of_cells(case, cotangents, masks), true, bound) <= 1
    if masks is None:
        assert largest_share(autograd.of_module(case, cotangents), true, bound) <= 1


class ErringLSTM:
    """Layers in one direction whose every operation errs as far as the model allows.

    Computed in the wide type of float32 with float32's unit roundoff; `sign` gives the signs of
    the errors of an array of some shape.
    """

    def __init__(self, sign: Callable[[tuple[int, ...]], Any]) -> None:
        self.sign = sign
        self.arithmetic = Arithmetic.of(DTYPES["float32"])

    def stored(self, value: Array) -> Array:
        return value * (1 + self.arithmetic.unit_roundoff * self.sign(value.shape))

    def sigmoid(self, a: Array) -> Array:
        return 1 / (1 + np.exp(-a)) + self.arithmetic.sigmoid * self.sign(a.shape)

    def tanh(self, a: Array) -> Array:
        return np.tanh(a) + self.arithmetic.tanh * self.sign(a.shape)

    def product(self, x: Array, w: Array) -> Array:
        error = w.shape[0] * self.arithmetic.accumulation * (np.abs(x) @ np.abs(w))
        return self.stored(x @ w + error * self.sign(error.shape))

    def slope(self, s: Array) -> Array:
        return self.stored(s - self.stored(s * s))

    def gradients(self, case: Case, cotangents: Result) -> Gradients:
        p = {name: array.astype(np.float64) for name, array in case.parameters.items()}
        states = [array.astype(np.float64) for array in case.initial_states()]
        d_output, dh_n, dc_n = (array.astype(np.float64) for _, array in cotangents.items())
        x, tapes = case.input.astype(np.float64), []
        suffixes = case.configuration.suffixes()
        for layer, suffix in enumerate(suffixes):
            tapes.append(self.forward(x, states[0][layer], states[1][layer], p, suffix))
            x = np.stack([step["h"] for step in tapes[-1]])
        found: Gradients = {}
        dh_0: list[Array] = []
        dc_0: list[Array] = []
        for layer in reversed(range(len(suffixes))):
            d_output, dh, dc, weights = self.backward(
                tapes[layer], d_output, dh_n[layer], dc_n[layer], p, suffixes[layer]
            )
            dh_0.insert(0, dh)
            dc_0.insert(0, dc)
            found |= weights
        return {"input": d_output, "h_0": np.stack(dh_0), "c_0": np.stack(dc_0), **found}

    def forward(self, x: Array, h: Array, c: Array, p: Gradients, suffix: str) -> list[Gradients]:
        tape = []
        for x_t in x:
            step = {"x": x_t, "h_prev": h, "c_prev": c}
            a = self.product(x_t, p["weight_ih" + suffix].T)
            a = self.stored(a + p["bias_ih" + suffix])
            recurrent = self.product(h, p["weight_hh" + suffix].T)
            a = self.stored(a + self.stored(recurrent + p["bias_hh" + suffix]))
            for name, part in zip("ifgo", np.split(a, 4, axis=-1), strict=True):
                step[name] = self.tanh(part) if name == "g" else self.sigmoid(part)
            kept = self.stored(step["f"] * c)
            c = self.stored(kept + self.stored(step["i"] * step["g"]))
            step["t"] = self.tanh(c)
            h = step["h_full"] = self.stored(step["o"] * step["t"])
            if "weight_hr" + suffix in p:
                h = self.product(h, p["weight_hr" + suffix].T)
            step["h"] = h
            tape.append(step)
        return tape

    def backward(
        self,
        tape: list[Gradients],
        d_output: Array,
        dh: Array,
        dc: Array,
        p: Gradients,
        suffix: str,
    ) -> tuple[Array, Array, Array, Gradients]:
        """Gate by gate, with the gradients of the weights added up step by step."""
        found = {name: np.zeros_like(array) for name, array in p.items() if name.endswith(suffix)}
        dx: list[Array] = []
        for s, cotangent in zip(reversed(tape), d_output[::-1], strict=True):
            dh = self.stored(dh + cotangent)
            terms = {"weight_hr": (dh, s["h_full"])} if "weight_hr" + suffix in p else {}
            dh_full = self.product(dh, p["weight_hr" + suffix]) if terms else dh
            do = self.stored(dh_full * s["t"])
            dt = self.stored(
                self.stored(dh_full * s["o"]) * self.stored(1 - self.stored(s["t"] ** 2))
            )
            dc = self.stored(dc + dt)
            di, df = self.stored(dc * s["g"]), self.stored(dc * s["c_prev"])
            dg = self.stored(dc * s["i"])
            parts = [
                self.stored(di * self.slope(s["i"])),
                self.stored(df * self.slope(s["f"])),
                self.stored(dg * self.stored(1 - self.stored(s["g"] ** 2))),
                self.stored(do * self.slope(s["o"])),
            ]
            da = np.concatenate(parts, axis=-1)
            one = np.ones((len(da), 1))
            terms |= {"weight_ih": (da, s["x"]), "weight_hh": (da, s["h_prev"])}
            terms |= {"bias_ih": (da, one), "bias_hh": (da, one)}
            for name, (left, right) in terms.items():
                total = found[name + suffix]
                step = self.product(left.T, right).reshape(total.shape)
                found[name + suffix] = self.stored(total + step)
            dx.insert(0, self.gate_by_gate(parts, p["weight_ih" + suffix]))
            dh = self.gate_by_gate(parts, p["weight_hh" + suffix])
            dc = self.stored(dc * s["f"])
        return np.stack(dx), dh, dc, found

    def gate_by_gate(self, parts: list[Array], weight: Array) -> Array:
        i, f, g, o = (
            self.product(part, w) for part, w in zip(parts, np.split(weight, 4), strict=True)
        )
        return self.stored(self.stored(self.stored(i + f) + g) + o)


@pytest.mark.parametrize("signs", ["all_up", "all_down", "random"])
@pytest.mark.parametrize("projection", [False, True])
@given(data=st.data())
@settings(max_examples=15)
def test_largest_permitted_errors_stay_within_the_bound(
    projection: bool, signs: str, data: st.DataObject
) -> None:
    """An LSTM that errs in each operation by all that the model allows is still within."""
    options: dict[str, Any] = {
        "bidirectional": False,
        "batched": True,
        "batch_first": False,
        "ragged": False,
    }
    options |= {"bias": True, "state": True, "projection": projection}
    case = data.draw(lstm_cases(dtypes=("float32",), sizes=(1, 6), steps=(1, 6), **options))
    rng = np.random.default_rng(0)
    sign = {
        "all_up": lambda _: 1,
        "all_down": lambda _: -1,
        "random": lambda shape: rng.choice([-1, 1], shape),
    }[signs]
    trace, cotangents = reference.trace(case), random_cotangents(case)
    true, bound = backward(trace, cotangents), gradient_bound(trace, cotangents)
    share = largest_share(ErringLSTM(sign).gradients(case, cotangents), true, bound)
    assert 0 < share <= 1


def one_step(step: Step, dh: Array, dc: Array, w: Weights) -> StepGradients:
    """Truncates back-propagation through time to one step."""
    d = lstm_cell_backward(step, dh, dc, w)
    return d._replace(h_prev=0 * d.h_prev, c_prev=0 * d.c_prev)


def quarter_slope(step: Step, dh: Array, dc: Array, w: Weights) -> StepGradients:
    """Takes 1/4, its largest value, for the derivative of every sigmoid."""
    d = lstm_cell_backward(step, dh, dc, w)
    slope_i, slope_f, slope_o = (4 * s * (1 - s) for s in (step.i, step.f, step.o))
    da = d.a / np.concatenate([slope_i, slope_f, np.ones_like(step.g), slope_o], axis=-1)
    return d._replace(a=da, x=da @ w.weight_ih, h_prev=da @ w.weight_hh)


def with_cell(cell: Callable[..., StepGradients]) -> Callable[[Trace, Result], Gradients]:
    """The reference's gradients, but with another backward step."""

    def gradients_of(trace: Trace, cotangents: Result) -> Gradients:
        return by_name(trace, trace_gradients(trace, cotangents, cell))

    return gradients_of


def without_c_n(trace: Trace, cotangents: Result) -> Gradients:
    """Drops the cotangent of c_n."""
    return backward(trace, replace(cotangents, c_n=0 * cotangents.c_n))


def doubled_bias(trace: Trace, cotangents: Result) -> Gradients:
    """Doubles the gradient of one bias, as one that is added up twice."""
    found = backward(trace, cotangents)
    return found | {"bias_hh_l0": 2 * found["bias_hh_l0"]}


def without_h_0(trace: Trace, cotangents: Result) -> Gradients:
    """Gives no gradient to h_0."""
    found = backward(trace, cotangents)
    return found | {"h_0": 0 * found["h_0"]}


FAULTY = {
    "one_step": with_cell(one_step),
    "quarter_slope": with_cell(quarter_slope),
    "without_c_n": without_c_n,
    "doubled_bias": doubled_bias,
    "without_h_0": without_h_0,
}


@pytest.mark.parametrize(
    ("dtype", "options"),
    [(dtype, options) for dtype in ("float64", "float32", "float16") for options in ORDINARY]
    + [("bfloat16", {"steps": 2}), ("bfloat16", {"steps": 3})],
    ids=str,
)
@pytest.mark.parametrize("fault", FAULTY)
def test_faulty_gradients_exceed_the_bound(fault: str, dtype: str, options: dict) -> None:
    """On ordinary cases; with three digits, as in bfloat16, on those of few steps."""
    case = ordinary_case(dtype, **options)
    trace, cotangents = reference.trace(case), random_cotangents(case)
    true, bound = backward(trace, cotangents), gradient_bound(trace, cotangents)
    assert largest_share(FAULTY[fault](trace, cotangents), true, bound) > 1


@pytest.mark.parametrize("options", ORDINARY, ids=str)
def test_relative_error_of_1e_4_exceeds_the_bound_in_float32(options: dict) -> None:
    """Gradients that are 0.01 % too large are not those of a float32 LSTM."""
    case = ordinary_case("float32", **options)
    trace, cotangents = reference.trace(case), random_cotangents(case)
    true, bound = backward(trace, cotangents), gradient_bound(trace, cotangents)
    for name, array in true.items():
        assert largest_share(true | {name: array * (1 + 1e-4)}, true, bound) > 1, name


def test_bound_is_infinite_where_float16_can_overflow() -> None:
    """Nothing is claimed of gradients that pass 65504 on their way."""
    case = ordinary_case("float16")
    trace, cotangents = reference.trace(case), random_cotangents(case)
    huge = Result.of(array * np.float16(10000) for _, array in cotangents.items())
    assert all(np.isinf(bound).any() for bound in gradient_bound(trace, huge).values())
    assert all(np.isfinite(bound).all() for bound in gradient_bound(trace, cotangents).values())


def test_bound_is_zero_where_nothing_reaches() -> None:
    """Padding and an unused loss have gradients of exactly zero, with hardly any tolerance."""
    case = replace(ordinary_case("float32"), lengths=np.array([5, 2, 1, 3]))
    trace, cotangents = reference.trace(case), random_cotangents(case)
    assert case.lengths is not None
    beyond = np.arange(5)[:, None] >= case.lengths
    assert (gradient_bound(trace, cotangents)["input"][beyond] == 0).all()
    nothing = random_cotangents(case, ())
    assert all((bound < 1e-40).all() for bound in gradient_bound(trace, nothing).values())


def test_bound_shrinks_with_the_arithmetic() -> None:
    """To first order it is proportional to the unit roundoffs."""
    case = ordinary_case("float64")
    trace, cotangents = reference.trace(case), random_cotangents(case)
    model = Arithmetic.of(case.dtype)
    one, two = (gradient_bound(trace, cotangents, m) for m in (model, model.scaled(2)))
    for name, bound in one.items():
        np.testing.assert_allclose(two[name], 2 * bound, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("slope", [sigmoid_slope, tanh_slope])
def test_slopes_contain_every_formula(slope: Callable[[Near, float], Near]) -> None:
    """Of the slope from a perturbed value, exactly or rounded in the worst way."""
    u, value = 2.0**-8, np.linspace(0, 1, 101)
    near = slope(Near(value, np.full(101, 0.02)), u)
    for moved in (value - 0.02, value, value + 0.02):
        for up in (1 + u, 1 - u):
            if slope is sigmoid_slope:
                formulas = moved * ((1 - moved) * up) * up, (moved - moved**2 * up) / up
            else:
                formulas = (
                    (1 - moved**2 * up) / up,
                    ((1 - moved) * up) * ((1 + moved) * up) * up,
                )
            for formula in formulas:
                assert (np.abs(formula - near.value) <= near.deviation).all()
