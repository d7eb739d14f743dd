"""What it takes to be put under test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from reference import Case, Result
from strategies import Support


@runtime_checkable
class Implementation(Protocol):
    """An LSTM under test: its name, what it supports, and how one case is run.

    Requirements that need what `supports` lacks are not applicable. :meth:`run` computes one
    case from scratch, in eval mode, and returns NumPy arrays of the case's dtype in PyTorch's
    shapes and order. Whatever it raises becomes a verdict.
    """

    name: str
    supports: Support

    def run(self, case: Case) -> Result:
        """The implementation's own result for `case`."""
        ...


class Misbehaviour(Exception):
    """An implementation raised, or answered with something that is no result.

    Its text is shown in the verdict; `case` is the case it happened on.
    """

    def __init__(self, text: str, case: Case | None = None) -> None:
        super().__init__(text)
        self.case = case


@contextlib.contextmanager
def blamed(case: Case | None = None) -> Iterator[None]:
    """Exceptions raised within are the implementation's: they become :class:`Misbehaviour`."""
    try:
        yield
    except Misbehaviour:
        raise
    except (Exception, SystemExit) as error:
        raise Misbehaviour(f"raised {type(error).__name__}: {error}", case) from error


def run(implementation: Implementation, case: Case) -> Result:
    """``implementation.run(case)``, whose exceptions become :class:`Misbehaviour`."""
    with blamed(case):
        result = implementation.run(case)
    if not isinstance(result, Result):
        raise Misbehaviour(f"run() returned {type(result).__name__}, not a Result", case)
    return result
