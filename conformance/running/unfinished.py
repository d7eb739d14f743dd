"""The verdict on what a process did when it died or hung, made from the journal of the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.deciding import Watch
from conformance.checking.finding import Finding
from conformance.checking.verdict import Crashed, Key, TimedOut, Undecided, Verdict
from conformance.implementations.failures import Died, Misbehaviour, NoAnswer
from conformance.recording.tape import Tape
from conformance.reproductions.directory import write
from conformance.requirements import REQUIREMENTS
from conformance.running import limits
from conformance.running.baseline import NOTHING, Baseline, baseline
from conformance.running.journal import Entry


def unfinished(
    entry: Entry,
    ended: Misbehaviour,
    root: Path,
    seconds: float,
    expected: Expected,
    known: Baseline = NOTHING,
) -> Verdict:
    """Return the verdict, and write a reproduction below `root` unless the failure is known.

    - `entry`: the last entry of the journal
    - `ended`: what became of the process
    - `root`: the folder of all reproductions
    - `seconds`: how long the requirement took
    - `expected`: the failures that the run expects
    - `known`: the failures that are known from an earlier run
    """
    assert entry.case is not None
    assert entry.subject is not None
    tape = Tape()
    tape.steps = entry.steps
    found = Finding(None, entry.case, ended, tape)
    here = entry.subject.requirement, entry.now.implementation, entry.subject.device
    watch = Watch(expected.of(*here))
    verdict = watch.of_one(found.verdict(*here, cases=0, seconds=seconds), found)
    verdict = known.judged(verdict)
    if verdict.conformant:
        return verdict
    requirement = REQUIREMENTS[entry.subject.requirement]
    return write(root, requirement, entry.subject, verdict, found, died=True)


def of_dead_worker(
    config: pytest.Config,
    entry: Entry | None,
    item: str,
    here: Key,
    late: str,
    expected: Expected,
) -> Verdict:
    """Return the verdict on an item in which a worker died.

    - `entry`: the last entry of the worker's journal, if there is one
    - `item`, `here`: the id of the item, and the requirement, implementation and device
    - `late`: why the worker was ended, if it was
    - `expected`: the failures that the run expects
    """
    loading = "" if entry is None else entry.now.doing
    if loading and loading != item:
        text = f"not begun: {late or 'the process died'} while loading {loading}"
        return Undecided(*here, reason=text)
    if entry is not None and (not loading or entry.case is None):
        entry = None
    limit = limits.timeout(config)
    seconds = 0.0 if entry is None else entry.now.seconds()
    if not late and seconds >= limit:
        late = limits.overdue(limit)
    if limits.is_over(config) and seconds < limit:
        within = "" if entry is None else f" in {entry.case!r}"
        return Undecided(*here, seconds=seconds, reason=limits.reached(config) + within)
    if entry is None:
        kind = TimedOut if late else Crashed
        return baseline(config).judged(kind(*here, reason=late or "the process died"))
    ended = NoAnswer(late) if late else Died("the process died in this case")
    root = Path(config.getoption("lstm_reproductions"))
    return unfinished(entry, ended, root, seconds, expected, baseline(config))
