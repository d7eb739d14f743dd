"""Loading of implementations by their names."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.errors import Unlike, UsageError, meant
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.declared import declared
from conformance.implementations.failures import Failure, Raised, blamed, by_hand, lenient
from conformance.implementations.implementation import Implementation
from conformance.implementations.own_imports import OURS, Packages
from conformance.implementations.shipped import SHIPPED
from conformance.recording.operands import Origin
from conformance.recording.text import UNDER_TEST, kind_of, line_of, named, told

FORMS = (
    "package.module:Class, path/to/file.py:Class or a name that `lstm-conformance implementations` "
    "lists"
)


def implementation_of(target: Any) -> Implementation:
    """Return the implementation for a name, a class, or an object that is one itself.

    Raises :class:`UsageError` as :func:`load`, :func:`of_class` and :func:`of_object` do.
    """
    if isinstance(target, str):
        return load(target)
    return of_class(target, place_of(target)) if isinstance(target, type) else of_object(target)


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
        SHIPPED[name].require(name)
        place, _, attribute = SHIPPED[name].place.partition(":")
        return _named(_import(place, name, OURS), attribute, name, OURS)
    module, attribute, neighbours = find(name)
    return _named(module, attribute, name, neighbours)


def find(name: str) -> tuple[ModuleType, str, Packages]:
    """Find the module in `name`, the attribute in `name`, and the packages that the module sees.

    The attribute is "" if `name` is a file alone. Raises :class:`UsageError` if there is no such
    module.
    """
    place, _, attribute = name.rpartition(":")
    if name.endswith(".py"):
        place, attribute = name, ""
    elif not place:
        place, _, attribute = name.rpartition(".")
    if not place or not (attribute or place.endswith(".py")):
        raise UsageError(f"unknown implementation {name!r}: give {FORMS}")
    if place.endswith(".py"):
        path = Path(place)
        try:
            path = path.resolve()
            found = path.is_file()
        except (OSError, ValueError):  # no file can have such a name
            found = False
        if not found:
            raise UsageError(f"{name!r}: there is no file {place!r}")
        neighbours = Packages(path.parent)
        return _file_module(path, name, neighbours), attribute, neighbours
    if not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(f"unknown implementation {name!r}: give {FORMS}")
    neighbours = Packages(Path.cwd())
    return _import(place, name, neighbours), attribute, neighbours


def _import(place: str, name: str, neighbours: Packages) -> ModuleType:
    try:
        with neighbours:
            return importlib.import_module(place)
    except ModuleNotFoundError as error:
        missing = error.name or place
        if place == missing or place.startswith(f"{missing}."):
            if place.partition(".")[0] == "conformance":
                text = "`conformance` means lstm-conformance here: give path/to/file.py:Class"
                raise UsageError(f"{name!r}: {text}") from error
            raise UsageError(
                f"{name!r}: there is no module {missing!r} here; install the package that has it, "
                f"or give {FORMS}"
            ) from error
        raise UsageError(
            f"{name!r}: {place} needs the module {missing!r}, which is not installed"
        ) from error
    except BaseException as error:
        raise _refused(name, f"importing {place}", error) from error


def _file_module(path: Path, name: str, neighbours: Packages) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{UNDER_TEST}{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        with neighbours:
            spec.loader.exec_module(module)
    except BaseException as error:
        raise _refused(name, f"importing {path.name}", error) from error
    return module


def _refused(name: str, what: str, error: BaseException) -> BaseException:
    """Make the error that `what` was done for `name` and raised `error`, unless that is Ctrl-C."""
    if by_hand(error):
        return error
    return UsageError(f"{name!r}: {what} raised {told(error)}")


def _named(module: ModuleType, attribute: str, name: str, neighbours: Packages) -> Implementation:
    try:
        with neighbours:
            cls: Any = getattr(module, attribute, None)
    except BaseException as error:
        raise _refused(name, f"reading {attribute}", error) from error
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


def _is_loaded(value: Any) -> bool:
    return isinstance(value, (type, HandWritten))


def missing(
    module: ModuleType, attribute: str, name: str, kind: str, fits: Callable[[Any], bool]
) -> UsageError:
    """Make the error that `module` has no such `attribute`, with a list of what it has instead.

    The list has the module's own attributes that are of the right sort by `fits`. `kind` puts the
    sort in words, such as ``class ``, or is empty.
    """
    place = name[: len(name) - len(attribute)].rstrip(":.")
    known = {key: value for key, value in vars(module).items() if fits(value) and key[0] != "_"}
    own = sorted(
        key
        for key, value in known.items()
        if isinstance(value, HandWritten) or value.__module__ == module.__name__
    )
    what = f"there is no {kind}{attribute!r} in {place}" if attribute else f"give {place}:Class"
    has = f"; it has {', '.join(own[:8])}" if own else ""
    return UsageError(f"{name!r}: {what}{has}{meant(attribute, known)}")


@lenient()
def of_class(
    cls: Any, name: str, neighbours: contextlib.AbstractContextManager[object] | None = None
) -> Implementation:
    """Make an instance of `cls` if it is an implementation, else an adapter of the torch module.

    The code of `cls` runs within `neighbours`. Raises :class:`Unlike` if `cls` is neither, and
    :class:`UsageError` for an implementation that declares something wrong.
    """
    around = contextlib.nullcontext() if neighbours is None else neighbours
    called = ""
    try:
        with around:
            if hasattr(cls, "run") and hasattr(cls, "supports"):
                called = f"{named(cls)}()"
                made: Implementation = cls()
                return declared(made)
    except UsageError:
        raise
    except Raised as failure:
        raise _refused(name, called, failure.error) from failure
    except Failure as failure:
        raise UsageError(f"{name!r}: {failure}") from failure
    except BaseException as error:
        raise _refused(name, called or f"looking at {named(cls)}", error) from error
    from conformance.implementations.pytorch.probing import adapt

    try:
        with blamed():
            return adapt(cls, line_of(name), lambda: around)
    except Raised as failure:
        if isinstance(failure.error, UsageError):
            raise failure.error from failure
        raise _refused(name, f"looking at {named(cls)}", failure.error) from failure


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
    try:
        return declared(implementation)
    except Raised as failure:
        raise _refused(name, "reading what it declares", failure.error) from failure
    except Failure as failure:
        raise UsageError(f"{name!r}: {failure}") from failure


def place_of(target: Any) -> str:
    """Return the name by which the class or function `target` can be loaded, if there is one.

    What is defined in the script that runs is named after its file; in a notebook, or within a
    function, it has a name that nothing can be loaded by.
    """
    place, file = target.__module__, getattr(sys.modules.get("__main__"), "__file__", None)
    if place == "__main__" and file is not None:
        path = Path(file).absolute()
        place = str(path.relative_to(Path.cwd()) if Path.cwd() in path.parents else path)
    return f"{place}:{target.__qualname__}"


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
    return ":".join(places[0]) if places else ""
