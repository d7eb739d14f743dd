"""``lstm-conformance ci``: a workflow for continuous integration, to be copied."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

KINDS = ("github", "gitlab")
"""The services with a workflow; its text is ``workflows/KIND.yml``."""
PINNED = ("torch", "numpy", "hypothesis", "pytest", "pytest-xdist")
"""The packages, beside this one, whose versions matter to a verdict or to how it is reached."""
EXAMPLE = ("my_package:MyLSTM",)


def workflow(kind: str, names: Sequence[str] = ()) -> str:
    """Return the text of the workflow that verifies `names`, with the versions installed here.

    A local version, such as 2.13.0+cpu, is that of the package index.
    """
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
