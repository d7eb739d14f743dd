"""Entries of expected failures, and what the tests decide with them."""

from collections.abc import Callable
from typing import Any

from conformance import Budget, Implementation, Requirement, Verdict, check
from conformance.checking.expectations.applying import applied
from conformance.checking.expectations.expectation import Applied, Expectation
from conformance.implementations.failures import Accepted, Failure
from reference import Case, Configuration, Result
from strategies import Support
from tests.support.cases import random_case

REQUIREMENT, NAME, DEVICE = HERE = ("it_holds", "mine", "cpu")
CASE = random_case(Configuration(2, 3))


def entry(**changed: Any) -> Expectation:
    """An entry of HERE: that a size is accepted."""
    fields = {"requirement": REQUIREMENT, "reason": "it is known", "kind": "accepted"}
    return Expectation(**{"at": "mine.toml:1", **fields, "what": "a size", **changed})


def here(*entries: Expectation) -> list[Applied]:
    """The entries, as they apply."""
    return [Applied(each, NAME, DEVICE) for each in entries]


class Mine:
    """An implementation that takes everything, and is never run."""

    name = NAME

    def __init__(self, version: str = "", **supports: Any) -> None:
        self.version = version
        self.supports = Support(**supports)

    def run(self, case: Case) -> Result:
        raise AssertionError("only the requirement is asked")


class Failing:
    """A requirement's body that fails on the cases for which `fails` returns a failure."""

    def __init__(self, fails: Callable[[Case], Failure | None]) -> None:
        self.fails = fails
        self.tried: list[Case] = []

    def __call__(self, implementation: Implementation, case: Case) -> None:
        self.tried.append(case)
        failure = self.fails(case)
        if failure is not None:
            raise failure


def size_accepted(_: Case) -> Failure | None:
    return Accepted("a size")


def decided(
    fails: Callable[[Case], Failure | None],
    *entries: Expectation,
    supports: dict[str, Any] | None = None,
    **how: Any,
) -> tuple[Verdict, Failing]:
    """The verdict of a requirement that `fails`, and what was tried."""
    body = Failing(fails)
    options = {name: how.pop(name) for name in ("should", "by_dtype") if name in how}
    requirement = Requirement(REQUIREMENT, "It holds.", "nobody", "core", body, **options)
    mine = Mine(**(supports or {}))
    found, _ = applied(entries, mine, [DEVICE])
    budget = Budget(40, 5, shrink_seconds=1.0)
    return check(requirement, mine, DEVICE, budget, expected=found, **how), body
