"""Runs what misbehaves beside a right LSTM, and writes a table of what came of it.

``python -m tests.conformance.running.misbehaviours``, from the top of the project, writes
``MISBEHAVIOURS.md`` beside this file. Names after the command limit the table to these, which are
printed only.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support import deceiving, misbehaving, misbehaving_program
from tests.support.processes import COMMAND, run
from tests.support.programs import FOLDERS

FILE = Path(__file__).with_name("MISBEHAVIOURS.md")
RIGHT = "torch.nn.LSTM"
LOADING = 120.0
"""The seconds that a module may take to be imported."""
AT_ONCE = 8
"""The number of programs in a run; each worker starts all of them."""
FINE = {"passed", "not applicable", "expected failure"}
"""The verdicts that are conformant."""
MARGIN = 10.0
"""The seconds after which nothing may go on once its time is up."""
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
        *("LeavesChildren", "LeavesAProgram", "LeavesADaemon", "KillsItsKeeper", "Warns"),
        *("ComesBackTwice", "ClosesItsOutput", "DeletesTheRunFolder", "RaisesForEver"),
        "ReplacesOpen",
    ),
    deceiving: (
        *("ReplacesModules", "RemovesModules", "LimitsItsFiles", "LimitsTheSizeOfFiles"),
        "LimitsItsMemory",
        *("SaysWhatNobodyCanWrite", "RegistersAKernel"),
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
        *("AltersItsCase", "TakesOutParameters", "UsesItsArraysAgain"),
        *("ReplacesNumpyAbs", "ReplacesBuiltins", "ReplacesTheComparison", "ReplacesHypothesis"),
        *("ReplacesAMethod", "ReplacesTheKernel"),
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
    *(
        "Prints",
        "RaisesOnUnderflow",
        "WritesIntoEveryPipe",
        "AnnouncesALongMessage",
        "LeavesChildren",
    ),
    *("LeavesAProgram", "LeavesADaemon", "Warns", "is_right", "takes_its_time", "answers_slowly"),
    *("writes_noise_later", "doubles_a_gradient", "names_a_stranger"),
    *("TakesOutParameters", "UsesItsArraysAgain", "ComesBackTwice", "DeletesTheRunFolder"),
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
    - `processes`: how many were left
    - `files`: the names of those that were left
    """

    name: str
    what: str
    verdicts: Sequence[str]
    green: bool
    status: int
    others: str
    over: float
    processes: int
    files: Sequence[str]

    def kept(self) -> bool:
        """Return whether the promise was kept."""
        earned = not self.green or self.name in COMPUTES_RIGHT
        left = self.processes or self.files
        return earned and self.others != "no" and self.over <= MARGIN and not left

    def cells(self) -> str:
        """Return the row of the table."""
        verdicts = ", ".join(self.verdicts) or "refused"
        cells = (self.name, self.what, verdicts, self.status, self.others, f"{self.over:.1f}")
        left = self.processes, ", ".join(self.files) or 0
        return " | ".join(map(str, ("", *cells, *left, ""))).strip()


HEAD = (
    *("misbehaviour", "what it does", "verdicts", "exit status", "the right LSTM passed"),
    *("seconds over the limit", "processes left", "files left"),
)


def runs(names: Iterable[str], limit: float) -> Iterator[Callable[[], list[Row]]]:
    """Yield what runs the command for these names, and returns the rows of them."""
    run_of = partial(partial, verified, limit)
    chosen = set(names)
    for name, code in IMPORTED.items():
        if name in chosen:
            yield run_of({"mine.py:Mine": (name, "when it is imported")}, code=code)
    for module, classes in ALONE.items():
        for name in (each for each in classes if each in chosen):
            yield run_of({place(module, name): (name, does(module, name))})
    for module, classes in TOGETHER.items():
        here = [name for name in classes if name in chosen]
        if here:
            yield run_of({place(module, name): (name, does(module, name)) for name in here})
    programs = [name for name in PROGRAMS if name in chosen]
    for first in range(0, len(programs), AT_ONCE):
        here = programs[first : first + AT_ONCE]
        yield run_of({name: (name, "as a program in another process") for name in here}, True)


def place(module: Any, name: str) -> str:
    """Return the name by which the command finds a class."""
    return f"{module.__file__}:{name}"


def does(module: Any, name: str) -> str:
    """Return what a class does, in words."""
    return str(getattr(module, name).__doc__).partition("\n")[0]


def verified(
    limit: float, what: dict[str, tuple[str, str]], programs: bool = False, code: str = ""
) -> list[Row]:
    """Verify all of `what` in one run, and return a row for each."""
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
                *("--max-examples", 20, "--seed", 4, "--timeout", limit, "--memory", 4, "-n", 1),
            ],
            folder,
            MISBEHAVES=place,
            TMPDIR=str(temporary),
        )
        took = time.monotonic() - began
        processes = len(left_processes(place))
        known = {"report.json", "mine.py", "left", "__pycache__", ".lstm-conformance"}
        files = [each.name for each in folder.iterdir() if each.name not in known]
        files += [each.name for each in folder.glob(".lstm-conformance/running-*")]
        files += [each.name for each in temporary.iterdir()]
        report = folder / "report.json"
        verdicts = json.loads(report.read_text("utf-8"))["verdicts"] if report.exists() else []
    theirs = [each for each in verdicts if each["implementation"] != RIGHT]
    right = {each["outcome"] for each in verdicts if each["implementation"] == RIGHT}
    others = "not begun" if not verdicts else "yes" if right and right <= FINE else "no"
    rows = []
    for key, (name, text) in what.items():
        mine = [each for each in theirs if each["implementation"] in (key, name)]
        mine = mine or (theirs if len(what) == 1 else [])
        outcomes = sorted({each["outcome"] for each in mine})
        green = done.returncode == 0 if len(what) == 1 else {*outcomes} <= FINE
        late = [each["seconds"] - limit for each in mine] if verdicts else [took - LOADING]
        over = max(0.0, *late, 0.0)
        row = (name, text, outcomes, green, done.returncode, others, over, processes, files)
        rows.append(Row(*row))
    return rows


def command_of(fault: str) -> str:
    """Return the command of the program with a `fault`, which is its name as well."""
    begin = (
        f"import sys, tests.support.misbehaving_program as it; sys.argv = ['', {fault!r}]; "
        f"it.HELLO['name'] = {fault!r}; it.main()"
    )
    return shlex.join(["env", f"PYTHONPATH={FOLDERS}", sys.executable, "-c", begin])


def left_processes(mark: str) -> list[int]:
    """Return the processes with `mark` in their environment that still run after half a minute.

    A process gets it from the one that started it.
    """
    end = time.monotonic() + 30
    while (found := list(_marked(mark))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked(mark: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"MISBEHAVES={mark}".encode() in (path / "environ").read_bytes().split(b"\0"):
                yield int(path.name)
        except OSError:
            continue


def table(names: Iterable[str], limit: float, jobs: int = 1) -> Iterator[Row]:
    """Yield the rows of the table for these names, of so many runs at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        for made in pool.map(lambda each: each(), [*runs(names, limit)]):
            yield from made


def everything() -> list[str]:
    """Return the names of all misbehaviours."""
    classes = [name for group in (*ALONE.values(), *TOGETHER.values()) for name in group]
    return [*IMPORTED, *classes, *PROGRAMS]


def page(found: Sequence[Row], limit: float) -> str:
    """Return the table with what it says."""
    broken = [row.name for row in found if not row.kept()]
    untried = sorted({*everything()}.difference(row.name for row in found))
    lines = [f"| {' | '.join(HEAD)} |", "| --- " * len(HEAD) + "|", *(row.cells() for row in found)]
    return f"""# What misbehaves

`python -m tests.conformance.running.misbehaviours` has verified each of these beside
`{RIGHT}`, with {len(ASKED)} requirements or one more, and {limit:g} seconds for each. What ends or
holds up its process, or leaves something, had a run of its own. *Refused*: there is no verdict, as
it could not be loaded. A green is earned where the numbers are right.

{len(found) - len(broken)} of {len(found)} kept the promise: no green that was not earned, the right
LSTM got its verdicts, nothing went on for more than {MARGIN:g} seconds after its time, and nothing
was left. Not so: {", ".join(broken) or "none"}. Not tried: {", ".join(untried) or "none"}.

""" + "".join(f"{line}\n" for line in lines)


def main() -> int:
    """Write the table, or print the rows of some names; 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for a requirement")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    asked = parser.parse_args()
    found = []
    for row in table(asked.names or everything(), asked.limit, asked.jobs):
        print(row.cells(), "" if row.kept() else "  <-", flush=True)
        found.append(row)
    if not asked.names:
        FILE.write_text(page(found, asked.limit), encoding="utf-8")
    return int(not all(row.kept() for row in found))


if __name__ == "__main__":
    sys.exit(main())
