"""Arrays as matrices."""

from dataclasses import replace

import numpy as np

from conformance.checking.counterexample import Compared
from conformance.running.reporting.pages.matrices import EDGE, Matrix, inputs, share, wrong
from tests.support.written import counterexample


def texts(matrix: Matrix) -> list[list[str]]:
    return [[cell.text for cell in cells] for _, cells in matrix.rows]


def marks(matrix: Matrix) -> list[list[str]]:
    return [[cell.mark for cell in cells] for _, cells in matrix.rows]


def test_wrong_element_is_marked() -> None:
    """In what came, in what should have come, and in the distance, which is in bounds."""
    first, second = wrong(counterexample())
    assert marks(first.got) == [["", ""], ["", ""]]
    for matrix in (second.got, second.expected, second.share):
        assert marks(matrix) == [["", ""], ["", "worst"]]
        assert matrix.parted == "1"
    assert texts(second.got) == [["0", "2"], ["3", "4"]]
    assert texts(second.share) == [["0", "0"], ["0", "10"]]
    assert second.got.label == "output[1]"
    assert first.got.parted is None


def test_of_a_large_array_the_part_near_the_wrong_element_is_drawn() -> None:
    """With its own indices."""
    got = np.zeros((3, 20, 20))
    expected = got.copy()
    expected[1, 15, 2] = 1.0
    large = Compared(got.tolist(), expected.tolist(), (got + 0.5).tolist())
    (only,) = wrong(replace(counterexample(), compared=large))
    assert only.got.label == "output[1]"
    assert list(only.got.columns) == list(range(EDGE))
    assert [row for row, _ in only.got.rows] == [str(row) for row in range(11, 19)]
    assert marks(only.share)[4][2] == "worst"


def test_arrays_of_few_axes_are_one_row() -> None:
    """A vector, and a number."""
    found = replace(counterexample(), tensors={"lengths": [2.0, 1.0], "x": 3.0})
    drawn, _ = inputs(found)
    assert [(each.label, texts(each)) for each in drawn] == [
        ("lengths", [["2", "1"]]),
        ("x", [["3"]]),
    ]


def test_case_derived_from_another_has_no_step_marked() -> None:
    """The place is one of that other case."""
    found = counterexample()
    derived = replace(found, diagnosis=replace(found.diagnosis, derived="Another case."))
    assert {each.parted for each in inputs(found)[0]} == {None, "1"}
    assert {each.parted for each in inputs(derived)[0]} == {None}
    assert {each.got.parted for each in wrong(derived)} == {None}


def test_share_is_the_largest() -> None:
    """None without arrays."""
    assert share(counterexample().compared) == 10
    assert share(None) is None
    assert share(Compared([], [], [])) is None
