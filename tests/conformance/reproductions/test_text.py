"""What a failure leaves can be read, compiled and pasted, whatever text the failure has."""

import re
from pathlib import Path
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Support, check
from conformance.checking.finding import Finding
from conformance.implementations.declared import declared
from conformance.reproductions.directory import REPORT, SCRIPT, write
from conformance.reproductions.record import Subject, read

TEXTS = {
    "a surrogate": "caf\udce9",
    "NUL": "nothing\0after",
    "an escape sequence": "\x1b[31mred\x1b[0m\x9b1m",
    "carriage returns": "50 %\r100 %\r\ndone",
    "a fence": "```\n# not a heading\n````python\nend",
    "quotes": "\"\"\"; import os; os.abort(); ''' \\",
    "direction": "\u202edesrever",
    "no end": "x" * 10**6,
    "backquotes": "`` ` ``",
}


class Says:
    """Raises an exception with this text, and is called so."""

    supports = Support(dtypes=("float64",), gradients=False)

    def __init__(self, text: str) -> None:
        self.name = self.text = text

    def run(self, case: Any) -> Any:
        raise RuntimeError(self.text)


@pytest.mark.parametrize("kind", TEXTS)
def test_reproduction_holds_any_text(kind: str, tmp_path: Path) -> None:
    """The script compiles, the report has its fences, and the case is read back."""
    requirement = REQUIREMENTS["results_match_reference"]
    found: list[Finding] = []
    implementation = declared(Says(TEXTS[kind]))
    verdict = check(requirement, implementation, budget=Budget(1, 1, 0.0), keep=found.append)
    assert isinstance(verdict, Crashed)
    assert verdict.implementation.isprintable()
    assert len(verdict.implementation) < 250
    name = f"{TEXTS[kind][:40]}.py:Says"
    subject = Subject(requirement.name, name, "cpu", str(tmp_path), f"lstm-conformance {name!r}")
    written = write(tmp_path, requirement, subject, verdict, found[0])
    folder = tmp_path / written.reproduction
    compile((folder / SCRIPT).read_bytes(), SCRIPT, "exec")
    text = (folder / REPORT).read_text(encoding="utf-8")
    assert all(each.isprintable() or each in "\n\t" for each in text)
    fences = re.findall(r"^(`{3,})", text, re.M)
    longest = max(fences, key=len)
    assert fences.count(longest) == 6
    assert text.index("\n## To reproduce\n") > text.index(f"\n{longest}\n")
    again = read(folder)
    assert again.subject == subject
    assert verdict.lines()[0].startswith(again.message)
