"""A failure as a bug report in Markdown, ready to be pasted."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.recording.text import printable
from conformance.reproductions.record import Subject
from conformance.reproductions.script import Script

TEMPLATE = Path(__file__).with_suffix(".template").read_text(encoding="ascii")
"""The report in Markdown, with named gaps; read now, as later no file may be opened any more."""
PLAIN = (
    "Run `python reproduce.py`; lstm-conformance is not needed. The script exits with 1 if the "
    "fault shows and with 0 if it does not:"
)
OWN = "Run `python reproduce.py`, with lstm-conformance installed:"
AS = "--as FILE:NAME"
SAVED = f"Save it in a file, and run `python reproduce.py {AS}`, with lstm-conformance installed:"
DEFINED = "Put its source where reproduce.py says so."
LONGEST_TEXT = 10**6
"""The number of characters that are kept of what happened."""
LONGEST = 300
"""The number of lines up to which a script is repeated in the report."""


def report(requirement: Requirement, subject: Subject, verdict: Verdict, script: Script) -> str:
    """Return the report in Markdown."""
    text = script.text.rstrip("\n")
    if text.count("\n") > LONGEST:
        text = "# reproduce.py is too long to be repeated here: please attach the file"
    needs_us = not script.plain or "from reference import" in script.text
    rows = [f"| {name} | {value} |" for name, value in subject.environment.items()]
    lines = printable("\n".join(verdict.lines()), LONGEST_TEXT)
    command = printable(subject.command, LONGEST_TEXT)
    # longer than any in what it encloses, so that nothing there ends it
    inner = re.findall("`{3,}", f"{lines}\n{text}\n{command}")
    why = subject.unloadable
    how = OWN if needs_us else PLAIN
    if why:
        how = f"{why} {DEFINED} {how}" if script.plain else f"{why} {SAVED}"
    return TEMPLATE.format(
        fence="`" * (max(map(len, inner), default=2) + 1),
        implementation=_code(verdict.implementation),
        requirement=requirement.name,
        outcome=verdict.outcome,
        claim=requirement.claim,
        source=requirement.source,
        lines=lines,
        note=f"\n{script.note}\n" if script.note else "",
        how=how,
        script=text,
        environment="\n".join(rows),
        device=verdict.device,
        again=f"{why} This finds it again where it is defined:" if why else "This finds it again:",
        language="python" * bool(why),
        command=command,
        saved=f", if `{AS}` names what was saved in a file" * bool(why),
    )


def _code(text: str) -> str:
    """Return `text` as a span of code, whatever backquotes it has."""
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
