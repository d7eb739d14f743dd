"""The page that compares ways of comparing, and the one on estimates, are what is measured."""

import re
from pathlib import Path

import pytest

from tests.conformance.judgement import estimates, pairs
from tests.support.devices import skip_unless_torch_computes
from tests.support.sources import needs_source_tree

RIGHT, WRONG = [*pairs.right_pairs()], [*pairs.wrong_pairs()]


def named(some: list[pairs.Pair], every: int) -> list:
    return [pytest.param(pair, id=pair.name) for pair in some[::every]]


def assert_judged_right(pair: pairs.Pair) -> None:
    dtype = pair.case.dtype.name
    if dtype not in pair.questioned.supports.dtypes:
        skip_unless_torch_computes(dtype)
    assert pairs.judged(pair) == pair.right


@pytest.mark.parametrize("pair", named([*RIGHT, *WRONG], 6))
def test_judge_gets_pairs_right(pair: pairs.Pair) -> None:
    """Every sixth pair."""
    assert_judged_right(pair)


@pytest.mark.slow
@pytest.mark.parametrize("pair", named([*RIGHT, *WRONG], 1))
def test_judge_gets_every_pair_right(pair: pairs.Pair) -> None:
    """All of them."""
    assert_judged_right(pair)


@needs_source_tree
def test_pages_have_what_is_measured() -> None:
    """As many pairs of each sort, and as many estimates; `judge` gets none wrong."""
    text = pairs.PAGE.read_text(encoding="utf-8")
    assert f"of {len(RIGHT)} | wrong, called right, of {len(WRONG)} |" in text
    assert "| `lstm-conformance judge` | 0 | 0 |" in text
    rows = re.findall(r"^\| .* \| [\d.]+ \|$", estimates.PAGE.read_text(encoding="utf-8"), re.M)
    assert len(rows) == len([*estimates.cases()]) == 30


@pytest.mark.parametrize("nth", range(0, 30, 7))
def test_estimates_are_near_what_happens(nth: int) -> None:
    """Within the factor that the page has, for some of its LSTMs."""
    estimate, seen = estimates.measured([*estimates.cases()][nth][1])
    for factor in estimates.factors(estimate, seen):
        assert 1 / estimates.WITHIN < factor < estimates.WITHIN


@needs_source_tree
def test_front_page_has_the_same_table() -> None:
    """The figures of the README are those of PAIRS.md."""
    page = (Path(pairs.PAGE).parents[3] / "README.md").read_text(encoding="utf-8")
    for name in ("`lstm-conformance judge`", *pairs.RIVALS):
        row = re.search(rf"^\| {re.escape(name)} \| .*$", pairs.PAGE.read_text("utf-8"), re.M)
        assert row is not None
        assert row.group() in page
