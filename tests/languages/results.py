"""Writes the table of RESULTS.md from reports: ``python tests/languages/results.py REPORT...``."""

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("RESULTS.md")
TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end -->)", re.S)


def cell(verdict: dict[str, Any] | None) -> str:
    """One verdict: the share of the bound, or the outcome."""
    if verdict is None or verdict["outcome"] == "not applicable":
        return "-"
    if verdict["outcome"] != "passed":
        return f"**{verdict['outcome']}**"
    share = verdict["largest_share"]
    return "passed" if share is None else f"passed, {share:.1%}"


def table(reports: list[dict[str, Any]]) -> str:
    """Requirements that apply to any of the implementations, with the verdict on each."""
    verdicts = [
        verdict
        for report in reports
        for verdict in report["verdicts"]
        if verdict["device"] == "cpu"
    ]
    versions = {
        name: said for report in reports for name, said in report["run"]["versions"].items()
    }
    found = {(verdict["requirement"], verdict["implementation"]): verdict for verdict in verdicts}
    lines = [
        f"| requirement | {' | '.join(f'`{name}` {said}' for name, said in versions.items())} |",
        f"|---|{'---|' * len(versions)}",
    ]
    for requirement in dict.fromkeys(verdict["requirement"] for verdict in verdicts):
        cells = [cell(found.get((requirement, name))) for name in versions]
        if set(cells) != {"-"}:
            lines.append(f"| `{requirement}` | {' | '.join(cells)} |")
    runs = [report["run"] for report in reports]
    told = "; ".join(
        f"profile {run['profile']}, seed {run['seed']}, {run['seconds']:.0f} s" for run in runs
    )
    return "\n".join([*lines, "", f"On a CPU; {told}.", ""])


def main() -> None:
    """Replace the table in the page."""
    reports = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    text = TABLE.sub(lambda _: table(reports), PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
