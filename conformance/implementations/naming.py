"""From a name to the module or file that it is about, and back from a class to a name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.errors import Interrupted, UsageError, meant
from conformance.implementations.failures import by_hand
from conformance.implementations.own_imports import Packages
from conformance.implementations.shipped import SHIPPED
from conformance.recording.text import UNDER_TEST, listed, told

FORMS = (
    "package.module:Class, path/to/file.py:Class or a name that `lstm-conformance implementations` "
    "lists"
)


HAND_WRITTEN = "conformance.implementations.by_hand.adapter"
"""The module of hand-written LSTMs, which belong to the module that they are in."""


def find(name: str) -> tuple[ModuleType, str, Packages]:
    """Find the module in `name`, the attribute in `name`, and the packages that the module sees.

    The attribute is "" if `name` is a file alone. Raises :class:`UsageError` if there is no such
    module.
    """
    place, attribute = split(name)
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
        try:
            return _file_module(path, name, neighbours), attribute, neighbours
        except UsageError as error:
            root = _root(path, error.__cause__)
            if root is None:
                raise
            neighbours = Packages(root)
            of_package = ".".join(path.relative_to(root).with_suffix("").parts)
            return imported(of_package, name, neighbours), attribute, neighbours
    neighbours = Packages(Path.cwd())
    return imported(place, name, neighbours), attribute, neighbours


def split(name: str) -> tuple[str, str]:
    """Split `name` into a module or file and an attribute, which is "" if `name` is a file alone.

    Raises :class:`UsageError` if it is neither.
    """
    place, _, attribute = name.rpartition(":")
    if name.endswith(".py"):
        return name, ""
    if not place:
        place, _, attribute = name.rpartition(".")
    of_file = place.endswith(".py")
    if not of_file and not (attribute and all(each.isidentifier() for each in place.split("."))):
        raise UsageError(f"unknown implementation {name!r}: give {FORMS}")
    return place, attribute


def imported(place: str, name: str, neighbours: Packages) -> ModuleType:
    """Import the module `place` for `name`; raises :class:`UsageError` if that is not possible."""
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
        raise refused(name, f"importing {place}", error) from error


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
        raise refused(name, f"importing {path.name}", error) from error
    return module


def _root(path: Path, error: BaseException | None) -> Path | None:
    """Return the folder of the package that `path` needs to belong to, as `error` of its import.

    It has a relative import, or imports what lies in a folder above. None if neither is so.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        found = (each for each in path.parents[1:] if (each / top).is_dir())
        return next(found, None) if all(map(str.isidentifier, path.parent.parts[-1:])) else None
    if not isinstance(error, ImportError) or "relative import" not in str(error):
        return None
    folder = path.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder.parent


def refused(name: str, what: str, error: BaseException) -> BaseException:
    """Make the error that `what`, for `name`, raised `error`, unless that ends the run."""
    if isinstance(error, Interrupted) or by_hand(error):
        return error
    return UsageError(f"{name!r}: {what} raised {told(error)}")


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
        if type(value).__module__ == HAND_WRITTEN or value.__module__ == module.__name__
    )
    what = f"there is no {kind}{attribute!r} in {place}" if attribute else f"give {place}:Class"
    has = f"; it has {listed(own)}" if own else ""
    return UsageError(f"{name!r}: {what}{has}{meant(attribute, known)}")


def place_of(target: Any) -> str:
    """Return the name by which the class or function `target` can be loaded, if there is one.

    What is defined in the script that runs is named after its file; in a notebook, or within a
    function, it has a name that nothing can be loaded by.
    """
    return in_module(target.__module__, target.__qualname__)


def in_module(place: str, name: str) -> str:
    """Return the name by which `name` in the module `place` can be loaded, as :func:`place_of`.

    A module that lies neither in the current folder nor where packages are installed is named after
    its file, if it is in no package.
    """
    file = getattr(sys.modules.get(place), "__file__", None) or ""
    path = Path(file).absolute()
    alone = "." not in place and path.suffix == ".py" and path.stem != "__init__"
    if alone and (place == "__main__" or path.parent not in {Path.cwd(), *installed()}):
        place = str(path.relative_to(Path.cwd()) if Path.cwd() in path.parents else path)
    return f"{place}:{name}"


@cache
def installed() -> tuple[Path, ...]:
    """List the folders from which every process of this Python imports modules."""
    return tuple(
        Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "platlib", "stdlib")
    )


def last_of(name: str) -> str:
    """Return how what has this name is called in the place where it is defined, if that shows."""
    last = name.rpartition(":")[2].rpartition(".")[2]
    return last if ":" in name and last.isidentifier() else "lstm"


def unloadable(name: str) -> str:
    """Say why no command can load what has this name in this process, "" if one can.

    That is a name that :func:`place_of` made, or one that somebody chose for an object.
    """
    place, attribute = name.rpartition(":")[::2]
    *around, last = attribute.split(".")
    if place == "__main__":
        return f"No command can load {last}, which is defined in a notebook or a session."
    if place and (around or not last.isidentifier()):
        return f"No command can load {last}, which is defined inside a function or a class."
    if name in SHIPPED or place.endswith(".py") or hasattr(sys.modules.get(place), last):
        return ""
    return f"No command can load {name}, which is not the name of a file or module."
