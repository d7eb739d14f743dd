"""Runs what misbehaves beside a right LSTM, and writes a table of what came of it.

``python -m tests.conformance.running.misbehaviours``, from the top of the project, writes
``MISBEHAVIOURS.md`` beside this file. What ends or holds up its process, or leaves something, has a
run of its own. Names after the command limit the table to these, and print it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import deceiving, misbehaving, misbehaving_program
from tests.support.processes import COMMAND, run
from tests.support.programs import FOLDERS

FILE = Path(__file__).with_name("MISBEHAVIOURS.md")
RIGHT = "torch.nn.LSTM"
LIMIT = 10.0
"""The seconds that a requirement may take."""
MARGIN = 10.0
"""The seconds after which nothing may go on once its time is up."""
MARK = "MISBEHAVES"
"""The environment variable by which processes of a run are known."""
ASKED = (
    *("results_match_reference", "splitting_time_changes_nothing"),
    *("wrong_state_features_are_refused", "process_state_is_left_alone", "nothing_is_printed"),
)
GRADIENTS = "gradients_match_backpropagation"

ALONE = {
    misbehaving: (
        *("Aborts", "ExitsInC", "RaisesWhatNobodyCatches", "InterruptsItself"),
        *("HogsMemory", "Sleeps", "StopsItself", "HoldsTheInterpreter", "HangsOnThreeSteps"),
        *("DiesOfWrongShapes", "DiesBesideAChild", "WritesIntoEveryPipe", "AnnouncesALongMessage"),
        *("LeavesChildren", "LeavesAProgram", "LeavesADaemon", "Warns"),
    ),
    deceiving: (
        *("ReplacesModules", "RemovesModules", "LimitsItsFiles", "LimitsTheSizeOfFiles"),
        "SaysWhatNobodyCanWrite",
    ),
}
"""What has a run of its own."""
TOGETHER = {
    misbehaving: (
        *("Prints", "ChangesEverything", "RaisesOnUnderflow", "AnswersLists"),
        *("AnswersTheWrongType", "GivesLists", "GivesTensorsThatRequireGrad", "GivesNothing"),
        "HogsMemoryInTorch",
    ),
    deceiving: (
        *("Sevens", "AlwaysRaises", "RaisesWhatLies", "RaisesEveryOtherTime", "EqualToAll"),
        *("ComputesWithItself", "Masked", "Objects", "Records", "Swapped", "PretendsToBeAResult"),
        *("RejectsInItems", "SkipsInOutput", "SubclassesTensors", "MakesTensors"),
        *("ScoresItsGradients", "Controls", "ControlsInItsText", "SupportsOnce"),
        *("ReplacesNumpyAbs", "ReplacesBuiltins", "ReplacesTheComparison", "ReplacesHypothesis"),
        "ReplacesAMethod",
    ),
}
"""What comes to one run."""
PROGRAMS = tuple(
    name
    for name, value in vars(misbehaving_program).items()
    if callable(value) and value.__module__ == misbehaving_program.__name__
    if name not in ("say", "answer", "written", "note", "main")
)
"""The faults of a program in a process of its own, which come to one run as well."""
IMPORTED = {
    "raises BaseException": "raise BaseException('no')",
    "raises SystemExit": "raise SystemExit(0)",
    "has a text that nobody can write": "raise OSError('caf\\udce9')",
    "aborts": "import os; os.abort()",
    "ends its process with success": "import os; os._exit(0)",
    "hangs": "import time; time.sleep(100_000)",
}
"""What happens when a module is imported."""
COMPUTES_RIGHT = {
    *("RaisesOnUnderflow", "WritesIntoEveryPipe", "AnnouncesALongMessage", "LeavesChildren"),
    *("LeavesAProgram", "LeavesADaemon", "Warns", "is_right", "takes_its_time", "answers_slowly"),
    *("writes_noise_later", "doubles_a_gradient", "names_a_stranger"),
}
"""What may be green: its numbers are right, or wrong only where nothing is asked for."""


@dataclass(frozen=True)
class Row:
    """What came of one misbehaviour.

    - `verdicts`: the words for the verdicts on it, each once
    - `green`: whether all of them are conformant
    - `status`: the exit status of the run
    - `others`: whether the right LSTM got all its verdicts, and passed
    - `over`: the seconds that it took longer than the limit
    - `processes`, `files`: how many were left
    """

    name: str
    what: str
    verdicts: Sequence[str]
    green: bool
    status: int
    others: str
    over: float
    processes: int
    files: int

    def kept(self) -> bool:
        """Return whether the promise was kept."""
        earned = not self.green or self.name in COMPUTES_RIGHT
        left = self.processes or self.files
        return earned and self.others != "no" and self.over <= MARGIN and not left

    def cells(self) -> str:
        """Return the row of the table."""
        verdicts = ", ".join(self.verdicts) or "refused"
        cells = (self.name, self.what, verdicts, self.status, self.others, f"{self.over:.1f}")
        return " | ".join(map(str, ("", *cells, self.processes, self.files, ""))).strip()


HEAD = (
    "| misbehaviour | what it does | verdicts | exit status | the right LSTM passed "
    "| seconds over the limit | processes left | files left |"
)


def of_classes(names: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of classes in a run of their own, one run for each of the names."""
    for module, classes in ALONE.items():
        for name in classes:
            if name in names:
                yield from verified({f"{module.__file__}:{name}": (name, of(module, name))})


def of_groups(names: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of what comes to one run."""
    chosen = {
        f"{module.__file__}:{name}": (name, of(module, name))
        for module, classes in TOGETHER.items()
        for name in classes
        if name in names
    }
    if chosen:
        yield from verified(chosen)
    programs = {name: (name, "in a process of its own") for name in PROGRAMS if name in names}
    if programs:
        yield from verified(programs, programs=True)


def of_imports(names: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of modules that misbehave when they are imported."""
    for name, code in IMPORTED.items():
        if name in names:
            yield from verified({"mine.py:Mine": (name, "when it is imported")}, code=code)


def of(module: Any, name: str) -> str:
    """Return what a class does, in words."""
    return str(getattr(module, name).__doc__).partition("\n")[0]


def verified(
    what: dict[str, tuple[str, str]], *, programs: bool = False, code: str = ""
) -> Iterator[Row]:
    """Verify all of `what` in one run, and yield a row for each."""
    with tempfile.TemporaryDirectory(prefix="misbehaves-") as place:
        folder = Path(place) / "project"
        temporary = Path(place) / "temporary"
        folder.mkdir()
        temporary.mkdir()
        if code:
            (folder / "mine.py").write_text(f"{code}\n", encoding="ascii")
        asked = (*ASKED, GRADIENTS) if len(what) > 1 else ASKED
        names = [command_of(name) for name in what] if programs else list(what)
        given = [word for name in names for word in (["--command", name] if programs else [name])]
        began = time.monotonic()
        done = run(
            [
                *(*COMMAND, "verify", *given, RIGHT, "--device", "cpu", "--json", "report.json"),
                *(word for each in asked for word in ("--requirement", each)),
                *("--max-examples", 6, "--seed", 4, "--timeout", LIMIT, "--memory", 4, "-n", 1),
            ],
            folder,
            **{MARK: place, "TMPDIR": str(temporary)},
        )
        took = time.monotonic() - began
        left = len(left_processes(place))
        known = {"report.json", "mine.py", "left", "__pycache__", ".lstm-conformance"}
        files = [each for each in folder.iterdir() if each.name not in known]
        files += [*folder.glob(".lstm-conformance/running-*"), *temporary.iterdir()]
        yield from rows(what, folder / "report.json", done.returncode, took, left, len(files))


def rows(
    what: dict[str, tuple[str, str]],
    report: Path,
    status: int,
    took: float,
    processes: int,
    files: int,
) -> Iterator[Row]:
    """Yield a row for each of `what`, from the report of their run."""
    verdicts = json.loads(report.read_text("utf-8"))["verdicts"] if report.exists() else []
    right = [each["outcome"] for each in verdicts if each["implementation"] == RIGHT]
    fine = {"passed", "not applicable", "expected failure"}
    others = "yes" if right and set(right) <= fine else "no" if verdicts else "not begun"
    theirs = [each for each in verdicts if each["implementation"] != RIGHT]
    for place, (name, does) in what.items():
        mine = [each for each in theirs if each["implementation"] in (place, name)]
        mine = mine or (theirs if len(what) == 1 else [])
        outcomes = sorted({each["outcome"] for each in mine})
        seconds = max((each["seconds"] for each in mine), default=took if not verdicts else 0.0)
        limit = LIMIT if mine else 120.0  # of loading
        green = status == 0 if len(what) == 1 else bool(mine) and set(outcomes) <= fine
        over = max(0.0, seconds - limit)
        yield Row(name, does, outcomes, green, status, others, over, processes, files)


def command_of(fault: str) -> str:
    """Return the command of the program with a `fault`, which is its name as well."""
    begin = (
        f"import sys, tests.support.misbehaving_program as it; sys.argv = ['', {fault!r}]; "
        f"it.HELLO['name'] = {fault!r}; it.main()"
    )
    return shlex.join(["env", f"PYTHONPATH={FOLDERS}", sys.executable, "-c", begin])


def left_processes(mark: str) -> list[int]:
    """Return the processes with `mark` in their environment that still run after five seconds."""
    end = time.monotonic() + 5
    while (found := list(_marked(mark))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked(mark: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)
        except OSError:
            continue


def table(names: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of the table for these names, as they are reached."""
    for part in (of_imports, of_groups, of_classes):
        yield from part(names)


def everything() -> list[str]:
    """Return the names of all misbehaviours."""
    classes = [name for group in (*TOGETHER.values(), *ALONE.values()) for name in group]
    return [*IMPORTED, *classes, *PROGRAMS]


def main() -> None:
    """Write the table, or print the rows of some names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    found = []
    for row in table(names or everything()):
        print(row.cells(), "" if row.kept() else "  <-", flush=True)
        found.append(row)
    broken = [row.name for row in found if not row.kept()]
    if names:
        return
    text = f"""# What misbehaves

`python -m tests.conformance.running.misbehaviours` has verified each of these beside
`{RIGHT}`: {len(ASKED)} requirements or one more, 6 cases, {LIMIT:g} seconds for a requirement.
What has another exit status than its neighbours had a run of its own. *Refused*: there is no
verdict, since it could not be loaded. A green is earned where the numbers are right.

{len(found) - len(broken)} of {len(found)} kept the promise: no green that was not earned, the right
LSTM got its verdicts, nothing went on for more than {MARGIN:g} seconds after its time, and nothing
was left. Not so: {", ".join(broken) or "none"}.

{HEAD}
|{" --- |" * HEAD.strip("|").count("|")} --- |
"""
    FILE.write_text(text + "".join(f"{row.cells()}\n" for row in found), encoding="utf-8")
    sys.exit(bool(broken))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
