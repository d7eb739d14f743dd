"""What an LSTM may leave changed in its process, and that the next one does not notice."""

import ctypes
import gc
import importlib.util
import locale
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from conformance import REQUIREMENTS, Case, Failed, load
from conformance.checking import process_state, torch_settings
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.implementations.pytorch.cuda import switches
from conformance.running.loaded import loaded
from reference import Configuration
from tests.support.cases import RoundedReference, random_case

KEPT: list[Any] = []


def enter(context: Any) -> None:
    """Enter a context that is never left."""
    context.__enter__()
    KEPT.append(context)


class Functions(TorchFunctionMode):
    """Refuses every function."""

    def __torch_function__(
        self, function: Any, types: Any, given: Any = (), more: Any = None
    ) -> Any:
        answer = function(*given, **(more or {}))
        return torch.zeros_like(answer) if isinstance(answer, torch.Tensor) else answer


class Operations(TorchDispatchMode):
    """Refuses every operation."""

    def __torch_dispatch__(self, function: Any, *_: Any) -> Any:
        raise RuntimeError(f"no {function}")


def enter_vmap() -> None:
    functorch: Any = torch._C._functorch
    functorch._vmap_increment_nesting(2, "error")


AUTOCAST = "cpu" if hasattr(torch, "set_autocast_dtype") else "cuda"
"""The device whose dtype of autocast can be set; older versions have one alone for the CPU."""


def set_autocast_dtype() -> None:
    if AUTOCAST == "cpu":
        torch.set_autocast_dtype("cpu", torch.float16)
    else:
        torch.set_autocast_gpu_dtype(torch.bfloat16)


def limit(name: str, soft: int) -> Callable[[], None]:
    number = getattr(resource, name)
    return lambda: resource.setrlimit(number, (soft, resource.getrlimit(number)[1]))


def hook(*_: Any) -> Any:
    raise RuntimeError("a hook of all modules")


class Finder:
    """Finds no module, and says so as none should."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        raise RuntimeError(f"no {name}")


def monitor() -> None:
    """Watch every line, in Pythons in which that can be."""
    if hasattr(sys, "monitoring"):
        watch: Any = sys.monitoring
        watch.use_tool_id(5, "mine")
        watch.register_callback(5, watch.events.LINE, lambda *_: None)
        watch.set_events(5, watch.events.LINE)


FUNCTIONS = "the stack of modes of torch functions"
OPERATIONS = "the stack of modes of torch operations"
FORWARD = "torch.nn.modules.module._global_forward_hooks"
SUMS = "allow_fp16_reduced_precision_reduction"
backends: Any = torch.backends
module: Any = torch.nn.modules.module

CHANGES: dict[str, tuple[Callable[[], object], set[str]]] = {
    "default device": (
        lambda: torch.set_default_device("meta"),
        {"torch.get_default_device()", FUNCTIONS},
    ),
    "device": (lambda: enter(torch.device("meta")), {FUNCTIONS}),
    "inference mode": (
        lambda: enter(torch.inference_mode()),
        {
            "torch.is_inference_mode_enabled()",
            "torch.is_grad_enabled()",
            "torch._C._is_fwd_grad_enabled()",
            "torch._C._is_multithreading_enabled()",
        },
    ),
    "no_grad": (lambda: enter(torch.no_grad()), {"torch.is_grad_enabled()"}),
    "autocast": (
        lambda: enter(torch.autocast("cpu", torch.bfloat16)),
        {"torch.is_autocast_enabled('cpu')", "the nesting of torch.autocast"},
    ),
    "autocast of another dtype": (
        set_autocast_dtype,
        {f"torch.is_autocast_enabled('{AUTOCAST}')"},
    ),
    "function mode": (lambda: enter(Functions()), {FUNCTIONS}),
    "dispatch mode": (lambda: enter(Operations()), {OPERATIONS}),
    "vmap": (enter_vmap, {"the nesting of torch.func"}),
    "forward mode": (
        lambda: forward_ad.enter_dual_level(),
        {"the nesting of torch.autograd.forward_ad"},
    ),
    "saved tensors": (
        lambda: enter(torch.autograd.graph.saved_tensors_hooks(hook, hook)),
        {"torch.autograd.graph.saved_tensors_hooks"},
    ),
    "hook": (lambda: module.register_module_forward_hook(hook), {FORWARD}),
    "oneDNN": (
        lambda: torch._C._set_mkldnn_enabled(False),
        {"torch._C._get_mkldnn_enabled()"},
    ),
    "cuDNN": (
        lambda: setattr(backends.cudnn, "benchmark", True),
        {"torch._C._get_cudnn_benchmark()"},
    ),
    "float32 products": (
        lambda: torch.set_float32_matmul_precision("medium"),
        {"torch.get_float32_matmul_precision()"},
    ),
    "flush denormal": (
        lambda: torch.set_flush_denormal(True),
        {"the rounding of subnormal numbers"},
    ),
    "rounding mode": (lambda: ctypes.CDLL(None).fesetround(0x400), {"the rounding mode"}),
    "overwritten parameters": (
        lambda: torch.__future__.set_overwrite_module_params_on_conversion(True),
        {"torch.__future__.get_overwrite_module_params_on_conversion()"},
    ),
    "cached weights": (
        lambda: setattr(torch.nn.utils.parametrize, "_cache_enabled", 1),
        {"torch.nn.utils.parametrize.cached()"},
    ),
    "sums in 16 bits": (
        lambda: setattr(backends.cuda.matmul, SUMS, not getattr(backends.cuda.matmul, SUMS)),
        {"torch._C._get_cublas_allow_fp16_reduced_precision_reduction()"},
    ),
    "new memory": (
        lambda: setattr(torch.utils.deterministic, "fill_uninitialized_memory", False),
        {"torch._C._get_deterministic_fill_uninitialized_memory()"},
    ),
    "fusion in scripts": (
        lambda: torch.jit.set_fusion_strategy([("STATIC", 1)]),
        {"torch._C._jit_set_fusion_strategy()"},
    ),
    "executor of scripts": (
        lambda: torch._C._jit_set_profiling_executor(False),
        {"torch._C._jit_set_profiling_executor()"},
    ),
    "shapes in torch.compile": (
        lambda: setattr(torch.fx.experimental._config, "use_duck_shape", False),
        {"torch.fx.experimental._config"},
    ),
    "trace": (lambda: sys.settrace(lambda *_: None), {"sys.gettrace()"}),
    "profile": (lambda: sys.setprofile(lambda *_: None), {"sys.getprofile()"}),
    "standard error": (lambda: setattr(sys, "stderr", None), {"sys.stderr"}),
    "signal": (
        lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
        {"signal.SIGTERM"},
    ),
    "alarm": (lambda: signal.alarm(1000), {"signal.ITIMER_REAL"}),
    "garbage": (gc.disable, {"garbage collection"}),
    "garbage at once": (lambda: gc.set_threshold(1, 1, 1), {"gc.get_threshold()"}),
    "garbage kept": (lambda: gc.set_debug(gc.DEBUG_SAVEALL), {"gc.get_debug()"}),
    "garbage callback": (lambda: gc.callbacks.append(hook), {"gc.callbacks"}),
    "import hook": (lambda: sys.meta_path.insert(0, Finder), {"sys.meta_path"}),
    "no import hooks": (sys.meta_path.clear, {"sys.meta_path"}),
    "path hook": (lambda: sys.path_hooks.insert(0, hook), {"sys.path_hooks"}),
    "no path": (lambda: setattr(sys, "path", []), {"sys.path"}),
    "thread trace": (lambda: threading.settrace(hook), {"threading.gettrace()"}),
    "thread profile": (lambda: threading.setprofile(hook), {"threading.getprofile()"}),
    "monitoring": (monitor, {"sys.monitoring"}),
    "umask": (lambda: os.umask(0o777), {"os.umask()"}),
    "blocked signals": (
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}),
        {"signal.pthread_sigmask()"},
    ),
    "recursion": (lambda: sys.setrecursionlimit(90), {"sys.getrecursionlimit()"}),
    "threads that take turns": (lambda: sys.setswitchinterval(2), {"sys.getswitchinterval()"}),
    "environment": (lambda: os.environ.pop("PATH"), {"os.environ"}),
    "working directory": (lambda: os.chdir("/"), {"the working directory"}),
    "locale": (lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8"), {"locale.setlocale()"}),
    "print options": (
        lambda: np.set_printoptions(precision=2),
        {"numpy.get_printoptions()"},
    ),
    "open files": (
        limit("RLIMIT_NOFILE", 3),
        {"resource.RLIMIT_NOFILE", "resource.RLIMIT_OFILE"},
    ),
    "file size": (limit("RLIMIT_FSIZE", 0), {"resource.RLIMIT_FSIZE"}),
}
"""Ways to change a process, each with the settings that differ afterwards."""
if importlib.util.find_spec("torch.utils.deterministic") is None:  # PyTorch 2.0 has none
    del CHANGES["new memory"]
if not hasattr(getattr(torch.fx.experimental, "_config", None), "use_duck_shape"):  # nor this one
    del CHANGES["shapes in torch.compile"]
ABSENT = {"resource.RLIMIT_OFILE", "sys.monitoring"} | (
    set()
    if hasattr(torch._C, "_is_multithreading_enabled")
    else {"torch._C._is_multithreading_enabled()"}
)
"""Settings among them that some systems, or versions of torch, do not have or do not tell."""


@pytest.mark.parametrize("name", CHANGES)
def test_change_is_named_and_put_back(name: str) -> None:
    """Each is seen as changed, and all is as before afterwards."""
    change, named = CHANGES[name]
    before = process_state.snapshot()
    try:
        change()
    finally:
        found, left = process_state.restore(before)
    missing = named - before.keys()
    assert missing <= ABSENT
    if name == "locale" and not found:
        pytest.skip("the locale is that one already")
    assert set(found) >= named - missing
    assert left == process_state.changed(before) == []


HOLDS = REQUIREMENTS["results_match_reference"].body
CASE = random_case(Configuration(3, 4))


class Changes(RoundedReference):
    """Changes the process in one way in each call, once it has answered."""

    def __init__(self, way: str) -> None:
        super().__init__(lambda _, result: (CHANGES[way][0](), result)[1])


@pytest.mark.parametrize("name", CHANGES)
def test_next_lstm_does_not_notice(name: str) -> None:
    """The one that changes the process is examined, and PyTorch's own LSTM passes after it."""
    before = process_state.snapshot()
    examine(HOLDS, Changes(name), CASE)
    assert process_state.changed(before) == []
    assert isinstance(examine(HOLDS, load("torch.nn.LSTM"), CASE), float)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rounding mode", "it changed the rounding mode"),
        ("flush denormal", "it changed the rounding of subnormal numbers"),
    ],
)
def test_one_that_changed_the_process_is_blamed(name: str, told: str) -> None:
    """Where a requirement does not hold, the verdict names what the implementation changed."""

    def change(_: Case, result: Any) -> Any:
        CHANGES[name][0]()
        return type(result).of(array + 1 for _, array in result.items())

    found = examine(HOLDS, RoundedReference(change), CASE)
    assert isinstance(found, Finding)
    verdict = found.verdict("it_holds", "changes", "cpu")
    assert isinstance(verdict, Failed)
    assert verdict.reason == told


@pytest.mark.slow
def test_options_of_torch_compile_are_put_back() -> None:
    """A call that lets compiled code fall back in silence changes nothing for the next."""
    dynamo: Any = importlib.import_module("torch._dynamo")
    inductor: Any = importlib.import_module("torch._inductor.config")
    shared = {**inductor.get_config_copy()}

    def change(_: Case, result: Any) -> Any:
        dynamo.config.suppress_errors = True
        inductor.triton.cudagraphs = True
        return type(result).of(array + 1 for _, array in result.items())

    found = examine(HOLDS, RoundedReference(change), CASE)
    assert isinstance(found, Finding)
    verdict = found.verdict("it_holds", "changes", "cpu")
    assert isinstance(verdict, Failed)
    assert verdict.reason == "it changed torch._dynamo.config, torch._inductor.config"
    assert not dynamo.config.suppress_errors
    assert inductor.get_config_copy() == shared


@pytest.mark.slow
def test_options_of_torch_compile_that_are_set_on_loading_stay() -> None:
    """A class that compiles itself needs them in its calls, which are made later."""
    dynamo: Any = importlib.import_module("torch._dynamo")
    before = process_state.snapshot()

    def load_it() -> Any:
        dynamo.config.suppress_errors = True
        torch.set_float32_matmul_precision("medium")
        return load("torch.nn.LSTM")

    try:
        loaded("mine", load_it)
        assert process_state.changed(before) == ["torch._dynamo.config"]
    finally:
        process_state.restore(before)


class Switches:
    """The switches of products on CUDA in the versions that refuse unknown ones in this way."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"Unknown attribute {name}")


def test_switch_that_a_version_does_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its torch raises when asked for it."""
    monkeypatch.setattr("torch.backends.cuda.matmul", Switches())
    name = "torch.backends.cuda.matmul.fp32_precision"
    found = torch_settings._of_torch.__wrapped__()
    assert name not in found
    assert name not in switches()
    assert "torch.is_grad_enabled()" in found


def test_hooks_of_installed_packages_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be imported in a call, and need their hooks later; so with folders on the path."""
    monkeypatch.setattr(hook, "__module__", "pytest")
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = process_state.snapshot()
    gc.callbacks.append(hook)
    sys.path.append("/of/a/library")
    try:
        assert process_state.changed(before) == []
        gc.callbacks.append(print)
        assert process_state.restore(before) == (["gc.callbacks"], [])
        assert gc.callbacks.count(hook) == 1
    finally:
        gc.callbacks.remove(hook)
    assert "/of/a/library" in sys.path


def test_settings_are_watched_in_every_thread() -> None:
    """Signals cannot be set outside the main thread, which is no fault of an LSTM."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(examine(HOLDS, RoundedReference(), CASE)))
    thread.start()
    thread.join()
    assert isinstance(found[0], float)
