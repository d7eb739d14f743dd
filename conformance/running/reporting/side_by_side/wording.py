"""Changes from one report to another in words: as text, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from conformance.checking.verdict import Verdict, grouped
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.side_by_side.changes import Change, Kind
from conformance.running.reporting.side_by_side.reports import Report

WORSE, BETTER, SAME = "worse than before", "no worse than before", "the same as before"


def conclusion(found: Sequence[Change]) -> str:
    """Return what the changes come to."""
    if not found:
        return SAME
    return WORSE if any(change.kind.worse for change in found) else BETTER


def text(old: Report, new: Report, found: Sequence[Change]) -> Iterator[str]:
    """Yield lines: what was compared, the changes by kind, and the conclusion."""
    yield f"{old.file} -> {new.file}"
    yield from (f"  {line}" for line in circumstances(old, new))
    for kind, sentences in _told(found):
        yield ""
        yield f"{kind.value}:"
        yield from (f"  {sentence}" for sentence in sentences)
    yield ""
    yield conclusion(found)


def markdown(old: Report, new: Report, found: Sequence[Change]) -> str:
    """Return the same as Markdown."""
    return page(
        "changes.md.jinja",
        conclusion=conclusion(found),
        old=old,
        new=new,
        circumstances=list(circumstances(old, new)),
        changes=list(_told(found)),
    ).rstrip("\n")


def circumstances(old: Report, new: Report) -> Iterator[str]:
    """Yield what differs in how the two reports were made, and what only one of them is about."""
    for name in ("profile", "seed", "max_examples", "python", "platform", "numpy", "hypothesis"):
        before, after = old.run.get(name), new.run.get(name)
        if before != after:
            yield f"{name.replace('_', ' ')}: {before} before, {after} now"
    for name in new.implementations:
        before, after = old.version(name), new.version(name)
        if name in old.implementations and before != after:
            yield f"{name}: {before} before, {after} now"
    groups = [dict.fromkeys(key[1:] for key in each.by_key) for each in (old, new)]
    for mine, others, which in ((groups[0], groups[1], "before"), (groups[1], groups[0], "now")):
        for implementation, device in mine:
            if (implementation, device) not in others:
                yield f"only {which}: {implementation} on {device}"
    for report, which in ((old, "before"), (new, "now")):
        if not report.complete:
            yield f"not complete: the run {which}"


def _told(found: Iterable[Change]) -> Iterator[tuple[Kind, list[str]]]:
    """Yield each kind with its changes in sentences; those alike are one."""
    for kind, changes in grouped(found, lambda each: each.kind).items():
        alike = grouped(changes, lambda each: (" on ".join(each.key[1:]), _what(each)))
        sentences = [
            (where, ", ".join(dict.fromkeys(each.key[0] for each in same)), what)
            for (where, what), same in alike.items()
        ]
        yield kind, [": ".join(filter(None, parts)) for parts in sentences]


def _what(change: Change) -> str:
    if change.what:
        return change.what
    old, new = change.old, change.new
    if old is None or new is None:
        one = new or old
        assert one is not None
        return one.outcome if new is None else _outcome(one)
    now = _outcome(new)
    return now if old.outcome == new.outcome else f"{old.outcome} before, {now} now"


def _outcome(verdict: Verdict) -> str:
    found, why = verdict.counterexample, ""
    if found is not None and verdict.outcome != "passed":
        why = f"{found.message} in {found.case}"
    elif verdict.reason:
        why = verdict.reason
    return f"{verdict.outcome} ({why})" if why else verdict.outcome
