"""Writes what each requirement costs and catches, from a report and from SCORE.md.

``lstm-conformance verify torch.nn.LSTM --device cpu -n 1
--json FILE``, then ``python tests/conformance/running/costs.py FILE``, from the top of the project.
Entries of requirements that the report does not have stay as they are. ``--processor`` is the share
of a processor that the run had, where others took the rest.
"""

import argparse
import json
import re
from pathlib import Path

from conformance import REQUIREMENTS
from conformance.running.dividing import FILE

SCORE = Path(__file__).parents[2] / "faults" / "SCORE.md"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--processor", type=float, default=1.0)
    asked = parser.parse_args()
    costs = json.loads(FILE.read_text(encoding="ascii")) if FILE.exists() else {}
    for path in asked.reports:
        for verdict in json.loads(path.read_text(encoding="utf-8"))["verdicts"]:
            if verdict["cases"]:
                alone = verdict["seconds"] * asked.processor
                seconds = float(f"{alone / verdict['cases']:.2g}")
                costs[verdict["requirement"]] = {"seconds": max(seconds, 1e-4)}
    counted = re.findall(r"^\| \d+ \| (\w+) \| (\d+) \|", SCORE.read_text("utf-8"), re.M)
    caught = {name: int(number) for name, number in counted}
    written = {
        name: {"seconds": costs[name]["seconds"], "caught": caught.get(name, 0)}
        for name in REQUIREMENTS
        if name in costs
    }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(each)}" for name, each in written.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="ascii")


if __name__ == "__main__":
    main()
