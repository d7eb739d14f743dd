"""The settings of torch that results or verdicts depend on, once torch has been imported.

Each is listed where this torch has it. These are left out, as they were seen to be harmless: the
number of threads between operations, which cannot be set twice; ``torch.set_printoptions`` and
``torch.set_warn_always``, which change messages alone; the choice among libraries for linear
algebra and attention, which an LSTM does not use; that among orders of the products in an einsum,
all of which are right; and ``torch._C.DisableTorchFunction``, which plain tensors do not notice.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from operator import attrgetter
from typing import Any

from conformance.checking.autograd_settings import forward_mode, saved_tensors, transforms
from conformance.checking.compiler_settings import of_compilers
from conformance.checking.settings import Setting, attribute

READERS = (
    *("get_default_dtype", "is_grad_enabled", "get_num_threads", "get_float32_matmul_precision"),
    *("get_deterministic_debug_mode", "is_autocast_cache_enabled", "_C._is_fwd_grad_enabled"),
    *("_C._is_multithreading_enabled", "_C._get_mkldnn_enabled", "_C._get_mkldnn_deterministic"),
    *("_C._get_nnpack_enabled", "_C._get_cudnn_enabled", "_C._get_cudnn_benchmark"),
    *("_C._get_cudnn_deterministic", "_C._get_cudnn_allow_tf32", "_C._get_cublas_allow_tf32"),
    *("_C._get_cpu_allow_fp16_reduced_precision_reduction", "_C._get_miopen_immediate"),
    *(f"_C._get_cublas_allow_{of}_reduced_precision_reduction" for of in ("fp16", "bf16")),
    *("_C._get_deterministic_fill_uninitialized_memory", "_C._is_view_replay_enabled"),
    *("_C._get_onednn_allow_tf32", "_C._get_autograd_fallback_mode"),
    *("_C._get_cublas_allow_fp16_accumulation", "_C._get_qengine"),
    *(f"__future__.get_{of}_module_params_on_conversion" for of in ("overwrite", "swap")),
)
"""Functions below ``torch`` that read a setting; one with ``set`` in its name restores it."""

PRECISIONS = (
    *(f"backends{name}" for name in ("", ".cuda.matmul", ".cudnn", ".cudnn.rnn")),
    *(f"backends.mkldnn{name}" for name in ("", ".matmul", ".rnn")),
)
"""What has a setting ``fp32_precision`` in newer versions."""


def of_torch() -> dict[str, Setting]:
    """List the settings of torch by name; none if torch has not been imported.

    Those that change others, such as inference mode the grad mode, come before the others.
    """
    return _of_torch() if "torch.nn.modules.module" in sys.modules else {}


@cache
def _of_torch() -> dict[str, Setting]:
    torch: Any = sys.modules["torch"]
    found: dict[str, Setting] = {}
    plain: dict[str, Setting] = {}
    pairs = {read: re.sub(r"(get|is)_", "set_", read, count=1) for read in READERS}
    for read, write in {**pairs, "is_anomaly_enabled": "autograd.set_detect_anomaly"}.items():
        with contextlib.suppress(AttributeError):
            plain[f"torch.{read}()"] = _pair(*attrgetter(read, write)(torch))
    for name in PRECISIONS:
        # versions that do not have it at cuda.matmul say so by an AssertionError
        with contextlib.suppress(AttributeError, RuntimeError, AssertionError):
            owner = attrgetter(name)(torch)
            if isinstance(owner.fp32_precision, str):
                plain[f"torch.{name}.fp32_precision"] = attribute(owner, "fp32_precision")
    for kinds in (
        *(transforms, forward_mode, _default_device, _modes, _autocast, saved_tensors),
        *(_module_hooks, _kernels, _cached, of_compilers),
    ):
        with contextlib.suppress(AttributeError):
            found |= kinds(torch)
    return found | plain


def _pair(read: Callable[[], Any], write: Callable[..., Any]) -> Setting:
    """Return the setting of two functions; newer versions read some as two values."""
    return Setting(read, lambda was: write(*was) if isinstance(was, tuple) else write(was))


def _modes(torch: Any) -> dict[str, Setting]:
    """Inference mode, and the stacks of modes that see every function or operation."""
    from torch import overrides
    from torch.utils import _python_dispatch as dispatch

    functions: Any = overrides
    dispatched: Any = dispatch
    return {
        "torch.is_inference_mode_enabled()": Setting(
            torch.is_inference_mode_enabled, lambda on: _kept(torch.inference_mode(on))
        ),
        "the stack of modes of torch functions": _stack(
            functions._get_current_function_mode_stack, functions._pop_mode, functions._push_mode
        ),
        "the stack of modes of torch operations": _stack(
            dispatched._get_current_dispatch_mode_stack,
            lambda: dispatched._pop_mode(),
            dispatched._push_mode,
        ),
    }


_ENTERED: list[Any] = []


def _kept(context: Any) -> None:
    """Enter a context that is never left."""
    context.__enter__()
    _ENTERED.append(context)


def _stack(
    read: Callable[[], list[Any]], pop: Callable[[], Any], push: Callable[[Any], Any]
) -> Setting:
    def write(wanted: list[Any]) -> None:
        for _ in read():
            pop()
        for mode in wanted:
            push(mode)

    return Setting(read, write)


def _default_device(torch: Any) -> dict[str, Setting]:
    """The default device, which is also a mode on the stack of torch functions."""

    def read() -> Any:
        context = torch._GLOBAL_DEVICE_CONTEXT  # in newer versions that of each thread
        return getattr(getattr(context, "device_context", context), "device", None)

    return {"torch.get_default_device()": Setting(read, torch.set_default_device)}


def _autocast(torch: Any) -> dict[str, Setting]:
    """Autocast on the CPU and on CUDA devices: whether, to which dtype, and how deeply nested."""

    def state(device: str) -> Setting:
        if hasattr(torch, "get_autocast_dtype"):
            on = (torch.is_autocast_enabled, torch.set_autocast_enabled)
            to = (torch.get_autocast_dtype, torch.set_autocast_dtype)
            return Setting(
                lambda: (on[0](device), to[0](device)),
                lambda was: (on[1](device, was[0]), to[1](device, was[1])),
            )
        part, gpu = ("", "gpu_") if device == "cuda" else ("cpu_", "cpu_")
        reads = f"is_autocast_{part}enabled", f"get_autocast_{gpu}dtype"
        writes = f"set_autocast_{part}enabled", f"set_autocast_{gpu}dtype"
        return Setting(
            lambda: tuple(getattr(torch, name)() for name in reads),
            lambda was: [getattr(torch, n)(v) for n, v in zip(writes, was, strict=True)],
        )

    def nesting() -> int:
        torch.autocast_increment_nesting()
        return int(torch.autocast_decrement_nesting())

    def nest(wanted: int) -> None:
        while nesting() > wanted:
            torch.autocast_decrement_nesting()
        while nesting() < wanted:
            torch.autocast_increment_nesting()
        if not wanted:
            torch.clear_autocast_cache()

    return {
        "torch.is_autocast_enabled('cpu')": state("cpu"),
        "torch.is_autocast_enabled('cuda')": state("cuda"),
        "the nesting of torch.autocast": Setting(nesting, nest),
    }


def _module_hooks(torch: Any) -> dict[str, Setting]:
    """The hooks that every module calls, each kind in a dict."""

    def hooks(of_all: Any) -> Setting:
        return Setting(partial(dict, of_all), lambda was: (of_all.clear(), of_all.update(was)))

    module = torch.nn.modules.module
    return {
        f"{module.__name__}.{name}": hooks(value)
        for name, value in vars(module).items()
        if name.startswith("_global_") and isinstance(value, dict)
    }


def _cached(torch: Any) -> dict[str, Setting]:
    """Whether parametrized weights come from a cache."""
    of = torch.nn.utils.parametrize
    return {"torch.nn.utils.parametrize.cached()": attribute(of, "_cache_enabled")}


def _kernels(torch: Any) -> dict[str, Setting]:
    """Kernels for the CPU in the place of torch's own, which nobody but their owner takes away.

    Those of nested tensors, which no LSTM uses, are registered by torch 2.3 with an optimizer.
    """
    registered = torch.library._impls

    @cache
    def among(_: int) -> list[str]:
        return sorted(n for n in registered if re.fullmatch(r"aten/(?!_nested_).*/CPU", n))

    return {"the kernels of torch": Setting(lambda: among(len(registered)), lambda _: None)}
