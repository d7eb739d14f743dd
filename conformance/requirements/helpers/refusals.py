"""Checks that a wrong call is refused, and that the right call works afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.checking.comparison import agree, nothing
from conformance.implementations.failures import (
    REFUSALS,
    Accepted,
    Misbehaviour,
    NoAnswer,
    NotRefused,
    Raised,
    blamed,
)
from conformance.implementations.implementation import Implementation, answer, run
from conformance.implementations.torch_module import is_torch_module
from conformance.recording.tape import attempted
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.helpers.torch_only import to_tensor
from reference import Case

Spoil = Callable[[Any, Any, Any], tuple[Any, Any]]
"""From input, h_0 and c_0 to a spoiled input and pair of states, or None in its place."""


def refused(what: str, call: Callable[[], Any]) -> None:
    """`call` must raise one of :data:`REFUSALS`."""
    try:
        with blamed(), attempted():
            call()
    except Misbehaviour as misbehaviour:
        if isinstance(misbehaviour, Raised) and not isinstance(misbehaviour.error, REFUSALS):
            raised = f"raised {type(misbehaviour.error).__name__}"
            raise NotRefused(what, raised) from misbehaviour.error
        return
    raise Accepted(what)


def call_refused(
    implementation: Implementation,
    case: Case,
    what: str,
    spoil: Spoil,
) -> float:
    """A call with spoiled input and states is refused; then the right call gives what it gave.

    An implementation that is no torch module may raise whatever it likes, and has to answer again.
    """
    if not is_torch_module(implementation):
        return _run_refused(implementation, case, what, spoil)
    session = session_of(implementation, case)
    before = session.run(case)
    x = to_tensor(case.input, case.device)
    h_0, c_0 = (
        (None, None)
        if case.h_0 is None or case.c_0 is None
        else (to_tensor(case.h_0, case.device), to_tensor(case.c_0, case.device))
    )
    x, states = spoil(x, h_0, c_0)
    refused(what, lambda: implementation.call_with(session.module, case, x, states))
    return agree(session.run(case), before, nothing(before))


def _run_refused(
    implementation: Implementation,
    case: Case,
    what: str,
    spoil: Spoil,
) -> float:
    x, states = spoil(case.input, case.h_0, case.c_0)
    h_0, c_0 = states or (None, None)
    spoiled = Case.unchecked(**{**vars(case), "input": x, "h_0": h_0, "c_0": c_0})
    try:
        with attempted():
            answer(implementation, spoiled)
    except NoAnswer:
        raise
    except Misbehaviour:
        run(implementation, case)
        return 0.0
    raise Accepted(what, by=())
