"""The options of a run, without a run."""

import argparse
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.running import options
from conformance.running.options.option import PYTEST


def config(**changed: Any) -> Any:
    """What the functions ask of a configuration: the defaults, with these options changed."""
    parser = argparse.ArgumentParser()
    options.add(parser.add_argument, PYTEST)
    values = parser.parse_args(["--lstm=torch.nn.LSTM", "--lstm-seed=3"])
    made = {"lstm_deadline": None, "lstm_journal": None, "lstm_budget_end": None}
    resumed: dict[str, Any] = {"lstm_resumed": [], "lstm_circumstances": {}}
    vars(values).update({**made, **resumed, **changed})
    return SimpleNamespace(option=values, getoption=vars(values).__getitem__, stash=pytest.Stash())
