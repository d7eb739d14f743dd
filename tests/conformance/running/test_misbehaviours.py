"""The table of what misbehaves."""

import inspect
from pathlib import Path

import pytest

from tests.conformance.running.misbehaviours import ALONE, FILE, TOGETHER, everything, table

BASES = {"Misbehaving", "Plain", "RightOnASecondDevice"}
"""Classes that others derive from."""
ELSEWHERE = {"LosesItsDevice"}
"""What needs a second device, and is tried with one that is made up."""
KINDS = [
    *("raises SystemExit", "Aborts", "StopsItself", "HoldsTheInterpreter", "DiesOfWrongShapes"),
    *(
        "LeavesChildren",
        "LeavesADaemon",
        "KillsItsKeeper",
        "LimitsItsFiles",
        "EqualToAll",
        "Controls",
        "Prints",
    ),
    *("sleeps_with_children", "floods", "writes_bytes", "exits_in_the_middle"),
]
"""One of each kind."""


def test_everything_that_misbehaves_is_in_the_table() -> None:
    """Whatever the tests have of it, and what the program does as well."""
    for module in {*ALONE, *TOGETHER}:
        listed = {*ALONE.get(module, ()), *TOGETHER.get(module, ())}
        here = {
            name
            for name, each in inspect.getmembers(module, inspect.isclass)
            if each.__module__ == module.__name__ and not name.startswith("_")
            if hasattr(each, "run") or hasattr(each, "forward")
        }
        assert here - BASES - ELSEWHERE == listed - BASES
    names = everything()
    assert len(names) == len(set(names))
    text = FILE.read_text(encoding="utf-8")
    assert [name for name in names if name not in text] == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
def test_promise_is_kept() -> None:
    """No green that was not earned; nothing lost, late or left."""
    found = list(table(KINDS, limit=30.0, jobs=3))  # as most of them wait
    assert {row.name for row in found} == set(KINDS)
    assert [row for row in found if not row.kept()] == []
