"""Running the command line and pytest as a user does: in processes of their own."""

import os
import subprocess
import sys
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
        timeout=timeout,
        check=False,
    )


def command(*arguments: object, folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run ``lstm-conformance`` with these arguments."""
    return run([*COMMAND, *arguments], folder, **variables)


def pytest(*arguments: object, folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m pytest`` with these arguments."""
    plain = ["-p", "no:cacheprovider"]
    return run([sys.executable, "-m", "pytest", *plain, *arguments], folder, **variables)
