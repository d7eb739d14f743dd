"""One requirement, decided for whatever is given for an LSTM."""

from __future__ import annotations

from typing import Any, cast

from conformance.checking.budget import DEFAULT, Budget
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.errors import unknown
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import is_function, is_module
from conformance.inference.taking import Target, take
from conformance.requirements import REQUIREMENTS
from conformance.running import deciding


def check(
    requirement: Requirement | str,
    target: Target,
    device: str = "cpu",
    budget: Budget = DEFAULT,
    **more: Any,
) -> Verdict:
    """Draw cases until the requirement fails or the budget is spent; never raises for a failure.

    - `requirement`: one of :data:`conformance.REQUIREMENTS`, or its name
    - `target`: an LSTM, by name or as a class, module, function or implementation
    - `device`: the device to compute on
    - `budget`: how many cases are drawn, from which seed
    - `more`: `before`, `keep`, `strict` and `expected`, see
      :func:`conformance.running.deciding.check`

    This happens in this process, and without a limit of time. Raises
    :class:`~conformance.UsageError` for an unknown requirement, and for what is not an LSTM.
    """
    if isinstance(requirement, str):
        if requirement not in REQUIREMENTS:
            raise unknown("requirement", requirement, REQUIREMENTS)
        requirement = REQUIREMENTS[requirement]
    to_take = is_module(target) or is_function(target) or issubclass(type(target), (str, type))
    # what an object declares is looked at by the check: what it raises then is a verdict
    implementation = take(target).implementation if to_take else cast(Implementation, target)
    return deciding.check(requirement, implementation, device, budget, **more)
