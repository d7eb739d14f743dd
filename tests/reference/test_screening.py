"""The quick look at large layers: what it settles is below its bound."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import DTYPES, Arithmetic, Array, Case
from reference.local_bounds import local_layers
from reference.local_layer import LocalLayer, local_arithmetic, previous
from reference.network import cell_weights
from reference.screening import SETTLED, Screen, Screened
from tests.reference.adversarial import FAMILIES, family, tame
from tests.reference.cases import lstm_cases
from tests.reference.rounded import RoundedLSTM

NARROW = tuple(name for name in DTYPES if name != "float64")


def looked_at(
    case: Case, output: Array, arithmetic: Arithmetic | None = None
) -> Iterator[tuple[int, Array, LocalLayer, Screened]]:
    """Yield for each direction and row what was observed, and what both say of it."""
    model = arithmetic or Arithmetic.of(case.dtype)
    x, active = case.time_major(case.input), case.valid_steps()
    layers = local_layers(case, output, model)
    halves = np.split(case.time_major(output), len(layers), axis=-1)
    for way, (layer, seen) in enumerate(zip(layers, halves, strict=True)):
        suffix = case.configuration.suffixes()[way]
        screen = Screen.of(cell_weights(case, suffix, case.dtype.numpy), local_arithmetic(model))
        h_0, c_0 = (state[way] for state in case.initial_states())
        h_prev, _ = previous(seen, h_0, active, way == 1)
        for row in range(case.batch_size):
            here = slice(row, row + 1)
            one = x[:, here], h_prev[:, here], seen[:, here], c_0[here], active[:, here]
            found = screen.compared(*one, reverse=way == 1)
            yield row, seen, layer, found


def assert_no_smaller(case: Case, output: Array, arithmetic: Arithmetic | None = None) -> int:
    """Assert it of every share and every final state; returns how many shares are settled."""
    settled = 0
    for row, seen, layer, found in looked_at(case, output, arithmetic):
        with np.errstate(all="ignore"):
            off = np.abs(seen[:, row] - layer.output[:, row])
            exact = np.where(off > 0, off / layer.bound_output[:, row], 0)
        valid = case.valid_steps()[:, row]
        unknown = ~np.isfinite(layer.bound_output[:, row])
        below = found.shares < SETTLED
        assert not (below & unknown)[valid].any()
        assert (exact[below & valid[:, None]] <= 1).all()
        sure = (np.isfinite(found.shares) & ~unknown)[valid]
        assert (found.shares[valid][sure] >= exact[valid][sure] - 2.0**-21).all()
        settled += int(below.sum())
        for least, bound in ((found.dh, layer.bound_h_n), (found.dc, layer.bound_c_n)):
            assert (np.isnan(least) | (least <= bound[row] * (1 + 2.0**-20))).all()
        if np.isfinite(found.shares).all():
            # large terms can cancel: float64 is exact only compared with the bound
            assert (np.abs(found.h[0] - layer.h_n[row]) <= 2.0**-21 * layer.bound_h_n[row]).all()
            assert (np.abs(found.c[0] - layer.c_n[row]) <= 2.0**-21 * layer.bound_c_n[row]).all()
    return settled


@pytest.mark.parametrize("dtype", NARROW)
@given(data=st.data())
@settings(max_examples=40)
def test_shares_are_no_smaller_than_those_of_the_bound(dtype: str, data: st.DataObject) -> None:
    """Of right results and of wrong ones, in every configuration without a projection."""
    cases = lstm_cases(dtypes=(dtype,), sizes=(1, 9), steps=(1, 12), num_layers=1, projection=False)
    case = data.draw(cases)
    output = RoundedLSTM(case.dtype, data.draw(st.booleans()))(case).output
    off = data.draw(st.sampled_from([0.0, 1e-7, 1e-5, 1e-3, 0.1]))
    wrong = np.random.default_rng(0).standard_normal(output.shape) * off
    assert_no_smaller(case, (output + wrong * (output != 0)).astype(output.dtype))


@given(data=st.data())
@settings(max_examples=30)
def test_sums_that_can_overflow_are_not_settled(data: st.DataObject) -> None:
    """Nor are states that are as large as that, nor what is not a number."""
    case = data.draw(lstm_cases(dtypes=NARROW, num_layers=1, projection=False, batched=True))
    size = data.draw(st.sampled_from([0.1, 0.3, 1.0, np.inf, np.nan]))
    x, c_0 = case.input.copy(), case.initial_states()[1].copy()
    with np.errstate(all="ignore"):
        large = np.asarray(size * case.dtype.largest).astype(case.dtype.numpy)
    if data.draw(st.booleans()):
        x[0, 0] = large
    else:
        c_0[0] = large
    h_0 = case.initial_states()[0]
    case = replace(case, input=x, h_0=h_0, c_0=c_0)
    assert_no_smaller(case, RoundedLSTM(case.dtype)(case).output)


@pytest.mark.parametrize("name", FAMILIES)
def test_worst_roundings_are_no_smaller(name: str) -> None:
    """In each family of cases whose roundings can reach the bounds."""
    for dtype in NARROW:
        case = family(dtype, **FAMILIES[name])
        assert_no_smaller(case, RoundedLSTM(case.dtype)(case).output, tame(dtype))


@pytest.mark.parametrize("dtype", NARROW)
def test_shares_are_less_than_thrice_those_of_the_bound(dtype: str) -> None:
    """Where weights have no structure: so large layers are settled."""
    case = family(dtype, hidden=96, inputs=64, steps=20, rows=2, scale=0.1)
    output = RoundedLSTM(case.dtype)(case).output
    for row, seen, layer, found in looked_at(case, output):
        exact = np.abs(seen[:, row] - layer.output[:, row]) / layer.bound_output[:, row]
        assert found.shares.max() < SETTLED
        assert found.shares.max() < 3 * exact.max()
