"""Verdicts, and how they are written down and read back."""

import json
from dataclasses import FrozenInstanceError

import pytest

from conformance.checking.counterexample import Counterexample
from conformance.checking.verdict import OUTCOMES, Failed, Passed, Verdict, from_json

COUNTEREXAMPLE = Counterexample(
    case="<LSTM 1->1>",
    message="h_n[0] = 1.0, but should be 0.0 ± 0.1",
    tensors={"weight_ih_l0": [[1.0], [0.0]], "input": [[0.0]]},
    what="h_n",
    where="[0]",
    got="1.0",
    expected="0.0",
    allowed=0.1,
)


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("counterexample", [None, COUNTEREXAMPLE])
def test_verdict_survives_json(outcome: str, counterexample: Counterexample | None) -> None:
    """Written as JSON text and read back, a verdict of any kind is the same."""
    verdict = OUTCOMES[outcome]("h_n", "mine", "cpu", 7, 0.25, 1.5, "because", counterexample)
    back = from_json(json.loads(json.dumps(verdict.to_json())))
    assert type(back) is type(verdict)
    assert back == verdict


def test_verdict_survives_json_with_defaults() -> None:
    """A verdict that measured nothing reads back as such."""
    verdict = Passed("shapes", "mine", "cpu")
    assert verdict.to_json()["largest_share"] is None
    assert from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_from_json_refuses_unknown_outcomes() -> None:
    """A report of another kind is not read as if it were one."""
    with pytest.raises(KeyError):
        from_json({**Passed("r", "i", "cpu").to_json(), "outcome": "fine"})


def test_outcomes_name_every_kind_of_verdict() -> None:
    """Each subclass has an outcome of its own and can be read back."""
    own = {kind for kind in Verdict.__subclasses__() if kind.__module__ == Verdict.__module__}
    assert set(OUTCOMES.values()) == own
    assert len(OUTCOMES) == 9


def test_outcomes_that_are_conformant() -> None:
    """Only what held, was not asked for, was declared or need not hold is conformant."""
    conformant = {outcome for outcome, kind in OUTCOMES.items() if kind.conformant}
    assert conformant == {"passed", "not applicable", "expected failure", "failed should"}


def test_verdict_is_frozen() -> None:
    """A verdict cannot be changed once given."""
    with pytest.raises(FrozenInstanceError):
        Failed("r", "i", "cpu").reason = "another"  # type: ignore[misc]


def test_verdict_lines_show_the_counterexample() -> None:
    """The reason, the message, the case and its tensors; zeros are only named."""
    verdict = Failed("r", "i", "cpu", reason="why", counterexample=COUNTEREXAMPLE)
    assert verdict.lines() == [
        "why",
        "h_n[0] = 1.0, but should be 0.0 ± 0.1",
        "in <LSTM 1->1>",
        "  weight_ih_l0 = [[1.0], [0.0]]",
        "  all zero: input",
    ]
    assert Passed("r", "i", "cpu").lines() == []


def test_verdict_lines_leave_out_large_tensors() -> None:
    """Of a tensor with very many numbers the terminal shows how many."""
    large = Counterexample("case", "message", {"input": [[1.0] * 33] * 10})
    assert large.lines()[2:] == ["  input: 330 numbers"]
