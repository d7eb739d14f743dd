"""Top-level packages of the same name from two folders in one process.

This project's packages are called ``reference`` and ``strategies``; somebody's LSTM may live
beside packages of the same names. Each side sees its own: code of one folder is imported and
called inside ``with Packages(folder):``, where the clashing names mean that folder's modules.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, TracebackType

NAMES = ("reference", "strategies", "tests")

Modules = dict[str, ModuleType]


class Packages:
    """The packages among `NAMES` that lie in `folder`, visible as such within a ``with`` block.

    The folder is also first on ``sys.path`` there. Blocks may be nested. After a block the names
    mean what they meant before; what nobody had imported stays if a plain import would find it.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = NAMES) -> None:
        self.folder = folder
        self.names = tuple(
            name for name in names if (folder / name).is_dir() or (folder / f"{name}.py").is_file()
        )
        self._inside: Modules = {}
        self._outside: list[Modules] = []

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A finder for ``sys.meta_path``; without it a folder yields to any regular package."""
        return PathFinder.find_spec(name, [str(self.folder)]) if name in self.names else None

    def _take_out(self) -> Modules:
        if not self.names:
            return {}
        taken = [name for name in sys.modules if name.partition(".")[0] in self.names]
        return {name: sys.modules.pop(name) for name in taken}

    def _holds(self, spec: ModuleSpec | None) -> bool:
        if spec is None:
            return False
        places = [spec.origin, *(spec.submodule_search_locations or [])]
        return any(place and self.folder in Path(place).resolve().parents for place in places)

    def __enter__(self) -> Packages:
        outside = self._take_out()
        for name in self.names:
            ours = name in outside and self._holds(outside[name].__spec__)
            sys.modules.update(_below(name, outside if ours else self._inside))
        self._outside.append(outside)
        sys.path.insert(0, str(self.folder))
        sys.meta_path.insert(0, self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        sys.meta_path.remove(self)
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))
        self._inside, outside = self._take_out(), self._outside.pop()
        for name in self.names:
            mine = self._inside.get(name)
            if name in outside:
                stays = outside[name] is mine
            else:
                stays = mine is not None and self._holds(importlib.util.find_spec(name))
            sys.modules.update(_below(name, self._inside if stays else outside))


def _below(package: str, modules: Mapping[str, ModuleType]) -> Modules:
    return {name: modules[name] for name in modules if name.partition(".")[0] == package}


OURS = Packages(Path(__file__).resolve().parents[2], ("reference", "strategies"))
"""This project's own packages."""
