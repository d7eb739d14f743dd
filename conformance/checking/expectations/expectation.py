"""An expected failure as an entry of a file has it, and as it applies to one implementation."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import eq

from packaging.specifiers import SpecifierSet

from conformance.implementations.failures import Died, Failure, LostDevice, NoAnswer
from conformance.recording.text import text_of
from reference import Case

EITHER: Mapping[str, Callable[[Case], bool]] = {
    "bias": lambda case: case.configuration.bias,
    "batch_first": lambda case: case.configuration.batch_first,
    "bidirectional": lambda case: case.configuration.bidirectional,
    "projection": lambda case: case.configuration.proj_size > 0,
    "dropout": lambda case: case.configuration.dropout > 0,
    "lengths": lambda case: case.lengths is not None,
    "states": lambda case: case.h_0 is not None,
    "batched": lambda case: case.batched,
}
"""The conditions on a case that hold or do not."""
SIZES: Mapping[str, Callable[[Case], int]] = {
    "input_size": lambda case: case.configuration.input_size,
    "hidden_size": lambda case: case.configuration.hidden_size,
    "num_layers": lambda case: case.configuration.num_layers,
    "seq_len": lambda case: case.seq_len,
    "batch_size": lambda case: case.batch_size,
}
"""The conditions on a case that are ranges of a size."""
YES, NO = "true", "false"


@dataclass(frozen=True)
class Expectation:
    """A requirement that is known not to hold, for a `reason`, to which a `link` may lead.

    - `at`: file and line of the entry
    - `kind`, `what`: those of the :class:`~conformance.implementations.failures.Failure`, and
      `message` a part of its text; an empty one can be anything
    - `script`: a script that shows the failure of torch's own LSTM; empty if there is none
    - `certain`: whether the failure occurs in every run, unlike a read beyond an array
    - `shipped`: whether the entry is one of this project's known faults of PyTorch

    The others are conditions, and hold for everything if they are empty: names of
    `implementation`, in which ``*`` stands for any text; ranges of the `version` of the
    implementation and of `torch`; the `device`, of which ``cuda`` is each; the `dtype`; the
    `platform`, as ``sys.platform`` names it; `cudnn`, :data:`YES`, :data:`NO` or a range; and what
    :data:`EITHER` and :data:`SIZES` say of a `case`, :data:`YES`, :data:`NO` or a range by name.
    """

    at: str
    requirement: str
    reason: str
    link: str = ""
    kind: str = ""
    what: str = ""
    message: str = ""
    script: str = ""
    certain: bool = True
    shipped: bool = False
    implementation: tuple[str, ...] = ()
    version: str = ""
    torch: str = ""
    device: tuple[str, ...] = ()
    dtype: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    cudnn: str = ""
    case: Mapping[str, str] = field(default_factory=dict)

    @property
    def ends_process(self) -> bool:
        """Whether no other case can be counted on after the failure."""
        return self.kind in (Died.kind, NoAnswer.kind, LostDevice.kind)

    def covers(self, case: Case) -> bool:
        """Return whether the failure is expected of this case."""
        if self.dtype and case.dtype.name not in self.dtype:
            return False
        return all(_meets(case, name, wanted) for name, wanted in self.case.items())

    def is_of(self, failure: Failure) -> bool:
        """Return whether `failure` is the expected one."""
        same = self.kind in ("", failure.kind) and self.what in ("", text_of(failure.what))
        return same and self.message in text_of(failure)

    def includes(self, other: Expectation) -> bool:
        """Return whether this entry expects all that `other` does, so that `other` adds nothing.

        Of two ranges this is known only if they are the same.
        """
        pairs = ((getattr(self, name), getattr(other, name)) for name in RANGES)
        return (
            all(mine in ("", theirs) for mine, theirs in pairs)
            and self.message in other.message
            and (self.certain or not other.certain)
            and all(
                _holds(getattr(self, name), getattr(other, name), LISTS[name]) for name in LISTS
            )
            and self.case.items() <= other.case.items()
        )

    def expected(self) -> str:
        """Describe the expected failure in a few words."""
        parts = [self.kind, self.what, repr(self.message) if self.message else ""]
        return ", ".join(filter(None, parts))


def is_named(name: str, pattern: str) -> bool:
    """Return whether `name` is of the `pattern`, in which ``*`` stands for any text."""
    return name == pattern or fnmatchcase(name, pattern)


def _is_any_of(pattern: str, other: str) -> bool:
    """Return whether all that is of the `pattern` is of the `other`, as far as that is known."""
    alone = {*pattern}.isdisjoint("*?[")
    return other in (pattern, "*") or (alone and is_named(pattern, other))


def _is_device(name: str, other: str) -> bool:
    return other in (name, name.partition(":")[0])


RANGES = ("requirement", "kind", "what", "version", "torch", "cudnn")
"""The keys that hold for everything, or for what they name."""
LISTS: Mapping[str, Callable[[str, str], bool]] = {
    "implementation": _is_any_of,
    "device": _is_device,
    "dtype": eq,
    "platform": eq,
}
"""The keys that hold for everything or list names, and whether one name is of another."""


def _holds(mine: Sequence[str], theirs: Sequence[str], is_of: Callable[[str, str], bool]) -> bool:
    return not mine or (bool(theirs) and all(any(is_of(x, y) for y in mine) for x in theirs))


def _meets(case: Case, name: str, wanted: str) -> bool:
    if name in EITHER:
        return EITHER[name](case) == (wanted == YES)
    return SpecifierSet(wanted).contains(str(SIZES[name](case)))


class Role(enum.Enum):
    """What an entry does for an implementation."""

    STRICT = "strict"
    """Its failure is expected, and has to occur."""
    LENIENT = "lenient"
    """Its failure is torch's own, on which the implementation is built, and need not occur."""
    MENTIONED = "mentioned"
    """Its failure is one of torch's own LSTM, and is mentioned where the same one occurs."""


@dataclass(frozen=True)
class Applied:
    """An entry that holds for one implementation on one device.

    `named` is the LSTM of PyTorch that has the fault, where this is another implementation.
    """

    entry: Expectation
    implementation: str
    device: str
    role: Role = Role.STRICT
    named: str = ""

    @property
    def excuses(self) -> bool:
        """Whether the failure is an expected one."""
        return self.role is not Role.MENTIONED

    @property
    def must_occur(self) -> bool:
        """Whether it is wrong if the failure does not occur."""
        return self.role is Role.STRICT and self.entry.certain
