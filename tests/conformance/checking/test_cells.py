"""What was exercised, as cells."""

from dataclasses import replace

import numpy as np
import pytest

from conformance import REQUIREMENTS, Budget, Support, load
from conformance.checking.cells import AXES, Exercised, cases, declared, summed, values
from conformance.running.deciding import check
from reference import Case, Configuration
from strategies.support import ONE_LAYER
from tests.support.cases import RoundedReference, random_case

PLAIN = random_case(Configuration(2, 3))


@pytest.mark.parametrize(
    ("case", "known"),
    [
        (PLAIN, {"dtype": "float32", "num_layers": "1", "directions": "1", "bias": "yes"}),
        (PLAIN, {"projection": "no", "dropout": "no", "batch_first": "no", "batched": "yes"}),
        (PLAIN, {"states": "yes", "lengths": "none", "size": "small"}),
        (replace(PLAIN, h_0=None, c_0=None), {"states": "no"}),
        (replace(PLAIN, lengths=np.array([4, 2, 2])), {"lengths": "sorted"}),
        (replace(PLAIN, lengths=np.array([2, 4, 2])), {"lengths": "unsorted"}),
        (random_case(Configuration(2, 3, 2, bias=False)), {"num_layers": "2", "bias": "no"}),
        (random_case(Configuration(2, 3, 5, bidirectional=True)), {"num_layers": "3+"}),
        (random_case(Configuration(2, 3, bidirectional=True)), {"directions": "2"}),
        (random_case(Configuration(2, 3, batch_first=True)), {"batch_first": "yes"}),
        (random_case(Configuration(2, 3, 2, proj_size=2, dropout=0.5)), {"projection": "yes"}),
        (random_case(Configuration(2, 3, 2, dropout=0.5)), {"dropout": "yes"}),
        (random_case(Configuration(6, 6), batch_size=6), {"size": "small"}),
        (random_case(Configuration(7, 6)), {"size": "kernel"}),
        (random_case(Configuration(2, 33)), {"size": "kernel"}),
        (random_case(Configuration(2, 3), batch_size=34), {"size": "real"}),
    ],
)
def test_values_are_those_of_the_case(case: Case, known: dict[str, str]) -> None:
    """Each axis has the value that the case has."""
    assert known.items() <= values(case).items()
    assert {*values(case)} == {*AXES} - {"mode"}


def test_counts_add_up_to_the_cases() -> None:
    """On each axis but the mode, of which one case can have both."""
    exercised = Exercised()
    for case in (PLAIN, PLAIN, replace(PLAIN, h_0=None, c_0=None)):
        exercised.add(case)
        exercised.called({True, False})
    cells = exercised.cells()
    assert list(cells) == list(AXES)
    assert all(sum(counts.values()) == 3 for axis, counts in cells.items() if axis != "mode")
    assert cells["states"] == {"no": 1, "yes": 2}
    assert cells["mode"] == {"eval": 3, "train": 3}
    assert cases(cells) == 3
    assert summed([cells, cells])["states"] == {"no": 2, "yes": 4}
    assert summed([]) == {}


def test_declared_values_are_those_of_the_support() -> None:
    """A value that is not taken is not declared."""
    everything = declared(Support())
    assert all(everything[axis] == AXES[axis] for axis in ("num_layers", "lengths", "size"))
    assert {axis: sorted(known) for axis, known in everything.items()} == {
        axis: sorted(AXES[axis]) for axis in everything
    }
    assert not {"mode", "dropout"} & {*everything}
    few = declared(replace(ONE_LAYER, dtypes=("float32",), bias=(True,), results=("h_n",)))
    assert few["dtype"] == ("float32",)
    assert (few["num_layers"], few["directions"]) == (("1",), ("1",))
    assert (few["projection"], few["lengths"], few["bias"]) == (("no",), ("none",), ("yes",))
    assert few["size"] == ("small", "kernel")
    assert declared(replace(ONE_LAYER, results=("output",)))["size"] == AXES["size"]
    deep = declared(replace(ONE_LAYER, min_layers=2, max_layers=2))
    assert (deep["num_layers"], deep["size"]) == (("2",), ("small", "kernel"))
    alone = declared(Support(batched=(False,), min_layers=2))
    assert (alone["lengths"], alone["num_layers"]) == (("none",), ("2", "3+"))


def test_verdict_has_the_cells_of_its_cases() -> None:
    """As many as there are cases, also where each dtype is decided by itself."""
    lstm = RoundedReference(support=Support(projection=False))
    for name in ("results_match_reference", "activations_are_accurate"):
        verdict = check(REQUIREMENTS[name], lstm, budget=Budget(6, 1))
        assert cases(verdict.cells) == verdict.cases > 0
        assert verdict.cells["projection"] == {"no": verdict.cases}
        assert "mode" not in verdict.cells


def test_verdict_has_the_modes_in_which_a_module_was_called() -> None:
    """Eval where a claim is about results, both where it is about both."""
    lstm = load("torch.nn.LSTM")
    plain = check(REQUIREMENTS["results_match_reference"], lstm, budget=Budget(3, 1))
    assert plain.cells["mode"] == {"eval": 3}
    both = check(REQUIREMENTS["train_mode_without_dropout_is_eval_mode"], lstm, budget=Budget(3, 1))
    assert both.cells["mode"] == {"eval": both.cases, "train": both.cases}
