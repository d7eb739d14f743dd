"""From the options of a run to the failures that it expects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.checking.expectations.applying import Expected, applied
from conformance.checking.expectations.expectation import Applied, Expectation
from conformance.checking.expectations.reading import entry, known_faults, of_project, read, shown
from conformance.checking.expectations.rewriting import PLACEHOLDER, rewritten
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Undecided
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation
from conformance.recording.json import write_text
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.report import Run


def file(option: Callable[[str], Any]) -> Path | None:
    """Return the file with the entries: the one asked for, or else the project's pyproject.toml.

    `option` returns the value of an option by key. A file to be written anew need not exist.
    """
    asked = option("lstm_expectations")
    if asked is None:
        return of_project(Path.cwd())
    path = Path(asked)
    return None if option("lstm_fix_expectations") and not path.exists() else path


def header(option: Callable[[str], Any]) -> list[str]:
    """Return the line that names the file, if there is one."""
    path = file(option)
    return [] if path is None else [f"expected failures are those in {shown(path)}"]


def expected(
    option: Callable[[str], Any],
    requirements: Iterable[Requirement],
    implementations: Mapping[str, tuple[Implementation, Sequence[str]]],
) -> Expected:
    """Return what a run expects of `requirements`.

    `implementations` are those of the run by name, each with the devices to verify it on. Raises
    :class:`UsageError` for a file that makes no sense, and a condition that cannot be evaluated.
    """
    path = file(option)
    own = [] if path is None else read(path, REQUIREMENTS)
    names = {each.name for each in requirements}
    dtypes = [name for name in (option("lstm_dtype") or "").split(",") if name]
    asked = [each for each in (*own, *known_faults()) if each.requirement in names]
    unjudged = {each.at: "its requirement is not verified here" for each in own}
    found: list[Applied] = []
    for implementation, devices in implementations.values():
        here, others = applied(asked, implementation, devices, dtypes)
        found += here
        unjudged |= others
    for each in (*known_faults(), *(each.entry for each in found)):
        unjudged.pop(each.at, None)
    return Expected("" if path is None else shown(path), tuple(found), unjudged)


def given(expectations: str | Path | Iterable[Mapping[str, Any]]) -> list[Expectation]:
    """Return the entries of a file, or those of a list, by keys; raises :class:`UsageError`."""
    if isinstance(expectations, (str, Path)):
        return read(Path(expectations), REQUIREMENTS)
    listed = () if isinstance(expectations, Mapping) else tuple(expectations)
    if not all(isinstance(each, Mapping) for each in listed) or (expectations and not listed):
        raise UsageError("expectations must be a file, or a list of dicts, each of an entry")
    return [
        entry(values, f"expectations[{number}]", REQUIREMENTS)
        for number, values in enumerate(listed)
    ]


def fix(path: Path, run: Run) -> str:
    """Rewrite the file at `path` from `run`; returns what was done, in a line.

    Raises :class:`UsageError`, and touches nothing, if not everything was decided, and
    :class:`OSError` if the file cannot be written.
    """
    undecided = [each for each in run.verdicts if isinstance(each, Undecided)]
    if not run.complete or undecided:
        raise UsageError(f"{shown(path)} is not rewritten: not every requirement was decided")
    done = rewritten(path, run.expected, run.verdicts)
    write_text(path, done.text)
    todo = f"; give each new one its reason in place of {PLACEHOLDER!r}" if done.added else ""
    left = f" ({', '.join(done.left)})" if done.left else ""
    return f"{shown(path)}: {done}{left}{todo}"
