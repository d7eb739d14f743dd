"""Verdicts on results: right ones of any kind, and wrong ones at the right place."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import Case, Result, Support, judge, load
from conformance.judgement.comparing import Compared
from conformance.judgement.judging import Answer, judge_results
from conformance.judgement.observing import observed
from conformance.judgement.sensitivity import Sensitivity
from conformance.judgement.told import rounding
from conformance.judgement.verdict import NoResult, Right, Unsaid, Verdict, Wrong
from reference import DTYPES, Array, Precision
from tests.support.devices import skip_unless_torch_computes
from tests.support.judging import judge_implementation
from tests.support.kernels import ORDERS, Altered, Kernel, made, with_parameters

TORCH = load("torch.nn.LSTM")
CELLS = load("stacked-cells")


def wrong(answer: Answer) -> Wrong:
    assert isinstance(answer.verdict, Wrong), answer.verdict
    return answer.verdict


def judged(case: Case, other: Case) -> Verdict:
    """What torch computes for `other`, as results of `case`."""
    return judge_results("other", case, list(observed(TORCH, other))).verdict


RIGHT: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "one layer": ((6, 8, 12, 3), {}),
    "batch first": ((6, 8, 12, 3), {"batch_first": True}),
    "three layers both ways": ((6, 8, 12, 3), {"num_layers": 3, "bidirectional": True}),
    "projection": ((6, 8, 12, 3), {"proj_size": 5, "num_layers": 2}),
    "no biases": ((6, 8, 12, 3), {"bias": False}),
    "contracting": ((6, 32, 300, 2), {"scale": 0.3}),
    "chaotic": ((6, 32, 300, 2), {"scale": 25.0}),
    "saturated": ((6, 8, 40, 3), {"amplitude": 1e4}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", RIGHT)
def test_right_results_are_right(kind: str, dtype: str) -> None:
    """Those of torch are, in each dtype, however the LSTM treats rounding."""
    skip_unless_torch_computes(dtype)
    sizes, options = RIGHT[kind]
    case = made(sizes, dtype=dtype, **options)
    if options.get("batch_first"):
        case = replace(case, input=np.ascontiguousarray(case.input.swapaxes(0, 1)))
    answer = judge_implementation(TORCH, case)
    assert isinstance(answer.verdict, Right)
    assert 0 < answer.verdict.share < 1
    assert len(answer.layers) == case.configuration.num_layers


@pytest.mark.parametrize("order", ORDERS)
def test_orders_of_summation_are_right(order: str) -> None:
    """Sums may be in any order, though a chaotic LSTM then gives quite other numbers."""
    case = made((16, 32, 120, 2), scale=25.0)
    verdict = judge_implementation(Kernel(order), case).verdict
    assert isinstance(verdict, Right)
    assert verdict.share < 1


def test_lengths_states_and_unbatched_input_are_taken() -> None:
    """What lies beyond a row's length is not judged."""
    case = made((4, 5, 9, 3), bidirectional=True, num_layers=2)
    generator = np.random.default_rng(0)
    states = [generator.standard_normal((4, 3, 5)).astype(np.float32) for _ in range(2)]
    ragged = replace(case, lengths=np.array([4, 9, 1]), h_0=states[0], c_0=states[1])
    assert isinstance(judge_implementation(TORCH, ragged).verdict, Right)
    (lower, top) = observed(TORCH, ragged)
    padded = top.output.copy()
    padded[~ragged.valid_steps()] = np.nan
    results = [lower, replace(top, output=padded)]
    assert isinstance(judge_results("padded", ragged, results).verdict, Right)
    unbatched = replace(case, input=case.input[:, 0])
    assert isinstance(judge_implementation(TORCH, unbatched).verdict, Right)


def test_wrong_weight_is_found_in_its_unit() -> None:
    """One weight of one direction of an upper layer: the verdict has layer, direction and unit."""

    def off(array: Array) -> Array:
        array[8 + 5, 2] += 0.01  # the forget gate of unit 5
        return array

    case = made((6, 8, 12, 3), scale=2.0, num_layers=3, bidirectional=True)
    verdict = judged(case, with_parameters(case, weight_hh_l1_reverse=off))
    assert isinstance(verdict, Wrong)
    place = verdict.place
    assert (place.layer, place.direction, place.unit) == (1, 1, 5)
    # h before the first step is zero, so that the weight has no effect in that step
    assert place.step == 10
    assert verdict.extent.units == (5,)
    assert any("unit 5" in cause for cause in verdict.causes)


def test_order_of_gates_is_named() -> None:
    """Where the gates of one layer are in another order, the order is given."""

    def swapped(array: Array) -> Array:
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, f, o, g])

    case = made((6, 8, 12, 3), num_layers=2)
    names = ("weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1")
    verdict = judged(case, with_parameters(case, **dict.fromkeys(names, swapped)))
    assert isinstance(verdict, Wrong)
    assert (verdict.place.layer, verdict.place.step) == (1, 0)
    assert any("i, f, o, g" in cause for cause in verdict.causes)


def test_state_that_is_lost_is_found_in_its_step() -> None:
    """A sequence that begins anew in the middle is wrong from there on."""
    case = made((6, 8, 20, 3))
    first, second = (replace(case, input=case.input[part]) for part in (slice(13), slice(13, None)))
    before, after = TORCH.run(first), TORCH.run(second)
    whole = Result(np.concatenate([before.output, after.output]), after.h_n, after.c_n)
    verdict = judge_results("lost", case, [whole]).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.step, verdict.place.row) == (13, 0)
    assert any("h_0 and c_0" in cause for cause in verdict.causes)


def test_wrong_c_n_alone_is_found() -> None:
    """The output is right, and c_n is not that of the course."""
    case = made((6, 8, 5, 3))
    result = TORCH.run(case)
    off = result.c_n.copy()
    off[0, 2, 3] *= 1.001
    verdict = judge_results("off", case, [replace(result, c_n=off)]).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.result, verdict.place.row, verdict.place.unit) == ("c_n", 2, 3)


def test_inaccurate_tanh_is_measured_and_reproduced(tmp_path: Path) -> None:
    """The cause is a tanh so many units off, and a script shows the first wrong step alone."""
    verdict = wrong(
        judge_implementation(Kernel(tanh_units=120), made((6, 8, 12, 3), scale=4.0), root=tmp_path)
    )
    assert any("tanh" in cause and "explained by" in cause for cause in verdict.causes)
    assert "That step alone, from its state, is wrong too." in verdict.causes
    assert (Path(verdict.reproduction) / "case.json").is_file()


def test_tile_is_described() -> None:
    """Wrong units that are neighbours are given as a range."""

    def zeroed(array: Array) -> Array:
        array[16:24] = 0
        return array

    case = made((8, 32, 6, 2))

    def change(given: Case) -> Case:
        return with_parameters(given, bias_ih_l0=zeroed)

    verdict = wrong(judge_implementation(Altered(change, "tile", Kernel()), case))
    assert verdict.extent.units == tuple(range(16, 24))
    assert any("16 to 23" in cause for cause in verdict.causes)


def test_declared_precision_is_allowed() -> None:
    """Products of TF32 are wrong, unless they are declared."""
    case = made((16, 32, 10, 2), scale=2.0)
    results = list(observed(Kernel(bits=10), case))
    assert isinstance(judge_results("tf32", case, results).verdict, Wrong)
    by = Precision(products="tf32")
    assert isinstance(judge_results("tf32", case, results, by).verdict, Right)


def test_nan_in_the_input_is_said() -> None:
    """Nothing is said of that row from that step on; the steps before and the others are right."""
    case = made((6, 8, 12, 3))
    x = case.input.copy()
    x[7, 1, 2] = np.nan
    verdict = judge_implementation(TORCH, replace(case, input=x)).verdict
    assert isinstance(verdict, Unsaid)
    assert verdict.place is not None
    assert (verdict.place.step, verdict.place.row, verdict.rows) == (7, 1, (1,))
    assert "the input there" in verdict.reason


def test_nan_out_of_nothing_is_wrong() -> None:
    """A NaN where the true course is finite is wrong there, and not unsaid."""
    case = made((6, 8, 12, 3))
    result = TORCH.run(case)
    output = result.output.copy()
    output[4:, 2] = np.nan
    verdict = judge_results("nan", case, [replace(result, output=output)]).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.step, verdict.place.row) == (4, 2)


def test_state_that_is_returned_as_nan_is_wrong() -> None:
    """It stands for one that is not returned only where the implementation returns none."""
    case = made((6, 8, 12, 3))

    class Forgets(Kernel):
        def run(self, case: Case) -> Result:
            result = super().run(case)
            return replace(result, c_n=result.c_n * np.nan)

    verdict = judge_implementation(Forgets(), case).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.result, verdict.place.row, verdict.place.unit) == ("c_n", 0, 0)
    assert isinstance(judge(case, Forgets().run(case)).verdict, Right)


def test_h_n_alone_is_wrong() -> None:
    """The output is right, and the cause says so."""
    case = made((6, 8, 5, 3))
    result = TORCH.run(case)
    off = result.h_n.copy()
    off[0, 1, 2] += 0.1
    verdict = judge_results("off", case, [replace(result, h_n=off)]).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.result, verdict.place.row, verdict.place.unit) == ("h_n", 1, 2)
    assert any("only the h that is returned" in cause for cause in verdict.causes)


def test_nothing_is_said_of_no_rows() -> None:
    """Nor is anything estimated."""
    case = made((6, 8, 5, 0))
    judgement = judge(case, TORCH.run(case))
    assert isinstance(judgement.verdict, Unsaid)
    assert "no rows" in str(judgement)


def test_middle_layer_that_is_wrong_in_the_whole_only_is_found() -> None:
    """Its states then are not those of the layer alone."""
    case = made((5, 7, 9, 2), num_layers=3)

    def swapped(given: Case) -> Case:
        if given.configuration.num_layers < 2:
            return given
        return with_parameters(given, weight_hh_l1=lambda _: given.parameters["weight_hh_l0"])

    verdict = wrong(judge_implementation(Altered(swapped, "swapped", Kernel()), case))
    assert verdict.place.layer == 1


def test_implementation_of_several_layers_only_is_judged_as_a_whole() -> None:
    """That is all that it shows."""
    case = made((4, 5, 8, 2), num_layers=2)

    class Two(Kernel):
        supports = Support(gradients=False, min_layers=2, max_layers=2)

    answer = judge_implementation(Two(), case)
    assert isinstance(answer.verdict, Right)
    assert not answer.layers


def test_weight_that_is_not_finite_is_named() -> None:
    """The reason has the name of the parameter."""

    def infinite(array: Array) -> Array:
        array[3, 2] = np.inf
        return array

    case = with_parameters(made((6, 8, 4, 2), num_layers=2), weight_hh_l1=infinite)
    verdict = judge_implementation(TORCH, case).verdict
    assert isinstance(verdict, Unsaid)
    assert "weight_hh_l1" in verdict.reason


def test_top_layer_alone_is_judged_as_a_whole_where_that_is_small() -> None:
    """Without the layers below, errors are carried through all of them, or nothing is said."""
    case = made((4, 5, 8, 2), num_layers=2)
    result = TORCH.run(case)
    assert isinstance(judge(case, result).verdict, Right)
    off = result.output.copy()
    off[3, 1, 2] += 1e-3
    verdict = judge(case, replace(result, output=off)).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.place.step, verdict.place.row, verdict.place.unit) == (3, 1, 2)
    large = made((4, 200, 100, 4), num_layers=2)
    verdict = judge(large, TORCH.run(large)).verdict
    assert isinstance(verdict, Unsaid)
    assert "output_l0" in verdict.reason


def test_wrong_results_of_all_layers_are_counted_and_explained() -> None:
    """Gates in another order are wrong everywhere; so is a start from other states than zeros."""
    case = made((4, 5, 8, 3), num_layers=2)

    def other(stacked: Array) -> Array:
        return np.concatenate([np.split(stacked, 4)[gate] for gate in (0, 2, 1, 3)])

    swapped = replace(case, parameters={k: other(a) for k, a in case.parameters.items()})
    verdict = judge(case, TORCH.run(swapped)).verdict
    assert isinstance(verdict, Wrong)
    assert (verdict.extent.steps, verdict.extent.rows, len(verdict.extent.units)) == (8, 3, 5)
    assert any("reads the gates in the order i, g, f, o" in each for each in verdict.causes)
    ones = np.ones((2, 3, 5), np.float32)
    verdict = judge(case, TORCH.run(replace(case, h_0=ones, c_0=ones))).verdict
    assert isinstance(verdict, Wrong)
    assert verdict.causes[0].startswith("No initial states are given")


def test_exchanged_final_states_of_several_layers_are_named() -> None:
    """The output is right then, and no step is wrong."""
    case = made((4, 5, 8, 3), num_layers=2)
    result = TORCH.run(case)
    verdict = judge(case, replace(result, h_n=result.c_n, c_n=result.h_n)).verdict
    assert isinstance(verdict, Wrong)
    assert verdict.causes == ("The output is right. h_n and c_n are exchanged.",)
    assert str(verdict.extent) == "final states alone, in 3 of 3 rows"


def test_what_is_not_supported_or_fails_gives_no_result() -> None:
    """A cell has one direction; an exception is not conformant."""
    verdict = judge_implementation(CELLS, made((3, 4, 5, 2), bidirectional=True)).verdict
    assert isinstance(verdict, NoResult)
    assert verdict.conformant

    def broken(case: Case) -> Case:
        raise RuntimeError(f"no such kernel for {case!r}")

    verdict = judge_implementation(Altered(broken, "broken", Kernel()), made((3, 4, 5, 2))).verdict
    assert isinstance(verdict, NoResult)
    assert not verdict.conformant
    assert "no such kernel" in verdict.reason


def test_layers_are_computed_in_turn_by_a_cell() -> None:
    """An implementation of one layer computes them one after another."""
    case = made((5, 7, 9, 2), num_layers=3)
    answer = judge_implementation(load("torch.nn.LSTMCell"), case)
    assert isinstance(answer.verdict, Right)
    assert len(answer.layers) == 3
    assert answer.result is not None
    assert answer.result.h_n.shape == (3, 2, 7)


@pytest.mark.parametrize(
    ("growth", "told"),
    [(0.9, "does not grow"), (1.04, "does not grow"), (15.2, "grows 15 times within 9 steps")],
)
def test_growth_that_rounds_to_one_is_none(growth: float, told: str) -> None:
    """A rounding that grows "1 times" does not grow."""
    estimate = Sensitivity((np.ones(9),), growth, growth, 1.0, np.ones((9, 1, 1)), 9)
    (line,) = rounding(Compared("float32", estimate, None, ("a", "b")))
    assert line.startswith(f"On this input a float32 rounding {told}: right float32 ")
