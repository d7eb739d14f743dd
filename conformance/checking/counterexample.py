"""The smallest case found on which a requirement does not hold, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.recording.json import Numbers

SHOWN = 64
"""The size of the largest tensor whose numbers are shown in the terminal."""

DERIVED = "The failing call used a case derived from this one; the script shows that call."


@dataclass(frozen=True)
class Place:
    """The element ``name[index]`` of a result, and what it belongs to.

    An element of `h_n` or `c_n` is one after the last step, and has `step` -1.
    """

    name: str
    index: tuple[int, ...]
    layer: int
    direction: int
    step: int
    row: int
    feature: int


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about wrong results, in sentences; what is not known is empty.

    `parted` says where results first differ from the true ones, and `place` is that place;
    `details` says what else was observed, and each of the `explanations` which altered LSTM gives
    the same wrong results. `derived` names the case that was examined, if it is not the reported
    one.
    """

    derived: str = ""
    parted: str = ""
    details: tuple[str, ...] = ()
    explanations: tuple[str, ...] = ()
    place: Place | None = None

    def lines(self) -> list[str]:
        """List all sentences, the explanations last."""
        return [*filter(None, (self.derived, self.parted)), *self.details, *self.explanations]


@dataclass(frozen=True)
class Compared:
    """The arrays of a comparison, of one shape: values, those expected, and the bound on each."""

    got: Numbers
    expected: Numbers
    allowed: Numbers


@dataclass(frozen=True)
class Counterexample:
    """The smallest case found on which a requirement does not hold.

    `case` is a short description, `dtype` that of its arrays, `tensors` each array by name as
    shape and numbers. `kind`, `what`, `where`, `got`, `expected` and `allowed` are those of the
    :class:`~conformance.implementations.failures.Failure`, and `message` is its text. The
    failure is `derived` if the last call before it was made with another case. `compared` holds
    the whole arrays of which an element is wrong, unless they are large.
    """

    case: str
    message: str
    tensors: Mapping[str, Numbers]
    kind: str = ""
    dtype: str = ""
    what: str = ""
    where: str = ""
    got: str = ""
    expected: str = ""
    allowed: float | None = None
    diagnosis: Diagnosis = Diagnosis()
    derived: bool = False
    compared: Compared | None = None

    def lines(self) -> list[str]:
        """List message, case, its tensors that are not all zero, and diagnosis, for the terminal.

        Of a tensor with more than :data:`SHOWN` numbers only the size is shown.
        """
        at = f" ({self.where})" if self.kind == "raised" and self.where else ""
        shown = [f"{self.message}{at}", f"in {self.case}"]
        zero = []
        for name, tensor in self.tensors.items():
            numbers = list(flat(tensor))
            if len(numbers) > SHOWN:
                shown.append(f"  {name}: {len(numbers)} numbers")
            elif any(number != 0 for number in numbers):
                shown.append(f"  {name} = {_numbers(tensor)}")
            else:
                zero.append(name)
        shown += [f"  all zero: {', '.join(zero)}"] if zero else []
        shown += [DERIVED] if self.derived else []
        return shown + self.diagnosis.lines()


def flat(tensor: Any) -> Iterator[Any]:
    """Yield the numbers in lists of any depth; a text, such as that of NaN, is one."""
    if not isinstance(tensor, Sequence) or isinstance(tensor, str):
        yield tensor
    else:
        for part in tensor:
            yield from flat(part)


def _numbers(tensor: Any) -> str:
    if isinstance(tensor, Sequence):
        return f"[{', '.join(map(_numbers, tensor))}]"
    return repr(tensor)
