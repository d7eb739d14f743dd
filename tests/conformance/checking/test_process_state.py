"""What a call must leave as it was in its process."""

import ctypes
import os
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from conformance.checking import process_state

CHANGES = {
    "warnings.filters": lambda: warnings.simplefilter("error", ResourceWarning),
    "the working directory": lambda: os.chdir("/"),
    "torch.get_default_dtype()": lambda: torch.set_default_dtype(torch.float16),
    "torch.is_grad_enabled()": lambda: torch.set_grad_enabled(False),
    "torch.get_num_threads()": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch.get_deterministic_debug_mode()": lambda: torch.set_deterministic_debug_mode("warn"),
    "torch.is_anomaly_enabled()": lambda: torch.autograd.set_detect_anomaly(True),
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("name", CHANGES)
def test_changed_setting_is_named_and_put_back(name: str) -> None:
    """Each is seen as changed, alone, and is as before after the block."""
    before = process_state.snapshot()
    with process_state.restored():
        CHANGES[name]()
        assert process_state.changed(before) == [name]
    assert process_state.changed(before) == []


@pytest.mark.parametrize("draw", [lambda: np.random.rand(), lambda: torch.rand(1)])
def test_random_states_are_watched_where_asked_for(draw: Callable[[], object]) -> None:
    """A number drawn changes the state of its generator, which can be put back."""
    before = process_state.snapshot(random=True)
    with process_state.restored(random=True):
        draw()
        assert len(process_state.changed(before)) == 1
    assert process_state.changed(before) == []


def test_standard_output_is_taken_from_every_writer(capfd: pytest.CaptureFixture[str]) -> None:
    """From Python, from the file descriptor and from C's buffers, and nothing passes on."""
    with process_state.standard_output() as written:
        print("python")
        os.write(1, b"descriptor\n")
        ctypes.CDLL(None).printf(b"in C\n")
    assert {"python", "descriptor", "in C"} == set(written.getvalue().splitlines())
    print("afterwards")
    assert capfd.readouterr().out == "afterwards\n"
