"""Write FOUND.md: every fault of a framework that this suite found, each with a script."""

from __future__ import annotations

import re
from pathlib import Path

from tests.adapters.findings import FINDINGS, Finding

HERE = Path(__file__).parent
PAGE = HERE / "FOUND.md"

INTRODUCTION = """\
# Found in the wild

Written by `python tests/adapters/found.py`. These are the faults of frameworks that this suite
found, each with the versions it was seen with, a script that needs only that framework, and the
documentation that it contradicts. What a framework does beside its documentation, or as its
documentation says, is in [TABLE.md](TABLE.md). Public reports were not searched for these faults.
PyTorch's own, which every run of `torch.nn.LSTM` expects to see, are declared in
[checking](../../conformance/checking).
"""


def page() -> str:
    """The text of the page, from the findings, the table of versions, and the other pages."""
    faults = [each for each in FINDINGS if each.kind == "fault"]
    parts = [INTRODUCTION]
    for number, each in enumerate(faults, 1):
        parts.append("\n".join(each.markdown(number)) + f"\n\nSeen with {versions(each)}.\n")
    parts.append("## On CUDA devices, and in other languages\n")
    cuda = (HERE / "CUDA.md").read_text(encoding="utf-8")
    seen = [f"- {title}: [CUDA.md](CUDA.md)" for title in re.findall(r"^## (.*)$", cuda, re.M)]
    seen.append("- TensorFlow.js and PyTorch's C++ frontend: [RESULTS.md](../languages/RESULTS.md)")
    parts.append("\n".join(seen) + "\n")
    return "\n".join(parts).replace("\n### ", "\n## ")


def versions(finding: Finding) -> str:
    """The versions in the table of the first implementation that has the finding."""
    name = finding.implementations[0]
    table = (HERE / "TABLE.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {re.escape(name)} \|.*\| ([^|]*) \| [\d-]+ \|$", table, re.M)
    assert row, name
    return row[1]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
