"""Installs TensorFlow.js: ``python tests/languages/tfjs.py FOLDER``, with npm.

Within the folder, not by ``--prefix``: that would have npm look there for its configuration too,
instead of where the machine has it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).with_name("package.json")
QUIET = ("--no-package-lock", "--no-audit", "--no-fund")


def main(folder: str) -> int:
    """Install into ``node_modules`` of `folder`; returns npm's exit status."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("TensorFlow.js is installed by npm, which is not there: install Node.js")
    shutil.copy(PACKAGE, folder)
    return subprocess.run([npm, "install", *QUIET], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
