"""From the options of a run to implementations, devices and budgets."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from conformance import REQUIREMENTS, Budget, Support, UsageError
from conformance.running.choosing import asked, budget, devices, select, with_dtypes
from tests.support.cases import RoundedReference


def config(**options: Any) -> Any:
    """What the functions ask of a configuration: the defaults, with these options changed."""
    defaults: dict[str, Any] = {
        "lstm": ["torch.nn.LSTM"],
        "lstm_command": [],
        "lstm_profile": "default",
        "lstm_max_examples": None,
        "lstm_timeout": None,
        "lstm_seed": 3,
        "lstm_device": "",
        "lstm_dtype": "",
        "lstm_precision": "",
        "lstm_time_limit": None,
        "lstm_memory": 8.0,
        "lstm_requirement": [],
        "lstm_level": "",
        "lstm_reproductions": ".lstm-conformance",
    }
    get = {**defaults, **options}.__getitem__
    return SimpleNamespace(getoption=get, stash=pytest.Stash())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"lstm_requirement": ["nonsense"]}, "unknown requirement 'nonsense': `lstm-conf"),
        (
            {"lstm_requirement": ["results_match_referenc"]},
            r"lists them; did you mean 'results_match_reference'\?",
        ),
        ({"lstm_level": "core,top"}, "unknown level 'top': choose among core, sequence, module"),
        ({"lstm_max_examples": 0}, "--max-examples must be at least 1, got 0"),
        ({"lstm_timeout": 0.0}, "--timeout must be a positive number of seconds, got 0"),
        ({"lstm_timeout": -1.0}, "--timeout must be a positive number of seconds, got -1"),
        ({"lstm_timeout": float("nan")}, "--timeout must be a positive number"),
        ({"lstm_timeout": float("inf")}, "--timeout must be a positive number"),
        ({"lstm_time_limit": 0.0}, "--time-limit must be a positive number of seconds, got 0"),
        ({"lstm_memory": -1.0}, "--memory must be a positive number of GiB, got -1"),
        ({"lstm_reproductions": f"{__file__}/x"}, "test_choosing.py is no folder that can be"),
        ({"lstm": ["nonsense"]}, "unknown implementation 'nonsense'"),
        ({"lstm_dtype": "float31"}, "unknown dtype 'float31': choose among float64, float32"),
        ({"lstm_dtype": "float32,int8"}, "unknown dtype 'int8'"),
        ({"lstm_device": "tpu"}, "torch.nn.LSTM has no device 'tpu' here, only cpu"),
        ({"lstm_device": "cuda:99"}, "torch.nn.LSTM has no device 'cuda:99' here, only cpu"),
        ({"lstm_device": "cpu,cuda:99"}, "torch.nn.LSTM has no device 'cuda:99' here"),
    ],
)
def test_select_refuses_what_is_not_there(options: dict[str, Any], told: str) -> None:
    """Each option that asks for what does not exist is refused in one line."""
    with pytest.raises(UsageError, match=told) as caught:
        select(config(**options))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
def test_select_refuses_cuda_where_there_is_none() -> None:
    """Asking for CUDA without a CUDA device is an error, not a run without it."""
    with pytest.raises(UsageError, match=r"torch.nn.LSTM has no device 'cuda' here, only cpu"):
        select(config(lstm_device="cuda"))


def test_select_gives_every_implementation_on_every_device() -> None:
    """All names on the devices asked for, in the order given."""
    chosen = select(config(lstm=["torch.nn.LSTMCell", "torch.nn.LSTM"], lstm_device="cpu"))
    assert [(implementation.name, device) for implementation, device in chosen] == [
        ("torch.nn.LSTMCell", "cpu"),
        ("torch.nn.LSTM", "cpu"),
    ]


@pytest.mark.parametrize(
    ("present", "wanted", "chosen"),
    [
        (("cpu",), "", ["cpu", "cuda"]),
        (("cpu", "cuda:0"), "", ["cpu", "cuda:0"]),
        (("cpu", "cuda:0", "cuda:1"), "cuda", ["cuda:0", "cuda:1"]),
        (("cpu", "cuda:0", "cuda:1"), "cuda:1,cpu", ["cuda:1", "cpu"]),
        (("cpu", "cuda:0"), "cuda,cuda:0", ["cuda:0"]),
        (("cpu", "xpu:0"), "xpu", ["xpu:0"]),
    ],
)
def test_devices_are_those_wanted(present: tuple[str, ...], wanted: str, chosen: list[str]) -> None:
    """``cuda`` means every CUDA device; by default all, and CUDA is named even where it lacks."""
    implementation = RoundedReference(support=Support(devices=present))
    assert devices(implementation, wanted) == chosen


def test_with_dtypes_keeps_the_wanted() -> None:
    """Only the dtypes asked for are left, and all where none is asked for."""
    implementation = RoundedReference()
    assert with_dtypes(implementation, "").supports == implementation.supports
    kept = with_dtypes(implementation, "bfloat16,float64").supports.dtypes
    assert set(kept) == {"bfloat16", "float64"}


def test_with_dtypes_refuses_what_is_not_supported() -> None:
    """An implementation that computes in none of the dtypes asked for is named."""
    implementation = RoundedReference(support=Support(dtypes=("float64",)))
    with pytest.raises(UsageError, match="rounded reference computes in float64, not in float16"):
        with_dtypes(implementation, "float16")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Budget(100, 3, 10.0)),
        ({"lstm_profile": "quick"}, Budget(20, 3, 10.0)),
        ({"lstm_profile": "thorough"}, Budget(1000, 3, 10.0)),
        ({"lstm_max_examples": 7}, Budget(7, 3, 10.0)),
        ({"lstm_timeout": 8.0}, Budget(100, 3, 2.0)),
        ({"lstm_timeout": 1000.0}, Budget(100, 3, 10.0)),
    ],
)
def test_budget_follows_the_options(options: dict[str, Any], expected: Budget) -> None:
    """Cases by profile unless given; shrinking takes at most a quarter of the time."""
    assert budget(config(**options)) == expected


def test_asked_for_is_what_the_options_name() -> None:
    """A requirement is left out where names or levels are given and its own is not among them."""
    core, module = REQUIREMENTS["results_match_reference"], REQUIREMENTS["repr_tells_the_sizes"]
    assert asked(core, config())
    assert asked(core, config(lstm_level="module,core"))
    assert not asked(module, config(lstm_level="core"))
    assert not asked(core, config(lstm_requirement=[module.name]))
    assert not asked(core, config(lstm_requirement=[core.name], lstm_level="module"))
