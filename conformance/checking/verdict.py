"""The outcome of one requirement on one implementation and device.

::

    Verdict
      Passed            held on every case tried
      Failed            does not hold, with the smallest counterexample found
      Crashed           the implementation raised, or its process died
      TimedOut          the implementation did not answer in time
      Undecided         the time of the whole run was up first, or the smoke test failed
      NotApplicable     needs what the implementation does not support
      ExpectedFailure   does not hold, as was declared, for the declared reason
      UnexpectedPass    holds although a failure was declared
      FailedShould      does not hold, but does not decide what is an LSTM
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from conformance.checking.cells import Cells
from conformance.checking.counterexample import Counterexample
from conformance.recording.json import decode, encode

Key = tuple[str, str, str]
"""What a verdict is about: a requirement, an implementation and a device."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

PROPERTY = "lstm_conformance_verdict"
"""The name under which a verdict travels as a property of a pytest report."""


@dataclass(frozen=True)
class Use:
    """What was seen of an expected failure, an entry `at` a line of a file.

    Of the `cases` that the entry is about, `failed` ones failed as it says, others `otherwise`.
    """

    at: str
    cases: int = 0
    failed: int = 0
    otherwise: int = 0


@dataclass(frozen=True)
class Verdict:
    """What all verdicts have: the requirement, the implementation, the device, and the effort.

    `cases` counts the cases tried until the verdict stood, `cases_digest` is the SHA-256 of them
    (empty if a process died before it could tell), `largest_share` is the largest error
    seen as a share of its bound (None where nothing was measured), `shares` the same by dtype,
    `seconds` the time. `reproduction` is the folder with a script that shows the failure, where
    there is one, and `script` is its text, unless that is long.
    `figures` are numbers that were measured, in words, and `judged_by` those among them by which
    other requirements are judged. `units` are the largest errors of sigmoid and tanh by dtype, in
    unit roundoffs, where they were measured. `expectations` are the entries of expected failures
    that apply. `cells` are what the cases were, see :mod:`conformance.checking.cells`.
    """

    requirement: str
    implementation: str
    device: str
    cases: int = 0
    largest_share: float | None = None
    seconds: float = 0.0
    reason: str = ""
    counterexample: Counterexample | None = None
    reproduction: str = ""
    figures: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    cases_digest: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    script: str = ""
    cells: Cells = field(default_factory=dict)
    expectations: tuple[Use, ...] = ()

    outcome: ClassVar[str]
    conformant: ClassVar[bool]

    @property
    def key(self) -> Key:
        """What was decided."""
        return self.requirement, self.implementation, self.device

    @property
    def where(self) -> str:
        """The implementation and the device, in words."""
        return f"{self.implementation} on {self.device}"

    @property
    def share(self) -> float | None:
        """The largest share of the bound; None after a failure, before which it says little."""
        return None if self.fails else self.largest_share

    @property
    def fails(self) -> bool:
        """Whether the requirement does not hold, and nothing that is known excuses that."""
        return isinstance(self, (Failed, Crashed, TimedOut, FailedShould))

    @property
    def complete(self) -> bool:
        """Whether all cases were tried: no failure ended the search."""
        return isinstance(self, (Passed, ExpectedFailure, UnexpectedPass))

    @property
    def message(self) -> str:
        """What is wrong: the failure, or else the reason."""
        return self.counterexample.message if self.counterexample else self.reason

    @property
    def explained(self) -> bool:
        """Whether the verdict has a failure that its reader is to see."""
        return not self.conformant or isinstance(self, FailedShould)

    def to_json(self) -> dict[str, Any]:
        """Convert to a JSON object; :func:`from_json` is the inverse."""
        return {"outcome": self.outcome, **encode(self)}

    def lines(self) -> list[str]:
        """List what to show beside the outcome."""
        said = [self.reason] if self.reason else []
        said += self.counterexample.lines() if self.counterexample else []
        said += self.figures if self.explained else []
        said += [f"judged by: {', '.join(self.judged_by)}"] if self.judged_by else []
        return said + ([f"reproduction: {self.reproduction}"] if self.reproduction else [])


class Passed(Verdict):
    """The requirement held on every case tried."""

    outcome, conformant = "passed", True


class Failed(Verdict):
    """The requirement does not hold."""

    outcome, conformant = "failed", False


class Crashed(Verdict):
    """The implementation raised an exception, or its process died."""

    outcome, conformant = "crashed", False


class TimedOut(Verdict):
    """The implementation did not answer in time."""

    outcome, conformant = "timed out", False


class Undecided(Verdict):
    """There was no time, or the smoke test failed, which has its case.

    The time of the whole run was up first, or the machine did not give the process its time.
    """

    outcome, conformant = "undecided", False


class NotApplicable(Verdict):
    """The requirement needs what the implementation does not support."""

    outcome, conformant = "not applicable", True


class ExpectedFailure(Verdict):
    """The requirement does not hold, and a reason for that was declared."""

    outcome, conformant = "expected failure", True


class UnexpectedPass(Verdict):
    """The requirement holds although a failure was declared."""

    outcome, conformant = "unexpected pass", False


class FailedShould(Verdict):
    """The requirement does not hold, and is one that an LSTM should meet but need not."""

    outcome, conformant = "failed should", True


OUTCOMES: dict[str, type[Verdict]] = {kind.outcome: kind for kind in Verdict.__subclasses__()}
"""The verdicts by outcome."""


def grouped(items: Iterable[T], by: Callable[[T], K]) -> dict[K, list[T]]:
    """Return the items that have the same by `by`, in the order in which these come."""
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(by(item), []).append(item)
    return found


def by_target(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """Return the verdicts of each implementation and device."""
    return grouped(verdicts, lambda each: (each.implementation, each.device))


def by_reason(verdicts: Iterable[Verdict], kind: type[Verdict]) -> dict[str, list[str]]:
    """Return the names of the requirements with verdicts of a kind, by the reason."""
    found = grouped((each for each in verdicts if isinstance(each, kind)), lambda each: each.reason)
    return {reason: [each.requirement for each in same] for reason, same in found.items()}


def from_json(values: Mapping[str, Any]) -> Verdict:
    """Read the verdict that :meth:`Verdict.to_json` wrote.

    Raises :class:`KeyError` for an unknown outcome and :class:`ValueError` for other fields.
    """
    rest = {name: value for name, value in values.items() if name != "outcome"}
    return decode(OUTCOMES[values["outcome"]], rest)


def explained(verdicts: Iterable[Verdict]) -> tuple[dict[str, list[str]], list[Verdict]]:
    """Return what is undecided, by reason, and the other failures to be seen, musts first."""
    shown = [each for each in verdicts if each.explained]
    decided = [each for each in shown if not isinstance(each, Undecided)]
    return by_reason(shown, Undecided), sorted(decided, key=lambda each: each.conformant)
