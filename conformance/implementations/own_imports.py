"""Top-level packages of the same name in two folders, used in one process.

This project's packages are called ``reference`` and ``strategies``. The LSTM under test may lie
beside other packages of these names. So the code of a folder is imported and called within a block
``with Packages(folder):``, in which the names mean the packages of that folder.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

NAMES = ("reference", "strategies", "tests")

Modules = dict[str, ModuleType]


class Packages:
    """The packages among `names` that lie in `folder`, for import within a ``with`` block.

    Within the block, `folder` is also first on ``sys.path``. Blocks can be nested. After a block
    each name means what it meant before. A package that was first imported within the block stays
    imported if an import outside the block would find the same package, and is put aside otherwise.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = NAMES) -> None:
        self.folder = folder
        self.names = tuple(
            name for name in names if (folder / name).is_dir() or (folder / f"{name}.py").is_file()
        )
        # the folder's modules when a block was last entered or left, so that none is executed twice
        self._inside: Modules = {}
        # what the names meant outside each open block, innermost last; None if they mean the same
        self._outside: list[Modules | None] = []
        self._holding: dict[str, bool] = {}

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a package of the folder, as a finder on ``sys.meta_path``.

        The place on ``sys.path`` does not suffice: a folder without ``__init__.py`` yields to a
        package of the same name that has one, however late on the path.
        """
        return PathFinder.find_spec(name, [str(self.folder)]) if name in self.names else None

    def _take_out(self) -> Modules:
        """Remove the packages and all their submodules from ``sys.modules``, and return them."""
        if not self.names:  # blocks are entered for every call of an LSTM, so this must be quick
            return {}
        alike = [name for name in sys.modules if name.startswith(self.names)]
        taken = [name for name in alike if name.partition(".")[0] in self.names]
        return {name: sys.modules.pop(name) for name in taken}

    def _holds(self, spec: ModuleSpec | None) -> bool:
        """Return whether the module of `spec` lies in the folder."""
        if spec is None:
            return False
        places = [spec.origin, *(spec.submodule_search_locations or [])]
        return any(place and self._contains(place) for place in places)

    def _contains(self, place: str) -> bool:
        """Return whether the file or folder `place` lies in the folder."""
        if place not in self._holding:
            self._holding[place] = self.folder in Path(place).resolve().parents
        return self._holding[place]

    def _is_innermost(self) -> bool:
        """Return whether the innermost open block is one of the folder, and nothing came before."""
        first = sys.path[:1] == [str(self.folder)] and sys.meta_path[:1] == [self]
        return first and _open[-1:] == [self]

    def __enter__(self) -> Packages:
        if self._is_innermost():
            self._outside.append(None)
            return self
        outside, inside = self._take_out(), self._inside
        self._inside = {}
        for name in self.names:
            # the folder's own tests may have imported its package already: use that very one
            same = name in outside and self._holds(outside[name].__spec__)
            self._inside |= _below(name, outside if same else inside)
        sys.modules.update(self._inside)
        self._outside.append(outside)
        _open.append(self)
        sys.path.insert(0, str(self.folder))
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        outside = self._outside.pop()
        if outside is None:
            return
        _open.pop()
        sys.meta_path.remove(self)
        if str(self.folder) in sys.path:  # the code within may have removed it
            sys.path.remove(str(self.folder))
        self._inside = self._take_out()
        for name in self.names:
            mine = self._inside.get(name)
            if name in outside:  # submodules that were imported within belong to the same package
                stays = outside[name] is mine
            else:  # nobody has imported the name outside: would they get this package?
                stays = mine is not None and self._holds(importlib.util.find_spec(name))
            sys.modules.update(_below(name, self._inside if stays else outside))


def _below(package: str, modules: Mapping[str, ModuleType]) -> Modules:
    """Select `package` and its submodules from `modules`."""
    return {name: modules[name] for name in modules if name.partition(".")[0] == package}


_open: list[Packages] = []
"""The open blocks, innermost last, each folder once in a row."""

OURS = Packages(Path(__file__).resolve().parents[2], ("reference", "strategies"))
"""This project's own packages."""
