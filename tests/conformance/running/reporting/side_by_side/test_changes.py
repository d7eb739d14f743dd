"""What changed from one report to another one."""

from dataclasses import replace

import pytest

from conformance import UsageError
from conformance.checking.verdict import (
    FailedShould,
    NotApplicable,
    TimedOut,
    Undecided,
    UnexpectedPass,
    Verdict,
)
from conformance.running.reporting.side_by_side.changes import GROWN, LEAST, Kind, changes
from conformance.running.reporting.side_by_side.wording import (
    BETTER,
    SAME,
    WORSE,
    conclusion,
    markdown,
    text,
)
from tests.support.several_reports import (
    EQUATIONS,
    SHAPES,
    crashed,
    expected,
    failed,
    passed,
    report,
)

HERE = EQUATIONS, "mine", "cpu"
INAPPLICABLE = NotApplicable(*HERE, reason="no lengths")
SHOULD = failed(kind=FailedShould)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (passed(), failed(), Kind.RED),
        (INAPPLICABLE, failed(), Kind.RED),
        (expected(), failed(), Kind.JUDGED),
        (expected(), crashed(), Kind.OTHERWISE),
        (passed(), UnexpectedPass(*HERE), Kind.RED),
        (passed(), Undecided(*HERE, reason="time"), Kind.RED),
        (failed(), passed(), Kind.MENDED),
        (UnexpectedPass(*HERE), passed(), Kind.MENDED),
        (failed(), failed(message="output[0] = 2.0"), None),
        (failed(), failed(dtype="float16"), Kind.OTHERWISE),
        (failed(), crashed(), Kind.OTHERWISE),
        (failed(), TimedOut(*HERE), Kind.OTHERWISE),
        (failed(), Undecided(*HERE, reason="time"), Kind.RED),
        (passed(), SHOULD, Kind.SHOULD),
        (SHOULD, failed(), Kind.JUDGED),
        (failed(), expected(), Kind.JUDGED),
        (passed(), expected(), Kind.EXPECTED),
        (passed(), INAPPLICABLE, Kind.UNCHECKED),
        (INAPPLICABLE, passed(), Kind.CHECKED),
        (passed(), passed(), None),
    ],
)
def test_change_of_a_verdict_has_its_kind(old: Verdict, new: Verdict, kind: Kind | None) -> None:
    """The same failure with other numbers is no change."""
    found = changes(report(old), report(new))
    assert [each.kind for each in found] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (0.1, 0.1 * GROWN * 1.01, True),
        (0.1, 0.1 * GROWN * 0.99, False),
        (LEAST / GROWN / 10, LEAST * 1.01, True),
        (LEAST / GROWN / 10, LEAST * 0.99, False),
        (0.0, 0.5, True),
        (0.9, 0.1, False),
    ],
)
def test_accuracy_is_lost_beyond_a_factor(before: float, after: float, lost: bool) -> None:
    """And above a share that few cases reach by chance."""
    found = changes(report(passed(share=before)), report(passed(share=after)))
    assert [each.kind for each in found] == [Kind.ACCURACY] * lost


def test_accuracy_is_lost_in_one_dtype() -> None:
    """By dtype, where both reports say; else by the largest share of all."""
    old, new = {"float64": 0.3, "float32": 0.01}, {"float64": 0.3, "float32": 0.2}
    (found,) = changes(report(passed(share=0.3, shares=old)), report(passed(share=0.3, shares=new)))
    assert found.what == "float32: 1.00% of the bound before, 20.00% now"
    assert not changes(report(passed(share=0.3)), report(passed(share=0.3, shares=new)))


def test_accuracy_of_activations_is_compared() -> None:
    """In units, of which twice as many are a loss."""
    of = [passed(units={"float32": {"tanh": units, "sigmoid": 1.0}}) for units in (0.5, 1.5, 0.9)]
    (found,) = changes(report(of[0]), report(of[1]))
    assert found.what == "float32: tanh: 0.5 units before, 1.5 now"
    assert not changes(report(of[0]), report(of[2]))


def test_requirements_come_and_go() -> None:
    """A new one that is red is worse; one that an unfinished run lacks was not checked."""
    both, one = report(passed(), passed(SHAPES)), report(passed())
    assert [each.kind for each in changes(both, one)] == [Kind.REMOVED]
    assert [each.kind for each in changes(one, both)] == [Kind.ADDED]
    assert [each.kind for each in changes(one, report(passed(), failed(SHAPES)))] == [Kind.RED]
    assert [each.kind for each in changes(both, replace(one, complete=False))] == [Kind.UNCHECKED]


def test_reports_of_other_implementations_cannot_be_compared() -> None:
    """That is no difference, but wrong usage."""
    other = report(replace(passed(), implementation="yours"))
    with pytest.raises(UsageError, match="one is about mine, the other about yours"):
        changes(report(passed()), other)
    odd = report(replace(passed(), implementation="a\n::error::b"))
    with pytest.raises(UsageError, match="one is about a ::error::b, the other about yours"):
        changes(odd, other)
    with pytest.raises(UsageError, match="one is about nothing"):
        changes(report(), other)


def test_words_tell_those_alike_once() -> None:
    """With the circumstances that differ, and the conclusion last."""
    old = report(passed(), passed(SHAPES), torch="2.12.0", seed=1)
    new = report(crashed(), crashed(SHAPES), torch="2.13.0", seed=2)
    found = changes(old, new)
    lines = list(text(old, new, found))
    assert "  seed: 1 before, 2 now" in lines
    assert "  mine: torch 2.12.0 before, torch 2.13.0 now" in lines
    why = "crashed (raised ValueError: no in <LSTM 1->1>)"
    place = lines.index("New reds:")
    assert lines[place + 1] == f"  mine on cpu: {EQUATIONS}, {SHAPES}: passed before, {why} now"
    assert lines[-1] == WORSE
    assert "### New reds" in markdown(old, new, found).split("\n")


def test_conclusion_is_that_of_the_worst() -> None:
    """What is mended does not make up for what is red."""
    mended = changes(report(failed(), passed(SHAPES)), report(passed(), passed(SHAPES)))
    mixed = changes(report(failed(), passed(SHAPES)), report(passed(), failed(SHAPES)))
    assert [conclusion(each) for each in ([], mended, mixed)] == [SAME, BETTER, WORSE]
