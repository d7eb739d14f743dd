"""The CUDA devices present, and the libraries and switches with which torch computes on them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from operator import attrgetter
from typing import Any

import torch

SWITCHES = (
    "torch.backends.cudnn.allow_tf32",
    "torch.backends.cuda.matmul.allow_tf32",
    "torch.backends.fp32_precision",
    "torch.backends.cuda.matmul.fp32_precision",
    "torch.backends.cudnn.fp32_precision",
    "torch.backends.cudnn.rnn.fp32_precision",
)
"""Switches of TF32, those that every torch has and those that newer ones have beside them."""


def switches() -> dict[str, str]:
    """Every switch of TF32 that this torch has, as it is now."""
    found = {}
    for name in SWITCHES:
        # versions that do not have one at cuda.matmul say so by an AssertionError
        with contextlib.suppress(AttributeError, RuntimeError, AssertionError):
            found[name] = str(attrgetter(name.partition(".")[2])(torch))
    return found


def cuda() -> dict[str, Any]:
    """Each device with its compute capability, and driver, CUDA and cuDNN; empty without a device.

    ``cudnn_used`` says whether PyTorch's LSTM is cuDNN's.
    """
    count = torch.cuda.device_count()
    if not count:
        return {}
    cudnn: Any = torch.backends.cudnn
    devices = {}
    for index in range(count):
        major, minor = torch.cuda.get_device_capability(index)
        name = torch.cuda.get_device_name(index)
        devices[f"cuda:{index}"] = f"{name}, compute capability {major}.{minor}"
    return {
        "devices": devices,
        "driver": _driver(),
        "cuda": str(torch.version.cuda),
        "cudnn": str(cudnn.version()),
        "cudnn_used": bool(cudnn.is_available() and cudnn.enabled),
    }


def _driver() -> str:
    """The version of the driver, as the driver's own tool says."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "unknown"
    query = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.split("\n")[0].strip()
    return "unknown"
