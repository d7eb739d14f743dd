"""Requirements on constructors: impossible arguments are refused."""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.checking.requirement import requirement
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.errors import SMALL_CASES
from conformance.requirements.helpers.needs import and_also, supporting, torch_module
from conformance.requirements.helpers.refusals import refused
from reference import Case, Configuration


def _refuses(
    implementation: TorchModule, case: Case, name: str, value: Any, given: str = ""
) -> None:
    """Check that a module with `value` for the option `name` cannot be constructed."""
    options = {**vars(case.configuration), name: value}
    construct = partial(implementation.construct, Configuration.unchecked(**options))
    refused(f"{name}={value}{given}", construct)


@requirement(
    source="torch.nn.LSTM documentation: input_size, hidden_size and num_layers are numbers of "
    "things",
    applies=torch_module,
    **SMALL_CASES,
    should=True,
)
def sizes_that_are_not_positive_are_refused(implementation: TorchModule, case: Case) -> None:
    """A hidden_size or num_layers below 1 is refused, and so is a negative input_size."""
    options = [("hidden_size", 0), ("hidden_size", -1), ("input_size", -1)]
    if implementation.supports.max_layers > 1:
        options += [("num_layers", 0), ("num_layers", -1)]
    for name, value in options:
        _refuses(implementation, case, name, value)


@requirement(
    source="torch.nn.LSTM documentation, dropout: a probability",
    applies=and_also(torch_module, supporting(lambda each: each.dropout, "does not take dropout")),
    **SMALL_CASES,
    should=True,
)
def impossible_dropout_is_refused(implementation: TorchModule, case: Case) -> None:
    """A dropout below 0 or above 1 is refused."""
    for value in (-0.1, 1.1):
        _refuses(implementation, case, "dropout", value)


@requirement(
    source="torch.nn.LSTM documentation, proj_size: it has to be smaller than hidden_size",
    applies=torch_module,
    **{**SMALL_CASES, "projection": True},
    should=True,
)
def impossible_projection_is_refused(implementation: TorchModule, case: Case) -> None:
    """A proj_size that is negative, or not smaller than hidden_size, is refused."""
    size = case.configuration.hidden_size
    for value in (-1, size, size + 1):
        _refuses(implementation, case, "proj_size", value, f" with hidden_size={size}")
