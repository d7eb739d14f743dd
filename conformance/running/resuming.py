"""Goes on with a run that ended before it was complete, from the verdicts that it left on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.checking.verdict import Verdict
from conformance.errors import UsageError
from conformance.running import options
from conformance.running.folder import PREFIX, Asked, RunFolder
from conformance.running.journal import collected

REFUSED = "the run cannot be resumed"


@dataclass(frozen=True)
class Unfinished:
    """What a run that ended too early left: its folder, options, circumstances, and verdicts."""

    folder: RunFolder
    asked: Asked
    circumstances: Mapping[str, Any]
    verdicts: list[Verdict]


def unfinished(values: Mapping[str, Any], taker: str) -> Unfinished:
    """Return the last run that ended too early, if it had the options in `values`, by key.

    Raises :class:`UsageError` if there is none, or if one of its options was another.
    """
    root = Path(values["lstm_reproductions"])
    found = [each for each in map(_read, root.glob(f"{PREFIX}*")) if each is not None]
    if not found:
        raise UsageError(f"there is nothing to resume: no unfinished run has verdicts in {root}")
    last = max(found, key=lambda each: each.asked.started)
    before, now = last.asked.options, options.deciding(values)
    for option in options.of(taker):
        flag = option.flag(taker) or option.metavar
        _require_same(flag, before.get(option.key), now.get(option.key))
    if values["lstm_seed"] is not None:
        _require_same("its seed", last.asked.seed, values["lstm_seed"])
    return last


def _read(path: Path) -> Unfinished | None:
    folder = RunFolder(path)
    if not folder.left():
        return None
    try:
        asked = folder.asked()
    except UsageError:  # of another version
        return None
    verdicts = list(folder.verdicts())
    return Unfinished(folder, asked, collected(path).circumstances, verdicts) if verdicts else None


def check_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise :class:`UsageError` unless the circumstances are those `before`; both are as in JSON.

    Where nothing is known of those before, all are right.
    """
    for name in dict.fromkeys((*before, *now)) if before else ():
        if name == "sources" and before.get(name) != now.get(name):
            raise UsageError(f"{REFUSED}: a file with a class that is verified has changed")
        _require_same(name, before.get(name), now.get(name))


def _require_same(what: str, before: Any, now: Any) -> None:
    if before != now:
        raise UsageError(f"{REFUSED}: {what} was {before} and is {now}")
