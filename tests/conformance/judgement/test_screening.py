"""Large layers are judged at less cost, with the same verdicts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from conformance import Case, Result, load
from conformance.judgement import screening
from conformance.judgement.judging import Answer, judge_results
from conformance.judgement.verdict import Right, Unsaid, Wrong
from tests.support.devices import skip_unless_torch_computes
from tests.support.kernels import made, with_parameters

TORCH = load("torch.nn.LSTM")
Change = Callable[[Case, Result], tuple[Case, Result]]


def large(dtype: str = "float32") -> Case:
    """A layer in both directions, of more rows than are looked at together, with lengths."""
    case = made((9, 24, 10, 12), dtype=dtype, bidirectional=True)
    return replace(case, lengths=np.random.default_rng(0).permutation(12) % 10 + 1)


def both(case: Case, result: Result, monkeypatch: pytest.MonkeyPatch) -> tuple[Answer, Answer]:
    """The answer if this size is large, four rows at a time, and that of the exact bounds."""
    exact = judge_results("it", case, [result])
    monkeypatch.setattr(screening, "LARGE", 1)
    monkeypatch.setattr(screening, "BLOCK", 4 * 4 * 24)
    return judge_results("it", case, [result]), exact


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_right_layer_is_right_at_a_larger_share(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at least the exact one, less than three times as large, and called that."""
    skip_unless_torch_computes(dtype)
    case = large(dtype)
    quick, exact = (each.verdict for each in both(case, TORCH.run(case), monkeypatch))
    assert isinstance(quick, Right)
    assert isinstance(exact, Right)
    assert (quick.at_most, exact.at_most) == (True, False)
    assert exact.share <= quick.share < 3 * exact.share
    assert "at most" in quick.lines()[0]


def nothing(case: Case, result: Result) -> tuple[Case, Result]:
    return case, replace(result, c_n=result.c_n * np.nan)


def one_element(case: Case, result: Result) -> tuple[Case, Result]:
    output = result.output.copy()
    output[3, int(np.flatnonzero(case.valid_steps()[3])[-1]), 30] += 1e-3
    return case, replace(result, output=output)


def one_weight(case: Case, _: Result) -> tuple[Case, Result]:
    def off(array: np.ndarray) -> np.ndarray:
        array[30, 7] += 0.1
        return array

    return case, TORCH.run(with_parameters(case, weight_hh_l0_reverse=off))


def state(case: Case, result: Result) -> tuple[Case, Result]:
    c_n = result.c_n.copy()
    c_n[1, 11, 23] += 0.01
    return case, replace(result, c_n=c_n)


def missing_states(case: Case, result: Result) -> tuple[Case, Result]:
    c_n = result.c_n.copy()
    c_n[:, 8:] = np.nan  # those of one block, not of all
    return case, replace(result, c_n=c_n)


def nan_input(case: Case, _: Result) -> tuple[Case, Result]:
    x = case.input.copy()
    x[0, 2, 3] = np.nan
    case = replace(case, input=x)
    return case, TORCH.run(case)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (nothing, Right),
        (one_element, Wrong),
        (one_weight, Wrong),
        (state, Wrong),
        (missing_states, Wrong),
        (nan_input, Unsaid),
    ],
)
def test_verdicts_are_those_of_the_exact_bounds(
    change: Change, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong or unknown is so at the same place, and has the same extent."""
    case = large()
    quick, exact = (each.verdict for each in both(*change(case, TORCH.run(case)), monkeypatch))
    assert type(quick) is type(exact) is kind
    if kind is Wrong:
        assert repr(quick) == repr(replace(exact, at_most=quick.at_most))
    if isinstance(quick, Unsaid) and isinstance(exact, Unsaid):
        assert (str(quick.place), quick.rows) == (str(exact.place), exact.rows)
