"""Checks that a wrong call is refused, and that the right call works afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.checking.comparison import against_reference, agree, plus
from conformance.checking.devices import left_usable
from conformance.checking.truth import truth
from conformance.implementations.failures import (
    REFUSALS,
    Accepted,
    LostDevice,
    Misbehaviour,
    NoAnswer,
    NoResult,
    NotRefused,
    Raised,
    blamed,
)
from conformance.implementations.implementation import Implementation, answer
from conformance.implementations.torch_module import is_torch_module
from conformance.recording.noting import attempted
from conformance.recording.text import kind_of
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.helpers.torch_only import to_tensor
from reference import Case, Result

Spoil = Callable[[Any, Any, Any], tuple[Any, Any]]
"""From input, h_0 and c_0 to a spoiled input and pair of states, or None in its place."""


def refused(what: str, call: Callable[[], Any], device: str = "cpu") -> None:
    """`call` must raise one of :data:`REFUSALS`, and `device` must work afterwards.

    An error on a CUDA device that is for good was not raised to refuse anything.
    """
    try:
        with left_usable(device, what), blamed(), attempted():
            call()
    except LostDevice:
        raise
    except NoResult:  # an answer, if no right one
        raise Accepted(what) from None
    except Misbehaviour as misbehaviour:
        if isinstance(misbehaviour, Raised) and not misbehaviour.by(*REFUSALS):
            raise NotRefused(what, f"raised {kind_of(misbehaviour.error)}") from misbehaviour
        return
    raise Accepted(what)


def call_refused(
    implementation: Implementation,
    case: Case,
    what: str,
    spoil: Spoil,
) -> float:
    """A call with spoiled input and states is refused; then the right call gives what it gave.

    A new module computes rightly, too. An implementation that is not a torch module may raise
    whatever it likes, and has to answer rightly afterwards.
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
    refused(what, lambda: implementation.call_with(session.module, case, x, states), case.device)
    return works_as_before(session, before)


def works_as_before(session: Any, before: Result) -> float:
    """The module of `session` gives what it gave `before`, and a new one is right."""
    bound = truth(session.case, session.implementation).bound
    agree(session.run(session.case), before, plus(bound, bound))
    return against_reference(session.implementation, session.case)


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
        with left_usable(case.device, what), attempted():
            answer(implementation, spoiled)
    except (NoAnswer, LostDevice):
        raise
    except Misbehaviour:
        return against_reference(implementation, case)
    raise Accepted(what, by=())
