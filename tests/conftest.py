"""What holds for every test, on any machine and under any load.

torch computes on one thread, so that xdist workers do not compete, Hypothesis looks at no clock,
and an interrupt interrupts, also where the tests run in the background of a shell, which ignores
interrupts there.
"""

import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _one_torch_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
