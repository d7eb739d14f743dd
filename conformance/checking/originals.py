"""Whether the functions that a verdict depends on are still those of the start.

An implementation runs in the process that judges it, and may replace functions there, by accident
for instance in a patch of NumPy for its own use. The functions, classes and methods of the modules
that take part in a verdict are remembered before an implementation is loaded. They are compared,
and put back, after each load and at the end of each requirement.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, MutableMapping
from functools import partial as _partial
from operator import is_, itemgetter
from typing import Any

from conformance.recording.text import listed, named

PACKAGES = ("conformance", "reference", "strategies", "ml_dtypes")
"""Packages of which every module is watched."""
MODULES = (
    *("builtins", "contextlib", "functools", "io", "itertools", "json", "math", "operator"),
    *("os", "pathlib", "pathlib._local", "pickle"),
    *("numpy", "numpy.linalg", "numpy._core._methods", "numpy._core.fromnumeric"),
    *("numpy._core.multiarray", "numpy._core.numeric", "numpy._core.umath"),
    *("numpy.core._methods", "numpy.core.fromnumeric", "numpy.core.multiarray"),
    *("numpy.core.numeric", "numpy.core.umath", "numpy.lib.stride_tricks"),
    *("hypothesis", "hypothesis.control", "hypothesis.core", "hypothesis.errors"),
    *("hypothesis.internal.conjecture.data", "hypothesis.internal.conjecture.engine"),
    *("hypothesis.internal.conjecture.shrinker", "hypothesis.strategies"),
    *("torch", "torch._VF", "torch._tensor", "torch.autograd", "torch.nn", "torch.nn.functional"),
    *("torch.nn.modules.module", "torch.nn.modules.rnn", "torch.nn.utils.rnn"),
)
"""Further modules that are watched, as far as they are imported."""

FOUND = {"torch._VF": ("lstm", "lstm_cell")}
"""Functions that a module does not have but finds, and in whose place it may have others."""

TAKEN = "os."
"""The start of the names of functions that a library may replace when it is imported."""

MADE = "torch._inductor."
"""The start of the names under which PyTorch's compiler puts what it makes, again and again."""

IMPORTED = (
    *PACKAGES,
    *("_pytest", "attr", "builtins", "cattrs", "contextlib", "fastjsonschema", "functools", "io"),
    *("hypothesis", "itertools", "json", "math", "numpy", "operator", "os", "pathlib", "pickle"),
    *("packaging", "pytest", "rich", "tomlkit", "torch"),
)
"""Packages whose modules must stay in ``sys.modules``."""

# those of this moment, as builtins are watched too
_all, _map, _zip, _callable, _isinstance, _vars = all, map, zip, callable, isinstance, vars
_METHODS = (staticmethod, classmethod, property)
_HEAP = 1 << 9  # of type.__flags__: a class whose attributes can be replaced


class _Watched:
    """A module or class with its functions: `values` by `names`, which `get` reads anew."""

    def __init__(self, owner: Any, of: str, names: list[str]) -> None:
        self.owner, self.of, self.names = owner, of, names
        # of one name itemgetter gives the value itself
        self.get: Callable[[Any], Any] = itemgetter(*names, names[0])
        self.values = self.get(_vars(owner))

    def replaced(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and the former value of each function that is another one or is gone."""
        now = _vars(self.owner)
        try:
            if _all(_map(is_, self.get(now), self.values)):
                return
        except KeyError:
            pass
        for name, value in _zip(self.names, self.values, strict=False):
            if now.get(name) is not value and not self._by_torch(now.get(name)):
                yield name, value

    def _by_torch(self, new: Any) -> bool:
        """Whether torch has replaced a function of its own, as when it first compiles a module."""
        if self.of.partition(".")[0] != "torch" or not hasattr(new, "__code__"):
            return False
        return str(new.__code__.co_filename).startswith(_modules["torch"].__path__[0])


SHOWN = 3
"""The number of names that are shown of what was replaced."""

_watched: dict[str, _Watched] = {}
_modules: dict[str, Any] = {}
_accepted: set[str] = set()


def remember() -> None:
    """Remember the functions of watched modules that were not imported when this was last called.

    Of a module that is remembered, functions that came later are not watched.
    """
    for name, module in [*sys.modules.items()]:
        if name in _modules or module is None or name.partition(".")[0] not in IMPORTED:
            continue
        if name.startswith(MADE):
            continue
        _modules[name] = module
        for function in FOUND.get(name, ()):
            setattr(module, function, getattr(module, function))
        if name in MODULES or name.partition(".")[0] in PACKAGES:
            _watch(module, name, _callable)
            for kind in [*_vars(module).values()]:
                if _isinstance(kind, type) and kind.__module__ == name and kind.__flags__ & _HEAP:
                    _watch(kind, f"{name}.{named(kind)}", _is_method)


def _is_method(value: Any) -> bool:
    return _callable(value) or _isinstance(value, _METHODS)


def _watch(owner: Any, of: str, watched: Callable[[Any], bool]) -> None:
    names = [name for name, value in _vars(owner).items() if watched(value)]
    if names:
        _watched[of] = _Watched(owner, of, names)


def begin() -> None:
    """Remember what was imported since; what is replaced already is nobody's doing from now on."""
    remember()
    _accepted.clear()
    _accepted.update(name for name, _ in _replaced())


def put_back(loading: bool = False) -> str:
    """Put back what was replaced since :func:`begin`; returns what it was, in words, or "".

    After `loading` what a library may replace stays as it is.

    Whatever is put back first is what the rest of this suite needs to go on: modules.
    """
    found = []
    for name, put in [*_replaced()]:
        if name not in _accepted and not (loading and name.startswith(TAKEN)):
            put()
            found.append(name)
    return f"replaced {listed(found, SHOWN)}" if found else ""


class Replaced(Exception):
    """Functions by which results are judged were replaced; the text says which."""


class Kept:
    """A context after which all is as at its start; raises :class:`Replaced` if it was not.

    For `loading` see :func:`put_back`.
    """

    def __init__(self, loading: bool = False) -> None:
        self.loading = loading

    def __enter__(self) -> None:
        begin()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None or _isinstance(error, Exception):
            did = put_back(self.loading)
            if did:
                raise Replaced(did) from error


def _replaced() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield for everything that was replaced its name, and a function that puts it back."""
    modules: MutableMapping[str, Any] = sys.modules
    same = _all(_map(is_, _map(modules.get, _modules), _modules.values()))
    for name, module in () if same else _modules.items():
        # these two may mean other packages outside a block of ``own_imports``
        aside = name.partition(".")[0] in ("reference", "strategies")
        if modules.get(name) is not module and not aside:
            yield f"sys.modules[{name!r}]", _partial(modules.update, {name: module})
    for each in _watched.values():
        for name, value in each.replaced():
            yield f"{each.of}.{name}", _partial(setattr, each.owner, name, value)
