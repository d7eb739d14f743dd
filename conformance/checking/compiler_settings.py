"""The settings of what compiles code for torch: TorchScript, and ``torch.compile``.

Those of ``torch.compile`` are read once something has imported it: a change in the very call that
imports it is not seen. What the file of an implementation sets when it is loaded stays, such as
``allow_rnn``, which a class that compiles itself may need in each of its calls.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

from conformance.checking.settings import Setting, same

CONFIGS = (
    *("torch._dynamo.config", "torch._inductor.config", "torch._functorch.config"),
    *("torch.fx.experimental._config", "torch.compiler.config"),
)
"""The modules of ``torch.compile`` whose attributes are settings."""

PAIRS = {
    "_jit_texpr_fuser_enabled": "_jit_set_texpr_fuser_enabled",
    "_jit_can_fuse_on_cpu": "_jit_override_can_fuse_on_cpu",
    "_jit_can_fuse_on_gpu": "_jit_override_can_fuse_on_gpu",
    "_get_graph_executor_optimize": "_set_graph_executor_optimize",
    "_jit_get_num_profiled_runs": "_jit_set_num_profiled_runs",
}
"""Functions of ``torch._C`` that read a setting of TorchScript, and those that write it."""

EXCHANGES: dict[str, Any] = {
    "_jit_set_profiling_executor": True,
    "_jit_set_profiling_mode": True,
    "_jit_set_fusion_strategy": [("STATIC", 2), ("DYNAMIC", 10)],
}
"""Functions that write a setting and return what it was, each with a value that it takes."""


def of_compilers(torch: Any) -> dict[str, Setting]:
    """List the settings of compilers by name."""
    found = {name: _config(name) for name in CONFIGS}
    for read, write in PAIRS.items():
        with contextlib.suppress(AttributeError):
            found[f"torch._C.{read}()"] = Setting(*attrgetter(read, write)(torch._C))
    for name, value in EXCHANGES.items():
        with contextlib.suppress(AttributeError):
            write = getattr(torch._C, name)
            found[f"torch._C.{name}()"] = Setting(partial(_exchanged, write, value), write)
    return found


def _exchanged(write: Callable[[Any], Any], value: Any) -> Any:
    """Read a setting that can only be read by writing it."""
    was = write(value)
    write(was)
    return was


def _config(name: str) -> Setting:
    def read() -> dict[str, Any] | None:
        config: Any = sys.modules.get(name)
        copied = getattr(config, "get_config_copy", None) or getattr(config, "to_dict", None)
        values: dict[str, Any] | None = None if copied is None else copied()
        return values

    def write(before: dict[str, Any]) -> None:
        now = read() or {}
        for key, value in before.items():
            if not _alike(value, now.get(key)):
                setattr(sys.modules[name], key, value)

    def unchanged(before: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
        if before is None or now is None:
            return True
        return all(_alike(value, now.get(key)) for key, value in before.items())

    return Setting(read, write, unchanged)


def _alike(one: Any, other: Any) -> bool:
    """Return whether two values are the same; of an object, of which each copy is another, whether
    both are of one class.
    """
    plain = type(one).__module__ == "builtins" and not callable(one)
    return same(one, other) if plain else type(one) is type(other)
