"""``lstm-conformance replay``: decides the case of a reproduction again, in a separate process."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from hypothesis.errors import HypothesisDeprecationWarning, UnsatisfiedAssumption

from conformance.checking.budget import ANSWER, MEMORY
from conformance.checking.engine import attempt
from conformance.checking.expectations.applying import applied
from conformance.checking.expectations.deciding import Watch
from conformance.checking.expectations.reading import known_faults
from conformance.checking.finding import Finding
from conformance.checking.verdict import NotApplicable, Passed, Verdict, from_json
from conformance.cli.trust import refuse_strangers
from conformance.errors import UsageError
from conformance.implementations import failures
from conformance.implementations.failures import Died, Failure, NoAnswer
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import load
from conformance.implementations.programs.external import CommandImplementation
from conformance.implementations.shipped import SHIPPED
from conformance.inference.taking import take
from conformance.recording.tape import Tape
from conformance.reproductions.record import FILE, Record, read
from conformance.reproductions.report import AS
from conformance.requirements import REQUIREMENTS
from conformance.running.child import Apart, Ended, Late, Starved
from conformance.running.circumstances import exact_arithmetic
from conformance.running.deciding import DIAGNOSIS, diagnosed
from conformance.running.folder import RUN, RunFolder
from conformance.running.journal import collected
from conformance.running.journal import read as read_journal
from conformance.running.limiting import with_precision
from conformance.running.limits import LOADING, overdue
from conformance.running.loaded import loaded
from conformance.running.unfinished import unfinished


def replay(
    folder: Path,
    name: str | None = None,
    seconds: float = ANSWER,
    memory: float = MEMORY,
    *,
    trust: bool = False,
) -> Verdict:
    """Return the verdict on the case in a folder.

    - `folder`: the folder of a reproduction
    - `name`: another implementation than the one that the case was found on; a path in it is
      relative to the current folder
    - `seconds`, `memory`: limits of the process, in seconds and GiB
    - `trust`: whether what the case was found on is run wherever it comes from

    Raises :class:`UsageError` if the folder has no case, if what the case was found on is not from
    the current folder and there is no `trust`, or if the implementation, the requirement or the
    device does not exist.
    """
    record = read(folder)
    if record.subject.requirement not in REQUIREMENTS:
        raise UsageError(
            f"{folder / FILE} names {record.subject.requirement}, which is not a requirement of "
            "this lstm-conformance: install the version that wrote the file"
        )
    shown_as = name or record.subject.implementation
    again = name is None or bool(record.subject.program and name == record.subject.implementation)
    if name is None and record.subject.unloadable:
        raise UsageError(f"{record.subject.unloadable} Save it in a file, and add {AS}")
    name = name or _place(record)
    if again and not trust:
        refuse_strangers(folder, record.subject)
    with Apart(_answers, record, name, again, memory=memory) as process:
        try:
            watch = Watch(process.answer(LOADING))
        except (Late, Ended) as error:
            raise UsageError(f"{name!r}: {error} while loading it") from None
        started = perf_counter()
        ended: Failure
        try:
            verdict = process.answer(seconds)
        except Starved as error:
            ended = failures.Starved(str(error))
        except Late:
            ended = NoAnswer(overdue(seconds))
        except Ended:
            ended = Died("the process died in this case")
        else:
            with contextlib.suppress(Late, Ended):
                verdict = process.answer(2 * DIAGNOSIS)
            return replace(from_json(verdict), implementation=shown_as)
    here = record.subject.requirement, shown_as, record.subject.device
    found = Finding(None, record.case, ended, Tape())
    return watch.of_one(found.verdict(*here, seconds=perf_counter() - started), found)


def finished(folder: Path) -> list[Path]:
    """Return `folder`; or, if a run that was ended left `folder`, the reproductions made from it.

    There is one for each process of the run that was in a case. Raises :class:`UsageError` if there
    is none.
    """
    if (folder / FILE).is_file() or not (folder / RUN).is_file():
        return [folder]
    made = []
    for process in RunFolder(folder).processes:
        entry = read_journal(process)
        if entry is None or entry.case is None or entry.subject is None:
            continue
        ended = Died("the process died or was ended in this case")
        seconds = entry.now.seconds()
        expected = collected(folder).expected
        verdict = unfinished(entry, ended, folder.resolve().parent, seconds, expected)
        if verdict.reproduction:
            made.append(Path(entry.subject.folder) / verdict.reproduction)
    if not made:
        raise UsageError(f"{folder}: no process of the run was in a case that can be replayed")
    return made


def _place(record: Record) -> str:
    """Return the name of the implementation, with an absolute path if it has a path."""
    name, folder = record.subject.implementation, Path(record.subject.folder)
    place, colon, attribute = name.rpartition(":")
    if place.endswith(".py"):
        path = folder / place
        if not path.is_file():
            raise UsageError(f"{name!r} is gone: there is no file {path}; use --as NAME")
        return f"{path}{colon}{attribute}"
    return name


def _answers(record: Record, name: str, again: bool) -> Iterator[Any]:
    """Yield the known faults that apply once `name` is loaded, then verdicts as JSON.

    With `again` it is the one that the case was found on, and runs in the same folder as then.
    """
    folder = Path(record.subject.folder)
    if again and name not in SHIPPED and folder.is_dir():
        os.chdir(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        # some requirements call hypothesis.assume, which is deprecated outside Hypothesis
        warnings.simplefilter("ignore", HypothesisDeprecationWarning)
        program = record.subject.program
        started = again and program
        # from Python also what is inferred is verified under its own name
        inferring = again or record.subject.unloadable
        given = partial(_inferred if inferring else load, name)
        what = partial(CommandImplementation, program) if started else given
        implementation = loaded(name, what)
        implementation = with_precision(implementation, record.subject.precision)
        if record.subject.device not in implementation.supports.devices:
            raise UsageError(f"{name} has no device {record.subject.device!r} here")
        exact_arithmetic()
        known = known_faults(record.subject.requirement)
        expected, _ = applied(known, implementation, [record.subject.device])
        yield expected
        for verdict in _verdicts(implementation, record, Watch(expected)):
            yield verdict.to_json()


def _inferred(name: str) -> Implementation:
    return take(name).implementation


def _verdicts(implementation: Implementation, record: Record, watch: Watch) -> Iterator[Verdict]:
    """Yield the verdict of one run on the case; then, if it failed, that with its diagnosis."""
    requirement = REQUIREMENTS[record.subject.requirement]
    here = (requirement.name, implementation.name, record.subject.device)
    lacking = implementation.supports.lacking_for(record.case)
    needed = requirement.applies(implementation)
    if isinstance(needed, str) or lacking:
        reason = f"the case needs {', '.join(lacking)}, which is not supported"
        yield NotApplicable(*here, reason=needed if isinstance(needed, str) else reason)
        return
    started = perf_counter()
    try:
        found = attempt(requirement, implementation, record.case)
    except UnsatisfiedAssumption:
        yield NotApplicable(*here, reason="the requirement cannot be decided from this case")
        return
    seconds = perf_counter() - started
    if not isinstance(found, Finding):
        yield Passed(*here, 1, found, seconds)
        return
    verdict = watch.of_one(found.verdict(*here, seconds=seconds), found)
    yield verdict
    yield diagnosed(verdict, requirement, found)
