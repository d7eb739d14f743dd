"""Running the command line and pytest as a user does: in processes of their own."""

import os
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

MAIN = "import sys; from conformance.cli.command import main; sys.exit(main())"
COMMAND = (sys.executable, "-c", MAIN)
"""The command line, wherever its console script is."""
SPECIMENS = Path(__file__).with_name("specimens.py")


def run(
    arguments: list[object], folder: Path, *, timeout: float = 3600, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in `folder`, with environment `variables` besides our own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=folder,
        env={**ours, "COLUMNS": "200", "OMP_NUM_THREADS": "1", **variables},
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=timeout,
        check=False,
    )


def command(*arguments: object, folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run ``lstm-conformance`` with these arguments."""
    return run([*COMMAND, *arguments], folder, **variables)


NEEDED = {"hypothesispytest", "lstm_conformance", "timeout", "xdist", "xdist.looponfail"}
FOREIGN = {each.name for each in entry_points(group="pytest11")} - NEEDED
"""The plugins of pytest that happen to be installed, which may warn or import what they like."""


def pytest(*arguments: object, folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m pytest`` with these arguments, without plugins that are not ours."""
    plain = [each for name in ("cacheprovider", *sorted(FOREIGN)) for each in ("-p", f"no:{name}")]
    return run([sys.executable, "-m", "pytest", *plain, *arguments], folder, **variables)


def alive(processes: list[int]) -> list[int]:
    """Which of the processes run; those that ended but nobody waited for do not."""
    running = []
    for process in processes:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        running += [process] if state != "Z" else []
    return running


def wait_for_end(processes: list[int]) -> list[int]:
    """Those that still run after a minute."""
    deadline = time.monotonic() + 60
    while alive(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive(processes)
