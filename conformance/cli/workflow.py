"""``lstm-conformance ci``: a workflow for continuous integration, to be copied."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from conformance.errors import UsageError
from conformance.recording.text import one_line

KINDS = ("github", "gitlab")
"""The services with a workflow; its text is ``workflows/KIND.yml``."""
PINNED = ("torch", "numpy", "hypothesis", "pytest", "pytest-xdist")
"""The packages, beside this one, whose versions matter to a verdict or to how it is reached."""
EXAMPLE = ("my_package:MyLSTM",)
WORD = r"[\w./:@+=%,-]+"
"""What a name consists of that needs no quotes."""


def workflow(kind: str, names: Sequence[str] = ()) -> str:
    """Return the text of the workflow that verifies `names`, with the versions installed here.

    A local version, such as 2.13.0+cpu, is that of the package index. Raises :class:`UsageError`
    for a name that the shell or YAML would take for more than a word.
    """
    for name in names:
        if not re.fullmatch(WORD, name):
            raise UsageError(f"{one_line(name)!r} is not one word in a workflow: rename it")
    text = (Path(__file__).parent / "workflows" / f"{kind}.yml").read_text(encoding="utf-8")
    # not str.format: the text has braces of its own
    for name, value in {
        "names": " ".join(names or EXAMPLE),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "packages": " ".join(
            f"{each}=={version(each).partition('+')[0]}" for each in ("lstm-conformance", *PINNED)
        ),
    }.items():
        text = text.replace(f"{{{name}}}", value)
    return text
