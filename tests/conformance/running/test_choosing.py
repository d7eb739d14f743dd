"""From the options of a run to implementations, devices and budgets."""

from typing import Any

import numpy as np
import pytest
import torch

from conformance import REQUIREMENTS, Budget, Support, UsageError
from conformance.implementations.shipped import SHIPPED, Shipped
from conformance.running.choosing import (
    Target,
    budget,
    decided_on,
    select,
    selection,
    subject,
)
from conformance.running.circumstances import packages
from conformance.running.limiting import devices, with_dtypes
from tests.support.cases import RoundedReference
from tests.support.options import config


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"lstm_requirement": ["nonsense"]}, "unknown requirement 'nonsense': `lstm-conf"),
        (
            {"lstm_requirement": ["results_match_referenc"]},
            r"lists them; did you mean 'results_match_reference'\?",
        ),
        ({"lstm_level": "core,top"}, "unknown level 'top': choose among core, sequence, module"),
        ({"lstm": ["nonsense"]}, "unknown implementation 'nonsense'"),
        ({"lstm_dtype": "float31"}, "unknown dtype 'float31': choose among float64, float32"),
        ({"lstm_dtype": "float32,int8"}, "unknown dtype 'int8'"),
        ({"lstm_device": "tpu"}, "torch.nn.LSTM has no device 'tpu' here, only cpu"),
        ({"lstm_device": "cuda:99"}, "torch.nn.LSTM has no device 'cuda:99' here, only cpu"),
        ({"lstm_device": "cpu,cuda:99"}, "torch.nn.LSTM has no device 'cuda:99' here"),
    ],
)
def test_select_refuses_what_is_not_there(changed: dict[str, Any], told: str) -> None:
    """Each option that asks for what does not exist is refused in one line."""
    with pytest.raises(UsageError, match=told) as caught:
        select(config(**changed))
    assert "\n" not in str(caught.value)


def test_packages_have_a_version_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of an adapter that is imported from its sources belongs to no distribution."""
    shipped = Shipped("mine", "mine:Mine", "mine", ("numpy", "from_sources"))
    monkeypatch.setitem(SHIPPED, "mine", shipped)
    assert packages(["mine"]) == {"numpy": np.__version__}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is present")
def test_select_refuses_cuda_where_there_is_none() -> None:
    """Asking for CUDA without a CUDA device is an error, not a run without it."""
    with pytest.raises(UsageError, match=r"torch.nn.LSTM has no device 'cuda' here, only cpu"):
        select(config(lstm_device="cuda"))


def test_select_gives_every_implementation_on_every_device() -> None:
    """All names on the devices asked for, in the order given."""
    names = ["torch.nn.LSTMCell", "torch.nn.LSTM"]
    chosen = select(config(lstm=[*names, names[0]], lstm_device="cpu"))
    assert [(each.implementation.name, each.devices) for each in chosen.targets] == [
        ("torch.nn.LSTMCell", ["cpu"]),
        ("torch.nn.LSTM", ["cpu"]),
    ]
    assert list(chosen.circumstances["supports"]) == names


def test_selection_is_made_once() -> None:
    """Whoever asks again gets the same implementations."""
    once = config(lstm_device="cpu")
    assert selection(once) is selection(once)


def test_rerun_has_what_finds_the_failure_again() -> None:
    """The command names one requirement of one implementation, and each option that matters."""
    asked = config(
        lstm=["torch.nn.LSTM", "stacked-cells"],
        lstm_requirement=["rows_do_not_interact", "dtypes_follow_input"],
        lstm_memory=4.0,
        lstm_timeout=7.5,
        lstm_profile="quick",
        lstm_max_examples=9,
        lstm_dtype="float32",
        lstm_precision="products=tf32",
        lstm_time_limit=60.0,
        lstm_level="core",
        lstm_json="report.json",
    )
    mine = Target("my folder/mine.py:Mine", RoundedReference(), ["cpu"])
    assert subject(asked, mine, "rows_do_not_interact", "cpu").command == (
        "lstm-conformance verify 'my folder/mine.py:Mine' --requirement rows_do_not_interact "
        "--device cpu --dtype float32 --precision products=tf32 --profile quick "
        "--max-examples 9 --seed 3 --timeout 7.5 --memory 4.0"
    )
    program = Target("node mine.mjs", RoundedReference(), ["cpu"], program=True)
    found = subject(asked, program, "h_n_is_last_output", "cpu")
    assert (found.program, found.implementation) == ("node mine.mjs", "rounded reference")
    assert found.command.startswith("lstm-conformance verify --command 'node mine.mjs' --req")


@pytest.mark.parametrize(
    ("present", "wanted", "chosen"),
    [
        (("cpu",), "", ["cpu"]),
        (("cpu", "cuda:0"), "", ["cpu", "cuda:0"]),
        (("cpu", "cuda:0", "cuda:1"), "cuda", ["cuda:0", "cuda:1"]),
        (("cpu", "cuda:0", "cuda:1"), "cuda:1,cpu", ["cuda:1", "cpu"]),
        (("cpu", "cuda:0"), "cuda,cuda:0", ["cuda:0"]),
        (("cpu", "xpu:0"), "xpu", ["xpu:0"]),
    ],
)
def test_devices_are_those_wanted(present: tuple[str, ...], wanted: str, chosen: list[str]) -> None:
    """``cuda`` means every CUDA device; by default all."""
    implementation = RoundedReference(support=Support(devices=present))
    assert devices(implementation, wanted) == chosen


def test_what_does_not_apply_is_counted_once() -> None:
    """On the first device; what applies is decided on each device on which it does."""

    def places(requirement: str, *present: str) -> list[str]:
        implementation = RoundedReference(support=Support(devices=present))
        target = Target("mine", implementation, list(present))
        return decided_on(REQUIREMENTS[requirement], target, Budget())

    assert places("results_match_reference", "cpu", "cuda:0") == ["cpu", "cuda:0"]
    assert places("device_and_cpu_agree", "cpu", "cuda:0") == ["cuda:0"]
    assert places("repr_tells_the_sizes", "cpu", "cuda:0") == ["cpu"]
    assert places("device_and_cpu_agree", "cpu") == ["cpu"]


def test_with_dtypes_keeps_the_wanted() -> None:
    """Only the dtypes asked for are left, and all where none is asked for."""
    implementation = RoundedReference()
    assert with_dtypes(implementation, "").supports == implementation.supports
    kept = with_dtypes(implementation, "bfloat16,float64").supports.dtypes
    assert set(kept) == {"bfloat16", "float64"}
    assert implementation.supports.dtypes == Support().dtypes


def test_with_dtypes_refuses_what_is_not_supported() -> None:
    """An implementation that computes in none of the dtypes asked for is named."""
    implementation = RoundedReference(support=Support(dtypes=("float64",)))
    with pytest.raises(UsageError, match="rounded reference computes in float64, not in float16"):
        with_dtypes(implementation, "float16")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Budget(100, 3, 10.0)),
        ({"lstm_profile": "quick"}, Budget(20, 3, 10.0)),
        ({"lstm_profile": "thorough"}, Budget(1000, 3, 10.0)),
        ({"lstm_max_examples": 7}, Budget(7, 3, 10.0)),
        ({"lstm_timeout": 8.0}, Budget(100, 3, 2.0)),
        ({"lstm_timeout": 1000.0}, Budget(100, 3, 10.0)),
        ({"lstm_time_budget": 60.0}, Budget(100, 3, 10.0, stretch=10)),
        ({"lstm_time_budget": 60.0, "lstm_max_examples": 7}, Budget(7, 3, 10.0)),
    ],
)
def test_budget_follows_the_options(changed: dict[str, Any], expected: Budget) -> None:
    """Cases by profile unless given; shrinking takes at most a quarter of the time."""
    assert budget(config(**changed)) == expected


@pytest.mark.parametrize(
    ("changed", "chosen"),
    [
        ({"lstm_level": "core"}, (True, False)),
        ({"lstm_level": "module,core"}, (True, True)),
        ({"lstm_requirement": ["repr_tells_the_sizes"]}, (False, True)),
        ({}, (True, True)),
    ],
)
def test_requirements_are_those_that_the_options_name(
    changed: dict[str, Any], chosen: tuple[bool, bool]
) -> None:
    """A requirement is left out where names or levels are given and its own is not among them."""
    names = {each.name for each in select(config(lstm_device="cpu", **changed)).requirements}
    assert ("results_match_reference" in names, "repr_tells_the_sizes" in names) == chosen
