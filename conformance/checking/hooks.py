"""The hooks of a process, by which code of one LSTM would run while another is decided.

Those that the packages in an environment add stay: a library that is first imported in a call may
need its own ever after, as JAX does. What other code adds is taken away.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from conformance.checking.settings import Setting

INSTALLED = {"site-packages", "dist-packages"}
"""The folders in which an environment has its packages."""


@cache
def of_hooks() -> dict[str, Setting]:
    """List the hooks of Python by name."""
    threads = {
        f"threading.get{name}()": Setting(
            getattr(threading, f"get{name}"), getattr(threading, f"set{name}")
        )
        for name in ("trace", "profile")
        if hasattr(threading, f"get{name}")  # since Python 3.10
    }
    monitoring = getattr(sys, "monitoring", None)  # since Python 3.12
    if monitoring is not None:
        threads["sys.monitoring"] = _monitoring(monitoring)
    return {
        "gc.callbacks": _hooks(gc, "callbacks"),
        "sys.meta_path": _hooks(sys, "meta_path"),
        "sys.path_hooks": _hooks(sys, "path_hooks"),
        "sys.path": Setting(partial(_copied, sys, "path"), _complete_path, _has_all),
        "sys.gettrace()": Setting(sys.gettrace, sys.settrace),
        "sys.getprofile()": Setting(sys.getprofile, sys.setprofile),
        **threads,
    }


def _hooks(owner: Any, name: str) -> Setting:
    """Return the setting that is a list of hooks, the attribute `name` of `owner`."""
    hooks: list[Any] = getattr(owner, name)

    def write(before: Sequence[Any]) -> None:
        now = _copied(owner, name)
        stay = [each for each in now if not _among(each, before) and _is_installed(each)]
        hooks[:] = [*stay, *before]
        setattr(owner, name, hooks)

    return Setting(partial(_copied, owner, name), write, _same)


def _copied(owner: Any, name: str) -> list[Any]:
    value = getattr(owner, name)
    return list(value) if isinstance(value, list) else []


def _same(before: Sequence[Any], now: Sequence[Any]) -> bool:
    """Whether all hooks are there, in their order, and none but those of installed packages."""
    kept = [each for each in now if _among(each, before) or not _is_installed(each)]
    return len(kept) == len(before) and all(
        one is other for one, other in zip(before, kept, strict=True)
    )


def _among(one: Any, others: Sequence[Any]) -> bool:
    return any(one is other for other in others)


def _is_installed(hook: Any) -> bool:
    """Whether the module that has `hook` is of a package in the environment."""
    with contextlib.suppress(Exception):  # of an object of somebody else
        file = sys.modules[hook.__module__].__file__
        return file is not None and not INSTALLED.isdisjoint(Path(file).parts)
    return False


def _complete_path(before: Sequence[str]) -> None:
    sys.path = [*before, *(each for each in _copied(sys, "path") if each not in before)]


def _has_all(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether each folder is still there; libraries add those in which they import later."""
    return {*before} <= {*now}


def _monitoring(monitoring: Any) -> Setting:
    """Return which tools watch what happens in Python code, and which events they see."""
    numbers = range(6)

    def read() -> list[tuple[str | None, int]]:
        tools = [monitoring.get_tool(number) for number in numbers]
        return [
            (tool, 0 if tool is None else monitoring.get_events(number))
            for number, tool in zip(numbers, tools, strict=True)
        ]

    def write(before: Sequence[tuple[str | None, int]]) -> None:
        for number, (tool, events), (now, _) in zip(numbers, before, read(), strict=True):
            if now is None and tool is not None:
                monitoring.use_tool_id(number, tool)
            if (now, tool) != (None, None):
                monitoring.set_events(number, events)
            if tool is None and now is not None:
                monitoring.free_tool_id(number)

    return Setting(read, write)
