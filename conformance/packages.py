"""Top-level packages of the same name from two folders in one process.

This project's packages are called ``reference`` and ``strategies``; somebody's LSTM may live
beside packages of the same names. Each side sees its own: code of one folder is imported and
called inside ``with Packages(folder):``, where the clashing names mean that folder's modules.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, TracebackType

NAMES = ("reference", "strategies", "tests")


class Packages:
    """The packages among `NAMES` that lie in `folder`, visible as such within a ``with`` block.

    The folder is also first on ``sys.path`` there. Blocks may be nested.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = NAMES) -> None:
        self.folder = folder
        self.names = tuple(
            name
            for name in names
            if (folder / name).is_dir() or (folder / f"{name}.py").is_file()
        )
        self._modules: dict[str, ModuleType] = {}
        self._foreign: list[dict[str, ModuleType]] = []

    def _take_out(self) -> dict[str, ModuleType]:
        if not self.names:
            return {}
        taken = [name for name in sys.modules if name.partition(".")[0] in self.names]
        return {name: sys.modules.pop(name) for name in taken}

    def _belongs(self, name: str, module: ModuleType) -> bool:
        if name.partition(".")[0] not in self.names:
            return False
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
        return any(place and self.folder in Path(place).parents for place in places)

    def __enter__(self) -> Packages:
        present = self._take_out()
        mine = {name: module for name, module in present.items() if self._belongs(name, module)}
        self._foreign.append({k: v for k, v in present.items() if k not in mine})
        sys.modules.update(mine or self._modules)
        sys.path.insert(0, str(self.folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._modules = self._take_out()
        sys.modules.update(self._foreign.pop() or self._modules)
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))


OURS = Packages(Path(__file__).resolve().parent.parent, ("reference", "strategies"))
"""This project's own packages."""
