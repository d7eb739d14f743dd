"""A tool that watches code and raises exceptions in it gets a verdict, and ends nothing."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from conformance import Budget, Case, Crashed, Result, check
from conformance.implementations.failures import blamed
from conformance.requirements import REQUIREMENTS
from tests.support.cases import RoundedReference


class Watcher(RoundedReference):
    """Is right, and then watches all that runs, by a tool that raises exceptions."""

    def __init__(self, watch: Callable[[Callable[..., Any]], object]) -> None:
        super().__init__()
        self.watch = watch

    def run(self, case: Case) -> Result:
        answer = super().run(case)
        self.watch(raises)
        return answer


def raises(*_: object) -> None:
    raise ValueError("no")


def monitor(callback: Callable[..., Any]) -> None:
    tools: Any = sys.monitoring  # type: ignore[attr-defined]
    if tools.get_tool(3) is None:
        tools.use_tool_id(3, "theirs")
    for event in (tools.events.LINE, tools.events.PY_RETURN, tools.events.CALL):
        tools.register_callback(3, event, callback)
        tools.set_events(3, tools.get_events(3) | event)


WATCHES = [sys.settrace, sys.setprofile, *([monitor] if sys.version_info >= (3, 12) else [])]


@pytest.mark.parametrize("watch", WATCHES)
def test_tool_that_raises_everywhere_is_a_verdict(watch: Any) -> None:
    """In the very process that decides, which goes on."""
    before = sys.gettrace(), sys.getprofile()
    claim = REQUIREMENTS["results_match_reference"]
    verdict = check(claim, Watcher(watch), budget=Budget(10, 1, shrink_seconds=1.0))
    assert isinstance(verdict, Crashed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.message == "raised ValueError: no"
    assert (sys.gettrace(), sys.getprofile()) == before


def test_callback_that_has_raised_is_not_called_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are, and what they return counts; none is taken back by None, as ever."""
    registered: dict[tuple[int, int], Any] = {}

    def register_callback(tool: int, event: int, function: Any) -> None:
        registered[tool, event] = function

    tools = SimpleNamespace(register_callback=register_callback)
    monkeypatch.setattr(sys, "monitoring", tools, raising=False)
    calls: list[int] = []

    def fails(number: int) -> None:
        calls.append(number)
        raise ValueError("no")

    with blamed():
        tools.register_callback(3, 1, fails)
        tools.register_callback(3, 2, lambda number: number + 1)
        with blamed():
            tools.register_callback(3, 4, None)
    assert tools.register_callback is register_callback
    with pytest.raises(ValueError, match="no"):
        registered[3, 1](7)
    assert registered[3, 1](8) is None
    assert calls == [7]
    assert registered[3, 2](7) == 8
    assert registered[3, 4] is None
