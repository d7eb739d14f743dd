"""A requirement: one claim about every LSTM, with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.implementations.implementation import Implementation
from reference import Case

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Kind = TypeVar("Kind", default=Implementation)
    Body = Callable[[Kind, Case], float | None]

LEVELS = ("core", "sequence", "module", "training")
"""What a requirement is about.

- ``core``: what a call computes;
- ``sequence``: batches, directions, lengths and long sequences;
- ``module``: how a torch module is made, called again, stored and moved, and what is refused;
- ``training``: gradients and dropout.
"""


def _whatever(implementation: Any) -> Any:
    return implementation


@dataclass(frozen=True)
class Requirement:
    """One claim about every LSTM: `name` is a short sentence, `claim` the full one.

    `source` is the document or equation that the claim comes from.

    `body` takes an implementation and a case and raises :class:`~conformance.Mismatch` where the
    claim does not hold; it returns the largest error as a share of its bound, or None where
    nothing is measured. `cases` are the options of :func:`strategies.lstm_cases` from which cases
    are drawn; to an implementation that supports no such case the requirement is not applicable.
    `applies` returns the implementation, typed as `body` takes it, or else a string: the reason
    why the requirement is not applicable. `level` is one of
    :data:`LEVELS`; `share_of_cases` scales the number of cases.
    A `costly` one is decided in the thorough profile only. One `by_dtype` is decided in each
    dtype by itself.

    A requirement is a must: what makes it an LSTM. Or it is a `should`, in the sense of RFC 2119:
    what ``torch.nn.Module`` and PyTorch do besides.
    """

    name: str
    claim: str
    source: str
    level: str
    body: Body[Any]
    cases: Mapping[str, Any] = field(default_factory=dict)
    applies: Callable[[Implementation], object] = _whatever
    share_of_cases: float = 1.0
    costly: bool = False
    by_dtype: bool = False
    should: bool = False

    @property
    def strength(self) -> str:
        """The keyword of RFC 2119."""
        return "should" if self.should else "must"


REGISTERED: dict[str, Requirement] = {}
"""Every requirement by name, in the order of definition."""


def requirement(
    *,
    source: str,
    level: str,
    applies: Callable[[Implementation], Kind | str] = _whatever,
    share_of_cases: float = 1.0,
    costly: bool = False,
    by_dtype: bool = False,
    should: bool = False,
    **cases: Any,
) -> Callable[[Body[Kind]], Body[Kind]]:
    """Register a function as the body of the requirement of its name and docstring.

    Raises :class:`ValueError` for an unknown level, a missing docstring or a name already taken.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {level!r}")

    def register(body: Body[Kind]) -> Body[Kind]:
        if not body.__doc__:
            raise ValueError(f"{body.__name__} needs a docstring that states the claim")
        if body.__name__ in REGISTERED:
            raise ValueError(f"there are two requirements named {body.__name__}")
        claim = " ".join(body.__doc__.split())
        how = cases, applies, share_of_cases, costly, by_dtype, should
        REGISTERED[body.__name__] = Requirement(body.__name__, claim, source, level, body, *how)
        return body

    return register
