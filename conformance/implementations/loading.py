"""Loading of implementations by their names."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from inspect import isfunction
from types import ModuleType
from typing import Any

from conformance.errors import Unlike, UsageError, require
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.declared import declared
from conformance.implementations.failures import Failure, Raised, blamed
from conformance.implementations.implementation import Implementation
from conformance.implementations.lenient import lenient
from conformance.implementations.naming import (
    find,
    imported,
    in_module,
    missing,
    place_of,
    refused,
    unloadable,
)
from conformance.implementations.own_imports import OURS, Packages
from conformance.implementations.shipped import SHIPPED
from conformance.recording.operands import Origin
from conformance.recording.text import kind_of, line_of, named


def implementation_of(target: Any) -> Implementation:
    """Return the implementation for a name, a class, or an object that is one itself.

    Raises :class:`UsageError` as :func:`load`, :func:`of_class` and :func:`of_object` do.
    """
    if isinstance(target, str):
        return load(target)
    if not isinstance(target, type):
        return of_object(target)
    name = place_of(target)
    try:
        return of_class(target, name)
    except Unlike as error:
        if not unloadable(name):
            raise
        finds = f"`conformance.infer({target.__name__})` may find out how, in Python"
        raise UsageError(f"{error.text}; {finds}") from error


@lenient()
def load(name: str) -> Implementation:
    """Load the implementation `name`: one of :data:`SHIPPED`, or a place in a module or file.

    A place is ``package.module:Class``, imported as from the current folder, or
    ``path/to/file.py:Class``. In that place there must be one of these:

    - a torch module class with the constructor and the parameter names of ``torch.nn.LSTM`` or
      ``torch.nn.LSTMCell``;
    - a class that is an :class:`Implementation` and needs no constructor arguments;
    - a :class:`HandWritten`.

    Raises :class:`UsageError` if there is none of them.
    """
    if name in SHIPPED:
        shipped = SHIPPED[name]
        require(name, shipped.extra, *shipped.needs)
        place, _, attribute = shipped.place.partition(":")
        return _named(imported(place, name, OURS), attribute, name, OURS)
    module, attribute, neighbours = find(name)
    return _named(module, attribute, name, neighbours)


def _named(module: ModuleType, attribute: str, name: str, neighbours: Packages) -> Implementation:
    try:
        with neighbours:
            cls: Any = getattr(module, attribute, None)
    except BaseException as error:
        raise refused(name, f"reading {attribute}", error) from error
    if cls is None:
        raise missing(module, attribute, name, "", _is_loaded)
    if issubclass(type(cls), HandWritten):
        mine: HandWritten = cls
        mine.around = lambda: neighbours
        mine.constructed = Origin(module.__name__, attribute, module.__file__ or "")
        if not mine.named:
            mine.name = line_of(name)
        return mine
    if not issubclass(type(cls), type):
        text = f"{name!r} is a {kind_of(cls)}, not a class"
        raise Unlike(name, text) if is_function(cls) else UsageError(text)
    return of_class(cls, name, neighbours)


def is_function(value: Any) -> bool:
    """Return whether `value` is a function, or one that is wrapped, as ``jax.jit`` does."""
    return isfunction(value) or isfunction(getattr(value, "__wrapped__", None))


def is_module(value: Any) -> bool:
    """Return whether `value` is a torch module, whatever it says itself."""
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(type(value), torch.nn.Module)


def called(target: Any, implementation: Implementation) -> str:
    """Return the name by which a command can load `target`, of which `implementation` was made.

    :func:`conformance.implementations.naming.unloadable` says why there is none.
    """
    cls = type(target) if is_module(target) else target
    if isinstance(cls, type) and implementation.name not in SHIPPED:
        return place_of(cls)
    return target if isinstance(target, str) else implementation.name


def _is_loaded(value: Any) -> bool:
    return isinstance(value, (type, HandWritten))


@lenient()
def of_class(
    cls: Any, name: str, neighbours: contextlib.AbstractContextManager[object] | None = None
) -> Implementation:
    """Make an instance of `cls` if it is an implementation, else an adapter of the torch module.

    The code of `cls` runs within `neighbours`. Raises :class:`Unlike` if `cls` is neither, and
    :class:`UsageError` for an implementation that declares something wrong.
    """
    around = contextlib.nullcontext() if neighbours is None else neighbours
    looking = f"looking at {named(cls)}"
    with _refusing(name, looking), around:
        is_one = hasattr(cls, "run") and hasattr(cls, "supports")
    if is_one:
        with _refusing(name, f"{named(cls)}()"), around:
            return declared(cls())
    from conformance.implementations.pytorch.probing import adapt

    with _refusing(name, looking), blamed():
        return adapt(cls, line_of(name), lambda: around)


@contextlib.contextmanager
def _refusing(name: str, what: str) -> Iterator[None]:
    """Raise :class:`UsageError` for whatever the code of `name` raises while `what` is done."""
    try:
        yield
    except UsageError:
        raise
    except Raised as failure:
        if isinstance(failure.error, UsageError):
            raise failure.error from failure
        raise refused(name, what, failure.error) from failure
    except Failure as failure:
        raise UsageError(f"{name!r}: {failure}") from failure
    except BaseException as error:
        raise refused(name, what, error) from error


@lenient()
def of_object(implementation: Implementation) -> Implementation:
    """Check an object that is to be an implementation, and return it with what it declares.

    A hand-written one without a `name` is named after its place, ``module:variable``, if it lies in
    a module. Raises :class:`UsageError` for a wrong attribute.
    """
    name = kind_of(implementation)
    if isinstance(implementation, HandWritten):
        if not implementation.named:
            implementation.name = _place(implementation) or implementation.name
        name = implementation.name
        _ = implementation.supports  # which is tried now, so that what cannot be used is refused
    with _refusing(name, "reading what it declares"):
        return declared(implementation)


def _place(mine: HandWritten) -> str:
    """Find a ``module:variable`` that holds `mine`, at best beside its class; "" if none does."""
    places = [
        (module, key)
        for module, loaded in list(sys.modules.items())
        for key, value in list(getattr(loaded, "__dict__", {}).items())
        if value is mine
    ]
    home = getattr(mine.factory, "__module__", None)
    places.sort(key=lambda place: place[0] != home)
    return in_module(*places[0]) if places else ""
