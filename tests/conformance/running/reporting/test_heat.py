"""The map of what was exercised."""

from conformance.checking.cells import AXES
from conformance.running.reporting.pages.heat import DARKEST, heat_map
from strategies import Support
from tests.support.written import CELLS

PLACES = [(axis, value) for axis, values in AXES.items() for value in values]


def test_cells_are_summed_by_family() -> None:
    """The cell with the most cases is the darkest, one without is not coloured."""
    found = heat_map({"equations": [CELLS, CELLS], "states": [CELLS], "calls": [{}]}, None)
    assert found is not None
    assert [family for family, _ in found.rows] == ["equations", "states"]
    cells = dict(zip(PLACES, found.rows[0][1], strict=True))
    total = dict(zip(PLACES, found.total, strict=True))
    assert cells["lengths", "none"].cases == 46
    assert cells["lengths", "sorted"].dark == 0
    assert total["lengths", "none"].cases == 69
    assert total["lengths", "none"].dark == DARKEST
    assert not any(each.missing for each in found.total)


def test_what_is_declared_and_was_not_exercised_is_missing() -> None:
    """What is not declared is not."""
    found = heat_map({"states": [CELLS]}, Support(dtypes=("float64", "float16")))
    assert found is not None
    missing = {place for place, each in zip(PLACES, found.total, strict=True) if each.missing}
    assert ("dtype", "float16") in missing
    assert ("dtype", "bfloat16") not in missing
    assert ("dtype", "float64") not in missing
    assert not any(each.missing for _, cells in found.rows for each in cells)


def test_nothing_exercised_has_no_map() -> None:
    """Where no requirement was decided."""
    assert heat_map({"states": [{}]}, Support()) is None
