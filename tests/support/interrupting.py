"""An LSTM during whose verification something happens to the command that verifies it.

The file ``happens`` in the current folder has the moment, what happens and the number of the
process of the command. The LSTM forgets a bias, so that it is shrunk and diagnosed. Before anything
happens, the verdicts that are on disk are copied to ``before``.
"""

import os
import resource
import signal
import time
import traceback
from pathlib import Path
from typing import Any

import torch
from torch import nn

HERE = Path.cwd()
RUNNING = ".lstm-conformance/running-*"


def happens() -> tuple[str, str, int]:
    """The moment, what happens then, and to which process."""
    while not (HERE / "happens").exists():  # the number of the process is known a little later
        time.sleep(0.01)
    moment, what, number = (HERE / "happens").read_text().split()
    return moment, what, int(number)


def happen(now: str) -> None:
    """Let it happen once, if this is the moment."""
    moment, what, number = happens()
    if moment != now:
        return
    try:
        (HERE / "happened").touch(exist_ok=False)
    except FileExistsError:
        return
    written = [path.read_text() for path in HERE.glob(f"{RUNNING}/*.verdicts")]
    (HERE / "before").write_text("".join(written))
    if what != "full":
        os.kill(number, getattr(signal, what))
        time.sleep(0.5)
        return
    for process in (number, os.getpid()):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, 0))


class Interrupts(nn.LSTM):
    """Forgets bias_hh."""

    wrong = 0

    def forward(self, x: Any, hx: Any = None) -> Any:
        shown = x if isinstance(x, torch.Tensor) else x.data
        if shown.any():
            if any(path.stat().st_size for path in HERE.glob(f"{RUNNING}/*.verdicts")):
                happen("verdict")
            if Interrupts.wrong > 3:
                happen("shrinking")
            if any("/diagnosis/" in frame.filename for frame in traceback.extract_stack()):
                happen("diagnosis")
            Interrupts.wrong += 1
        if self.bias:
            with torch.no_grad():
                for name, parameter in self.named_parameters():
                    if "bias_hh" in name:
                        parameter.zero_()
        return super().forward(x, hx)


happen("collection")
