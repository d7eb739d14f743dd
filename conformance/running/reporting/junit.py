"""A report as JUnit XML, which most services for continuous integration read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from conformance.checking.verdict import (
    Crashed,
    ExpectedFailure,
    Failed,
    FailedShould,
    NotApplicable,
    TimedOut,
    Undecided,
    UnexpectedPass,
    Verdict,
    by_target,
)
from conformance.recording.text import printable
from conformance.running.reporting.reading import LONGEST, run_of
from conformance.running.reporting.report import Run

KINDS: dict[str, tuple[type[Verdict], ...]] = {
    "failure": (Failed, UnexpectedPass),
    "error": (Crashed, TimedOut, Undecided),
    "skipped": (NotApplicable, ExpectedFailure, FailedShould),
}
"""The element for each verdict; a passed one has none."""
REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


def junit(report: dict[str, Any]) -> str:
    """Return a test suite for each implementation and device, with a case for each requirement.

    A failed should does not decide, so it is skipped, and its details are the output of the case.
    """
    run = run_of(report)
    suites = ElementTree.Element("testsuites", name="lstm-conformance")
    for (implementation, device), verdicts in by_target(run.verdicts).items():
        suites.append(_suite(f"{implementation} on {device}", verdicts, run, report))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(
    name: str, verdicts: Sequence[Verdict], run: Run, report: dict[str, Any]
) -> ElementTree.Element:
    counts = {
        f"{tag}s" if tag != "skipped" else tag: sum(isinstance(each, kinds) for each in verdicts)
        for tag, kinds in KINDS.items()
    }
    about = {
        "name": _text(name),
        "tests": str(len(verdicts)),
        **{tag: str(count) for tag, count in counts.items()},
        "time": f"{sum(each.seconds for each in verdicts):.3f}",
        "timestamp": report["run"]["started"].removesuffix("Z"),
    }
    suite = ElementTree.Element("testsuite", about)
    known = {"profile": run.profile, "seed": run.seed, **run.circumstances}
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in known.items():
        if isinstance(value, (str, int)):
            ElementTree.SubElement(properties, "property", name=_text(key), value=_text(str(value)))
    for verdict in verdicts:
        suite.append(_case(name, verdict))
    return suite


def _case(suite: str, verdict: Verdict) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_text(suite),
        name=_text(verdict.requirement),
        time=f"{verdict.seconds:.3f}",
    )
    tag = next((tag for tag, kinds in KINDS.items() if isinstance(verdict, kinds)), None)
    if tag is None:
        return case
    lines = [*verdict.lines(), *([verdict.script] if verdict.script else [])]
    found = verdict.counterexample if tag != "skipped" else None
    said = verdict.message if found else verdict.reason or verdict.message
    kind = found.kind if found else verdict.outcome
    if isinstance(verdict, FailedShould):
        said = f"failed should: {verdict.message}"
    first = said.partition("\n")[0]
    element = ElementTree.SubElement(case, tag, type=_text(kind), message=_text(first))
    if tag != "skipped":
        element.text = _text("\n".join(lines))
    elif verdict.explained:
        ElementTree.SubElement(case, "system-out").text = _text("\n".join(lines))
    return case


def _text(text: str) -> str:
    """Return `text` without what XML cannot hold."""
    return REFUSED.sub("?", printable(text, LONGEST))
