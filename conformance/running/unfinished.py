"""The verdict on a case in which a process died or hung, made from the journal of the process."""

from __future__ import annotations

from pathlib import Path

from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.deciding import Watch
from conformance.checking.finding import Finding
from conformance.checking.verdict import Verdict
from conformance.implementations.failures import Died, NoAnswer
from conformance.recording.tape import Tape
from conformance.reproductions.directory import write
from conformance.requirements import REQUIREMENTS
from conformance.running.journal import Entry


def unfinished(
    entry: Entry, root: Path, what: str, seconds: float, late: bool, expected: Expected
) -> Verdict:
    """Return the verdict, and write a reproduction below `root` unless the failure is known.

    - `entry`: the last entry of the journal
    - `root`: the folder of all reproductions
    - `what`: what happened, in words
    - `seconds`: how long the requirement took
    - `late`: whether the process hung; else it died
    - `expected`: the failures that the run expects
    """
    assert entry.case is not None
    assert entry.subject is not None
    tape = Tape()
    tape.steps = entry.steps
    found = Finding(None, entry.case, NoAnswer(what) if late else Died(what), tape)
    here = entry.subject.requirement, entry.now.implementation, entry.subject.device
    watch = Watch(expected.of(*here))
    verdict = watch.of_one(found.verdict(*here, cases=0, seconds=seconds), found)
    if verdict.conformant:
        return verdict
    requirement = REQUIREMENTS[entry.subject.requirement]
    return write(root, requirement, entry.subject, verdict, found, died=True)
