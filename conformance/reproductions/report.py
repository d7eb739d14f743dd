"""A failure as a bug report in Markdown, ready to be pasted."""

from __future__ import annotations

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.reproductions.script import Script
from conformance.reproductions.subject import Subject

REPORT = """# {implementation} does not meet {requirement}

Required: {claim}

Source: {source}

## What happens

It {outcome}:

```
{lines}
```
{note}
## To reproduce

{how}

```python
{script}
```

## Environment

| | |
|---|---|
{environment}

Found on {device} by lstm-conformance. This command finds it again:

```
{command}
```

`lstm-conformance replay` with the folder of this report runs only this case.
"""

PLAIN = (
    "Run `python reproduce.py`; lstm-conformance is not needed. The script exits with 1 if the "
    "fault shows and with 0 if it does not:"
)
OWN = "Run `python reproduce.py`, with lstm-conformance installed:"
LONGEST = 300
"""The number of lines up to which a script is repeated in the report."""


def report(requirement: Requirement, subject: Subject, verdict: Verdict, script: Script) -> str:
    """Return the report in Markdown."""
    text = script.text.rstrip("\n")
    if text.count("\n") > LONGEST:
        text = "# reproduce.py is too long to be repeated here: please attach the file"
    needs_us = not script.plain or "from reference import" in script.text
    rows = [f"| {name} | {value} |" for name, value in subject.environment.items()]
    return REPORT.format(
        implementation=f"`{verdict.implementation}`",
        requirement=requirement.name,
        outcome=verdict.outcome,
        claim=requirement.claim,
        source=requirement.source,
        lines="\n".join(verdict.lines()),
        note=f"\n{script.note}\n" if script.note else "",
        how=OWN if needs_us else PLAIN,
        script=text,
        environment="\n".join(rows),
        device=verdict.device,
        command=subject.command,
    )
