"""What holds for every test, on any machine and under any load.

torch computes on one thread, so that xdist workers do not compete, and exactly, without TF32 on
CUDA devices. Hypothesis looks at no clock. An interrupt interrupts, also where the tests run in the
background of a shell, which ignores interrupts there.
"""

import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _exact_arithmetic_in_one_torch_thread() -> None:
    if "torch" in sys.modules:
        from conformance.implementations.pytorch.modules import set_exact_arithmetic

        set_exact_arithmetic()
