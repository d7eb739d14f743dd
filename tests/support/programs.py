"""The program that misbehaves, as a command."""

import os
import shlex
import sys
from pathlib import Path

import reference
from conformance import REQUIREMENTS
from tests.support import misbehaving_program

PROGRAM = Path(misbehaving_program.__file__)
FOLDERS = os.pathsep.join([str(PROGRAM.parents[2]), str(Path(reference.__file__).parents[1])])
"""The folder of the tests and the one of the packages, which may be installed elsewhere."""
SEVERAL = REQUIREMENTS["splitting_time_changes_nothing"]
"""A requirement whose sequences have several steps, in which the program misbehaves."""
SINGLE = REQUIREMENTS["cell_matches_equations"]
"""One whose sequences have a single step, in which it does not."""


def command_of(*arguments: object) -> str:
    """The command that starts it; it finds the packages that the tests have."""
    program = ["env", f"PYTHONPATH={FOLDERS}", sys.executable, str(PROGRAM)]
    return shlex.join([*program, *map(str, arguments)])
