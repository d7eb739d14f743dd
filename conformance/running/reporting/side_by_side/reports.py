"""Reports read back, of this version of the suite or of another one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from conformance.checking.counterexample import Counterexample, Diagnosis
from conformance.checking.verdict import ExpectedFailure, Key, Verdict, from_json
from conformance.errors import UsageError
from conformance.implementations.shipped import SHIPPED
from conformance.running.reporting.reading import loaded, refuse_twice
from conformance.running.reporting.report import FORMAT, VERSION


@dataclass(frozen=True)
class Report:
    """A report: its file, whether it is complete, its circumstances, and its verdicts."""

    file: str
    complete: bool
    run: Mapping[str, Any]
    verdicts: Sequence[Verdict]

    @cached_property
    def by_key(self) -> dict[Key, Verdict]:
        """The verdicts by what they are about."""
        return {each.key: each for each in self.verdicts}

    @property
    def implementations(self) -> list[str]:
        """The implementations that were verified, in their order."""
        return list(dict.fromkeys(each.implementation for each in self.verdicts))

    def version(self, implementation: str) -> str:
        """Return the version of an implementation: its own, or of what it is a part of.

        That are the packages that a shipped adapter needs, else PyTorch, if that was loaded.
        """
        own = self.run.get("versions", {}).get(implementation)
        if own:
            return str(own)
        needs = SHIPPED[implementation].needs if implementation in SHIPPED else ()
        versions = {name: self.run[name] for name in needs or ("torch",) if name in self.run}
        return ", ".join(f"{name} {version}" for name, version in versions.items())

    def dtypes(self, implementation: str) -> tuple[str, ...]:
        """Return the dtypes in which an implementation was verified."""
        declared = self.run.get("supports", {}).get(implementation, {})
        return tuple(declared.get("dtypes", ()))


def read(file: str) -> Report:
    """Return the report in a file, of any version with its schema; raises :class:`UsageError`.

    Optional fields may be missing, as in reports of older versions, and unknown ones are left out.
    """

    def taken(values: Any) -> Report:
        if (values["schema"], values["version"]) != (FORMAT, VERSION):
            raise ValueError(f"is of schema {values['schema']}, version {values['version']}")
        verdicts = [from_json(_known(Verdict, each, "outcome")) for each in values["verdicts"]]
        refuse_twice(each.key for each in verdicts)
        return Report(file, values["complete"], dict(values["run"]), verdicts)

    return loaded(Path(file), taken)


def found_in(names: Sequence[str]) -> list[str]:
    """Return the files that `names` stand for: of a folder all below it that end with ``.json``.

    Files in hidden folders, such as those that failures leave, are not among them. Raises
    :class:`UsageError` for a folder without any.
    """
    files: dict[Path, str] = {}
    for name in names:
        path = Path(name)
        inside = [path]
        if path.is_dir():
            below = sorted(path.rglob("*.json"))
            inside = [each for each in below if not _is_hidden(each.relative_to(path))]
        if not inside:
            raise UsageError(f"there is no report in {name}")
        files.update((each.resolve(), str(each)) for each in inside)
    return list(files.values())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _known(kind: type[Any], values: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """Return those of `values` that are fields of `kind`, likewise within them."""
    names = {field.name for field in fields(kind)}
    found = {name: value for name, value in values.items() if name in names or name in more}
    for name, inner in (("counterexample", Counterexample), ("diagnosis", Diagnosis)):
        if isinstance(found.get(name), Mapping):
            found[name] = _known(inner, found[name])
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers in a version, by which versions are ordered.

    >>> sorted(["torch 2.10.0", "torch 2.9.1+cpu"], key=numbers)
    ['torch 2.9.1+cpu', 'torch 2.10.0']
    """
    return tuple(int(number) for number in re.findall(r"\d+", version))


def failure(verdict: Verdict) -> tuple[str, str] | None:
    """Return the kind of failure and its dtype; None if the requirement holds or is undecided.

    Two failures with the same are taken for the same one, whatever the numbers are.
    """
    found = verdict.counterexample
    if not (verdict.fails or isinstance(verdict, ExpectedFailure)):
        return None
    return (verdict.outcome, "") if found is None else (found.kind or verdict.outcome, found.dtype)
