"""The ways in which an implementation can fail a requirement: a wrong answer, or no answer.

::

    Exception
      Failure
        Mismatch            the answer is not what the requirement demands
          WrongElement      an element of an array is off by more than it may be
          WrongAttribute    an array has another shape or dtype, or is on another device
          NotRefused        an argument that makes no sense is not refused as it must be
            Accepted        such an argument is accepted without complaint
        Misbehaviour        there is no answer to compare
          Raised            the implementation raised an exception
          NoResult          the answer is not a result
          Died              its process ended
          NoAnswer          it did not answer in time
            Starved         its process was not given that time
          LostDevice        it left the device that it computed on unusable
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from conformance.errors import Interrupted
from conformance.implementations.lenient import lenient
from conformance.implementations.watching import raising_once
from conformance.recording.ending import Ending, unequal
from conformance.recording.steps import Comparison
from conformance.recording.text import line_of_code, place_of, text_of
from reference import Array

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)
"""The exceptions that count as a refusal: the types that PyTorch raises for wrong arguments."""


class Quantity(enum.Enum):
    """The kind of quantity in an array: a result of a call or part of one, a gradient, or other."""

    RESULT = "result"
    GRADIENT = "gradient"
    OTHER = "other"


class Failure(Exception):
    """A requirement that is not met.

    - `kind`: the way in which the requirement is not met, in a word or two;
    - `what`: the name of what is wrong, such as ``h_n``;
    - `where`: the index of the element that is wrong, the line that raised, or empty;
    - `got`, `expected`: what the value is, and what it should be, as text;
    - `allowed`: the bound on the distance between the two, or None;
    - `quantity`: the kind of quantity in the array that is wrong;
    - `ending`: the end of a script that shows the failure, or None if there is none.
    """

    kind = "failure"
    what = where = got = expected = ""
    allowed: float | None = None
    quantity = Quantity.OTHER
    ending: Ending | None = None


@dataclass(eq=False, repr=False)
class Mismatch(Failure):
    """A result that is not what a requirement demands; the fields are those of :class:`Failure`."""

    kind = "mismatch"
    what: str
    where: str
    got: str
    expected: str
    allowed: float | None = None
    ending: Ending | None = None

    def __str__(self) -> str:
        within = "" if self.allowed is None else f" ± {self.allowed:.3g}"
        return f"{self.what}{self.where} = {self.got}, but should be {self.expected}{within}"


@dataclass(eq=False, repr=False, kw_only=True)
class WrongElement(Mismatch):
    """An element that is further from its true value than is allowed.

    `arrays` is what a script needs to repeat the comparison, from
    :func:`conformance.recording.noting.compared`; `values` are the arrays themselves: got,
    expected, allowed.
    """

    kind = "wrong element"
    quantity: Quantity
    arrays: Comparison | None = None
    values: tuple[Array, Array, Array] | None = None


class WrongAttribute(Mismatch):
    """An array with a wrong ``shape``, ``dtype`` or ``device``, whichever `attribute` names.

    `got` and `expected` are tuples for a shape, and names for a dtype or device.
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
    """An argument that makes no sense and is refused, but not `by` an exception of these types."""

    kind = "refused otherwise"

    def __init__(
        self, what: str, got: str, *, by: tuple[type[BaseException], ...] = REFUSALS
    ) -> None:
        types = " or ".join(kind.__name__ for kind in by)
        super().__init__(what, "", got, f"refused by {types}" if types else "refused")


class Accepted(NotRefused):
    """An argument that makes no sense and is not refused at all."""

    kind = "accepted"

    def __init__(self, what: str, *, by: tuple[type[BaseException], ...] = REFUSALS) -> None:
        super().__init__(what, "accepted", by=by)


class Misbehaviour(Failure):
    """A call that gives no answer to compare; the text, `message`, describes what happened."""

    kind = "misbehaviour"

    def __init__(self, message: str, ending: Ending | None = None) -> None:
        super().__init__(message)
        self.ending = ending


class Raised(Misbehaviour):
    """A call that raised `error`: `what` names its type with its module, `where` the line."""

    kind = "raised"

    def __init__(self, error: BaseException) -> None:
        self.what, self.where = place_of(type(error)), line_of_code(error)
        super().__init__(f"raised {self.what}: {text_of(error)}")
        self.error = error

    def by(self, *kinds: type[BaseException]) -> bool:
        """Return whether the exception is one of these `kinds`, whatever it says that it is."""
        return issubclass(type(self.error), kinds)


class NoResult(Misbehaviour):
    """An answer that is not a result."""

    kind = "no result"


class Died(Misbehaviour):
    """The end of the process that the implementation runs in."""

    kind = "died"


class NoAnswer(Misbehaviour):
    """An implementation did not answer in time."""

    kind = "no answer"


class Starved(NoAnswer):
    """An implementation did not answer, but its process was not given the time that it may take."""

    kind = "no time"


class LostDevice(Misbehaviour):
    """An implementation left a device unusable for everything that follows in its process."""

    kind = "lost device"


KINDS = (
    *(kind.kind for kind in (Mismatch, WrongElement)),
    *(f"wrong {attribute}" for attribute in WrongAttribute.READ),
    *(kind.kind for kind in (NotRefused, Accepted, Misbehaviour, Raised, NoResult)),
    *(kind.kind for kind in (Died, NoAnswer, LostDevice)),
)
"""The kinds of failures, as a report and a file of expected failures have them."""


def by_hand(error: BaseException) -> bool:
    """Return whether `error` is Ctrl-C by the person who runs the suite, as far as that shows."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return heard and issubclass(type(error), KeyboardInterrupt)


@contextlib.contextmanager
def blamed() -> Iterator[None]:
    """Turn every exception within the context, the implementation's own, into :class:`Raised`.

    That includes ``SystemExit`` and ``KeyboardInterrupt``, except for Ctrl-C by the person who runs
    the suite, a signal that ends the run, and the exceptions with which pytest and Hypothesis skip,
    stop or reject. In a worker process, Ctrl-C does not arrive as an exception, so an interrupt
    there is the implementation's. Everything of an implementation is called, read and converted in
    this :func:`lenient` context, with which a child ends that the implementation has forked.
    """
    process = os.getpid()
    try:
        with lenient(), raising_once():
            yield
    except Failure as failure:
        if type(failure).__module__ != __name__:  # a class of its own, which may do anything
            raise Raised(failure) from failure
        raise
    except BaseException as error:
        if isinstance(error, Interrupted) or by_hand(error):
            raise
        traceback.clear_frames(sys.exc_info()[2])  # gives back the memory that they hold
        raise Raised(error) from error
    finally:
        if os.getpid() != process:
            os._exit(0)
