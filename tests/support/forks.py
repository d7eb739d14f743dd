"""A requirement to be decided in a fork, on an LSTM of ours to which something happens."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import Budget
from conformance.reproductions.record import Subject
from conformance.requirements import REQUIREMENTS
from conformance.running.isolated import Task
from reference import Case, Result
from tests.support.cases import RoundedReference

CLAIM = REQUIREMENTS["results_match_reference"]


def in_two_layers(happens: Any) -> RoundedReference:
    """An LSTM of ours to which something happens where it has two layers."""

    def change(case: Case, result: Result) -> Result:
        return happens(result) if case.configuration.num_layers == 2 else result

    return RoundedReference(change)


def task(lstm: Any, root: Path) -> Task:
    """What is to be decided on `lstm`."""
    subject = Subject(CLAIM.name, "mine", "cpu", str(root), "command")
    return Task(CLAIM, lstm, "cpu", Budget(20, 3), True, subject, root, None)


def negates(result: Result) -> Result:
    """Negate h_n."""
    return replace(result, h_n=-result.h_n)
