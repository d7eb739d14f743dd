"""Six public threads, on stand-ins of the same kind and size, get the verdict they call for."""

import re

import numpy as np
import pytest

from conformance.judgement.verdict import Unsaid, Wrong
from tests.conformance.judgement.threads import THREADS, Thread, largest
from tests.support.sources import ROOT, needs_source_tree

PAGE = ROOT / "conformance" / "judgement" / "A_BUG.md"


@pytest.mark.parametrize("thread", THREADS, ids=lambda thread: thread.name)
def test_threads_get_their_verdicts(thread: Thread) -> None:
    """The difference is as large as in the thread, and the verdicts are those that the page has."""
    answers = thread.judged()
    assert tuple(answer.verdict.outcome for answer in answers) == thread.verdicts
    first, second = (answer.result for answer in answers[:2])
    assert first is not None
    assert second is not None
    if first.output.shape == second.output.shape:
        assert largest(first.output, second.output) >= thread.difference


def test_overflow_is_found_where_it_starts() -> None:
    """Of the row with numbers near the largest one nothing can be said; the other is right."""
    for thread in THREADS[:2]:
        for answer in thread.judged():
            verdict = answer.verdict
            assert isinstance(verdict, Unsaid)
            assert (verdict.rows, verdict.of_rows) == ((1,), 2)
            assert verdict.place is not None
            assert (verdict.place.step, verdict.place.row) == (0, 1)
            assert verdict.share < 1


def test_row_is_a_number_alone_and_not_in_the_batch() -> None:
    """So says the thread; both are what a right implementation can give."""
    alone, in_batch = THREADS[3].judged()
    assert alone.result is not None
    assert in_batch.result is not None
    assert np.isfinite(alone.result.output).all()
    assert np.isnan(in_batch.result.output[:, 1]).all()


def test_products_of_tf32_are_named() -> None:
    """They are wrong as long as they are not declared, and the cause is given."""
    verdict = THREADS[4].judged()[1].verdict
    assert isinstance(verdict, Wrong)
    assert any("TF32" in cause for cause in verdict.causes)
    assert (verdict.place.layer, verdict.place.step) == (0, 0)


@needs_source_tree
def test_page_has_every_thread() -> None:
    """The table of the page has the verdicts that the stand-ins get."""
    rows = re.findall(r"^\| \[(.+?)\]\(.*?\) \|.*\| (.+?) \|$", PAGE.read_text("utf-8"), re.M)
    assert dict(rows) == {each.name: ", ".join(each.verdicts) for each in THREADS}
