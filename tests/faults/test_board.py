"""SCORE.md is what is published: it must be stale as soon as it no longer tells the truth."""

from dataclasses import replace
from typing import Any

import pytest

from conformance import REQUIREMENTS, NotApplicable, Passed, TimedOut
from conformance.checking.counterexample import Counterexample
from conformance.checking.verdict import Failed

from .board import SCORE, character, fingerprint, markdown, measured, row, stale
from .equations import ReadsGatesAsIFOG
from .examining import Examined
from .zoo import FAULTS, Fault

NAMED = ReadsGatesAsIFOG.caught_by


class New(ReadsGatesAsIFOG):
    """Is new."""

    bug = ""


@pytest.fixture(scope="module")
def board() -> str:
    """SCORE.md as it would be written now, of faults each caught in the second case."""
    return markdown([_caught(fault) for fault in FAULTS], [], "told", fingerprint())


def _caught(fault: Fault) -> Examined:
    found = Counterexample("case", "message", {"weight_ih_l0": [[0.0], [1.0], [0.0], [2.0]]})
    failed = Failed(fault.caught_by, fault.__name__, "cpu", 2, counterexample=found)
    return Examined(fault.__name__, fault.caught_by, fault, {fault.caught_by: failed})


def test_score_is_up_to_date() -> None:
    """SCORE.md has every fault and requirement as they are now."""
    outdated = "\n".join(stale(SCORE.read_text(encoding="utf-8")))
    assert not outdated, f"{outdated}\npython tests/faults/score.py --write writes it anew"


def test_written_score_is_up_to_date(board: str) -> None:
    """What is written now is not stale now."""
    assert stale(board) == []


def test_score_without_a_new_fault_is_stale(board: str) -> None:
    """A fault that has joined the zoo since is missed."""
    assert f"no row as now: {row(New)}" in stale(board, [*FAULTS, New])


def test_score_with_a_fault_that_is_gone_is_stale(board: str) -> None:
    """A row of a fault that has left is noticed."""
    assert f"no such fault: {row(FAULTS[0])}" in stale(board, FAULTS[1:])


def test_score_with_another_catcher_is_stale(board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that names another requirement now is noticed."""
    monkeypatch.setattr(ReadsGatesAsIFOG, "caught_by", "h_n_is_last_output")
    assert f"no row as now: {row(ReadsGatesAsIFOG)}" in stale(board)


def test_score_without_a_new_requirement_is_stale(board: str) -> None:
    """A requirement that has been added since is missed."""
    new = replace(REQUIREMENTS[NAMED], name="new")
    assert "no requirement listed: new" in stale(board, FAULTS, {**REQUIREMENTS, "new": new})


def test_score_with_a_requirement_that_is_gone_is_stale(board: str) -> None:
    """A requirement that is no longer there is noticed."""
    left = {name: each for name, each in REQUIREMENTS.items() if name != NAMED}
    assert f"no such requirement: {NAMED}" in stale(board, FAULTS, left)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": REQUIREMENTS["h_n_is_last_output"].body},
        {"cases": {"seq_len": (1, 2)}},
        {"share_of_cases": 0.1},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_score_is_stale_after_a_requirement_has_changed(
    board: str, changed: dict[str, Any]
) -> None:
    """Another body, other cases or another number of them make it stale."""
    requirements = {**REQUIREMENTS, NAMED: replace(REQUIREMENTS[NAMED], **changed)}
    assert stale(board, FAULTS, requirements) == [
        "faults or requirements have changed since it was written"
    ]


def test_fingerprint_depends_on_the_source_of_a_fault() -> None:
    """Two faults, each alone, have different fingerprints."""
    first, second = (fingerprint([fault], {}) for fault in FAULTS[:2])
    assert first != second


def test_row_tells_case_and_size_of_the_counterexample() -> None:
    """Two numbers are not zero, the one hidden unit is the largest size, one requirement fails."""
    assert measured(_caught(ReadsGatesAsIFOG)) == "2 | 2 | 1 | 1"


def test_matrix_has_a_character_for_each_verdict() -> None:
    """Passed, caught in case 12, hung, not applicable and not tried are told apart."""
    here = NAMED, "X", "cpu"
    verdicts = Passed(*here), Failed(*here, cases=12), TimedOut(*here), NotApplicable(*here), None
    assert "".join(map(character, verdicts)) == ".c!-?"
