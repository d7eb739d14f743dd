"""What holds for every test: torch computes on one thread, so that xdist workers do not compete."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    torch.set_num_threads(1)
