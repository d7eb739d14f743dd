"""Tools that watch Python code from within it, and raise exceptions there."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any


@contextlib.contextmanager
def raising_once() -> Iterator[None]:
    """Let a tool of ``sys.monitoring`` whose callback raises an exception see nothing after that.

    So it is with trace functions. A tool sees every line of the process: where it raises in each of
    them, nothing can be caught, nor taken away from it, and the process ends. Holds for callbacks
    that are registered within the context.
    """
    monitoring: Any = getattr(sys, "monitoring", None)  # since Python 3.12
    register = getattr(monitoring, "register_callback", None)
    if register is None or hasattr(register, "__wrapped__"):
        yield
        return

    @wraps(register)
    def registered(tool: int, event: int, function: Callable[..., Any] | None) -> Any:
        return register(tool, event, None if function is None else _once(function))

    monitoring.register_callback = registered
    try:
        yield
    finally:
        monitoring.register_callback = register


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback that does nothing any more once `function` has raised an exception."""
    raised = False

    def callback(*what: Any) -> Any:
        nonlocal raised
        if raised:
            return None
        try:
            return function(*what)
        except BaseException:
            raised = True
            raise

    return callback
