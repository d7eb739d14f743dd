"""How an implementation can fail a requirement: it answers wrongly, or it does not answer.

::

    Exception
      Failure
        Mismatch            the answer is not what the requirement says
          WrongElement      an element of an array is off by more than it may be
          WrongAttribute    an array has another shape or dtype, or is on another device
          NotRefused        what makes no sense is not refused as it must be
            Accepted        it is taken without complaint
        Misbehaviour        there is no answer to look at
          Raised            the implementation raised
          NoResult          what it answered is not a result
          Died              its process ended
          NoAnswer          it did not answer in time
"""

from __future__ import annotations

import contextlib
import enum
import signal
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from conformance.recording.ending import Ending, unequal
from conformance.recording.steps import Comparison

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
"""What a refusal may be raised as: the types that PyTorch uses for wrong arguments."""


class Quantity(enum.Enum):
    """What an array holds: a result of a call, or part of one; a gradient; anything else."""

    RESULT = "result"
    GRADIENT = "gradient"
    OTHER = "other"


class Failure(Exception):
    """How a requirement is not met.

    `kind` says it in a word or two. `what` names what is wrong (``h_n``), `where` the element or
    is empty, `got` and `expected` are what it is and should be, `allowed` is the bound on their
    distance where there is one. `quantity` is what the array that is wrong holds. `ending` ends a
    script that shows the failure, None where that has not been written.
    """

    kind = "failure"
    what = where = got = expected = ""
    allowed: float | None = None
    quantity = Quantity.OTHER
    ending: Ending | None = None


class Mismatch(Failure):
    """A result is not what a requirement says: what, where, got, should be, allowed."""

    kind = "mismatch"

    def __init__(
        self,
        what: str,
        where: str,
        got: str,
        expected: str,
        allowed: float | None = None,
        ending: Ending | None = None,
    ) -> None:
        super().__init__(what, where, got, expected, allowed)
        self.what, self.where, self.got, self.expected = what, where, got, expected
        self.allowed, self.ending = allowed, ending

    def __str__(self) -> str:
        within = "" if self.allowed is None else f" ± {self.allowed:.3g}"
        return f"{self.what}{self.where} = {self.got}, but should be {self.expected}{within}"


class WrongElement(Mismatch):
    """An element is further from what it should be than is allowed.

    `arrays` are what a script needs to compare again, see
    :func:`conformance.recording.tape.compared`.
    """

    kind = "wrong element"

    def __init__(
        self,
        what: str,
        where: str,
        got: str,
        expected: str,
        allowed: float,
        *,
        quantity: Quantity,
        arrays: Comparison | None = None,
        ending: Ending | None = None,
    ) -> None:
        super().__init__(what, where, got, expected, allowed, ending)
        self.quantity, self.arrays = quantity, arrays


class WrongAttribute(Mismatch):
    """`array`, called `name`, has another ``shape``, ``dtype`` or ``device`` than it should have.

    A shape is given as a tuple, the others by their names.
    """

    READ: ClassVar = {
        "shape": "tuple({it}.shape)",
        "dtype": "str({it}.dtype).removeprefix('torch.')",
        "device": "str({it}.device)",
    }

    def __init__(
        self, name: str, attribute: str, got: object, expected: object, array: Any
    ) -> None:
        self.kind = f"wrong {attribute}"
        shown = unequal(self.READ[attribute], expected, it=array)
        super().__init__(f"{name}.{attribute}", "", str(got), str(expected), ending=shown)


class NotRefused(Mismatch):
    """What makes no sense is refused in another way than `by` raising one of these types."""

    kind = "refused otherwise"

    def __init__(
        self, what: str, got: str, *, by: tuple[type[BaseException], ...] = REFUSALS
    ) -> None:
        types = " or ".join(kind.__name__ for kind in by)
        super().__init__(what, "", got, f"refused by {types}" if types else "refused")


class Accepted(NotRefused):
    """What makes no sense is not refused at all."""

    kind = "accepted"

    def __init__(self, what: str, *, by: tuple[type[BaseException], ...] = REFUSALS) -> None:
        super().__init__(what, "accepted", by=by)


class Misbehaviour(Failure):
    """An implementation did something else than to answer; the text says what."""

    kind = "misbehaviour"

    def __init__(self, told: str, ending: Ending | None = None) -> None:
        super().__init__(told)
        self.ending = ending


class Raised(Misbehaviour):
    """An implementation raised `error`."""

    kind = "raised"

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"raised {type(error).__name__}: {error}")
        self.error = error


class NoResult(Misbehaviour):
    """An implementation answered with something that is not a result."""

    kind = "no result"


class Died(Misbehaviour):
    """The process of an implementation ended."""

    kind = "died"


class NoAnswer(Misbehaviour):
    """An implementation did not answer in time."""

    kind = "no answer"


def filter_warnings(filters: Sequence[Any]) -> None:
    """Put `filters` in the place of ``warnings.filters``."""
    warnings.resetwarnings()
    warnings.filters[:] = filters  # type: ignore[index]


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Let a warning be a warning within, and a floating-point flag at most that.

    Whether one comes depends on the machine: NumPy's product with an infinity sets the flag
    `invalid` on some processors only. So neither ends what computes the right numbers, also where
    the process has warnings raised, as ``pytest -W error`` does, or has called ``np.seterr``. What
    the code within sets to raise does raise. Its filters of warnings outlive the context, for
    others to find; its settings of NumPy do not.
    """
    raising = [each for each in warnings.filters if each[0] == "error"]
    warning = [("default", *each[1:]) for each in raising]
    _exchange(raising, warning)
    try:
        with np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"):
            yield
    finally:
        _exchange(warning, raising)


def _exchange(these: list[Any], those: list[Any]) -> None:
    """Put `those` in the places that `these` very filters have among the filters of warnings."""
    if these:
        stead = {id(this): that for this, that in zip(these, those, strict=True)}
        filter_warnings([stead.get(id(each), each) for each in warnings.filters])


@contextlib.contextmanager
def blamed() -> Iterator[None]:
    """Exceptions raised within are the implementation's: they become :class:`Raised`.

    Also those that no ``except Exception`` catches, but for the interrupt of the person who runs
    the suite. In a worker no person's interrupt arrives as an exception. The context is
    :func:`lenient` too, as no warning is a failure.
    """
    try:
        with lenient():
            yield
    except Failure:
        raise
    except BaseException as error:
        by_hand = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if isinstance(error, KeyboardInterrupt) and by_hand:
            raise
        traceback.clear_frames(error.__traceback__)  # gives back the memory that they hold
        raise Raised(error) from error
