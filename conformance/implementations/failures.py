"""How an implementation can fail a requirement: it answers wrongly, or it does not answer.

::

    Exception
      Mismatch        the answer is not what the requirement says
      Misbehaviour    it raised, or what it answered is no result
        NoAnswer      it did not answer in time
"""

from __future__ import annotations

import contextlib
import signal
import traceback
from collections.abc import Iterator

import numpy as np

from conformance.recording.steps import Comparison

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
"""What a refusal may be raised as: the types that PyTorch uses for wrong arguments."""


class Mismatch(Exception):
    """A result is not what a requirement says: what, where, got, should be, allowed.

    `what` names the array (``h_n``), `where` the element or is empty, `got` and `expected` are
    what the element is and should be, `allowed` is the bound on their distance where there is one.
    `arrays` are what a script needs to compare again, see
    :func:`conformance.recording.tape.compared`.
    """

    def __init__(
        self,
        what: str,
        where: str,
        got: str,
        expected: str,
        allowed: float | None = None,
        arrays: Comparison | None = None,
    ) -> None:
        self.what, self.where, self.got, self.expected = what, where, got, expected
        self.allowed = allowed
        self.arrays = arrays
        within = "" if allowed is None else f" ± {allowed:.3g}"
        super().__init__(f"{what}{where} = {got}, but should be {expected}{within}")


class Misbehaviour(Exception):
    """An implementation raised, or answered with something that is no result.

    Its text is shown in the verdict.
    """


class NoAnswer(Misbehaviour):
    """An implementation did not answer in time."""


@contextlib.contextmanager
def blamed() -> Iterator[None]:
    """Exceptions raised within are the implementation's: they become :class:`Misbehaviour`.

    Also those that no ``except Exception`` catches, but for the interrupt of the person who runs
    the suite. In a worker no person's interrupt arrives as an exception. What it makes NumPy raise
    or warn of ends with it, since what this suite computes next is not the implementation's.
    """
    try:
        with np.errstate():
            yield
    except (Mismatch, Misbehaviour):
        raise
    except BaseException as error:
        by_hand = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if isinstance(error, KeyboardInterrupt) and by_hand:
            raise
        traceback.clear_frames(error.__traceback__)  # gives back the memory that they hold
        raise Misbehaviour(f"raised {type(error).__name__}: {error}") from error
