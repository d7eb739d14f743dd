"""From whatever is given for an LSTM to an implementation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from conformance.errors import Unlike, UsageError
from conformance.implementations import loading
from conformance.implementations.failures import by_hand
from conformance.implementations.implementation import Implementation
from conformance.implementations.lenient import lenient
from conformance.implementations.naming import place_of
from conformance.inference.inference import Inference
from conformance.inference.inferring import infer
from conformance.recording.text import kind_of

Target: TypeAlias = "str | type[Any] | Implementation | Callable[..., Any]"
"""An LSTM as it is given: by name, or a class, module, function or implementation itself."""

PYTORCHS = {f"torch.nn.modules.rnn:{name}": f"torch.nn.{name}" for name in ("LSTM", "LSTMCell")}
"""The names by which PyTorch's own are known, by the places of their classes."""


@dataclass(frozen=True)
class Taken:
    """The `implementation` that was made of what was given, and how, if that was `inferred`."""

    implementation: Implementation
    inferred: Inference | None = None


def load(target: Target) -> Implementation:
    """Return the implementation for `target`; see :func:`take`.

    Raises :class:`UsageError` if `target` is not an LSTM, as far as shows without verifying it.
    """
    taken = take(target)
    if taken.inferred is not None and not taken.inferred.fits:
        raise UsageError("\n".join(taken.inferred.lines()))
    return taken.implementation


@lenient()
def take(target: Target) -> Taken:
    """Return the implementation for `target`, even if it is a wrong LSTM.

    - a name is what :func:`conformance.implementations.loading.load` takes;
    - a class is an :class:`Implementation`, or has the constructor, the call and the parameters of
      ``torch.nn.LSTM`` or ``torch.nn.LSTMCell``. Of any other class, and of a function, the layout
      is inferred;
    - a torch module stands for its class: weights and sizes are those of the cases;
    - anything else is an implementation itself, such as a :class:`HandWritten`.

    Raises :class:`UsageError` if `target` is none of them.
    """
    if loading.is_module(target):
        target = type(target)
    if isinstance(target, str):
        return _by_name(target)
    if isinstance(target, type):
        return _of_class(target)
    if loading.is_function(target):
        return _inferred(cast(Callable[..., Any], target))
    if not hasattr(target, "run"):
        text = "is not a name, class, function, torch module or Implementation"
        raise UsageError(f"a {kind_of(target)} {text}")
    return Taken(loading.of_object(cast(Implementation, target)))


def _by_name(name: str) -> Taken:
    try:
        return Taken(loading.load(name))
    except Unlike as error:
        refused = error
    try:
        return _inferred(name, refused)
    except BaseException as other:  # of their code, which was loaded once more
        if isinstance(other, UsageError) or by_hand(other):
            raise
        raise refused from None


def _of_class(cls: type[Any]) -> Taken:
    name = place_of(cls)
    if name in PYTORCHS:
        return Taken(loading.load(PYTORCHS[name]))
    try:
        return Taken(loading.of_class(cls, name))
    except Unlike as error:
        return _inferred(cls, error)


def _inferred(target: str | Callable[..., Any], refused: Unlike | None = None) -> Taken:
    """Infer the layout of what was `refused` as it is."""
    try:
        found = infer(target)
    except UsageError as error:
        if refused is None:
            raise
        raise UsageError(f"{refused.text}; and no other layout fits: {error}") from refused
    return Taken(found.implementation, found)
