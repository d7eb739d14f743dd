"""A failure as a bug report, to be pasted."""

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
{said}
## To reproduce

{how}

```python
{script}
```

## Environment

| | |
|---|---|
{environment}

Found on {device} by lstm-conformance, and found again by

```
{command}
```

`lstm-conformance replay` on the folder of this report runs the case alone.
"""

PLAIN = (
    "`python reproduce.py`, without lstm-conformance; it exits with 1 where the fault shows and "
    "with 0 where it does not:"
)
OWN = "`python reproduce.py`, with lstm-conformance installed:"
LONGEST = 300
"""Lines of the longest script that is repeated in the report."""


def report(requirement: Requirement, subject: Subject, verdict: Verdict, script: Script) -> str:
    """The report in Markdown."""
    text = script.text.rstrip("\n")
    if text.count("\n") > LONGEST:
        text = "# reproduce.py is too long to be repeated here: attach it"
    needs_us = not script.plain or "from reference import" in script.text
    rows = [f"| {name} | {value} |" for name, value in subject.environment.items()]
    return REPORT.format(
        implementation=f"`{verdict.implementation}`",
        requirement=requirement.name,
        outcome=verdict.outcome,
        claim=requirement.claim,
        source=requirement.source,
        lines="\n".join(verdict.lines()),
        said=f"\n{script.said}\n" if script.said else "",
        how=OWN if needs_us else PLAIN,
        script=text,
        environment="\n".join(rows),
        device=verdict.device,
        command=subject.command,
    )
