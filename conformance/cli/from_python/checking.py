"""One requirement, decided for whatever is given for an LSTM."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.checking.budget import DEFAULT, Budget
from conformance.checking.engine import Announce
from conformance.checking.expectations.expectation import Applied
from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.errors import unknown
from conformance.inference.taking import Target, implementation_of
from conformance.requirements import REQUIREMENTS
from conformance.running import deciding


def check(
    requirement: Requirement | str,
    target: Target,
    device: str = "cpu",
    budget: Budget = DEFAULT,
    before: Announce | None = None,
    keep: Callable[[Finding], None] = lambda _: None,
    strict: bool = True,
    expected: Sequence[Applied] | None = None,
) -> Verdict:
    """Draw cases until the requirement fails or the budget is spent; never raises for a failure.

    - `requirement`: one of :data:`conformance.REQUIREMENTS`, or its name
    - `target`: an LSTM, by name or as a class, module, function or implementation
    - `device`: the device to compute on
    - `budget`: how many cases are drawn, from which seed
    - `before`, `keep`: see :func:`conformance.running.deciding.check`
    - `strict`: whether a requirement that an LSTM should meet, but need not, can fail
    - `expected`: the failures that are expected, by default the known faults of PyTorch that apply

    This happens in this process, and without a limit of time. Raises
    :class:`~conformance.UsageError` for an unknown requirement, and for what is not an LSTM.
    """
    if isinstance(requirement, str):
        if requirement not in REQUIREMENTS:
            raise unknown("requirement", requirement, REQUIREMENTS)
        requirement = REQUIREMENTS[requirement]
    implementation = implementation_of(target)
    return deciding.check(
        requirement, implementation, device, budget, before, keep, strict, expected
    )
