"""The implementations known by name, and what each needs; ``shipped.json`` lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

OURS = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class Shipped:
    """An implementation known by name.

    - `text`: what it is, in words;
    - `place`: its class, as ``module:Class``; in the file a module of ours begins with a dot;
    - `extra`: the extra of this project that installs what the class needs;
    - `needs`: the modules of other projects that the class imports;
    - `strict`: whether it must also meet what an LSTM only should, being PyTorch's own.
    """

    text: str
    place: str
    extra: str = ""
    needs: tuple[str, ...] = ()
    strict: bool = False


def _listed() -> dict[str, Shipped]:
    file = Path(__file__).with_suffix(".json")
    found = {}
    for name, row in json.loads(file.read_text(encoding="ascii")).items():
        place = OURS + row["place"] if row["place"].startswith(".") else row["place"]
        found[name] = Shipped(**{**row, "place": place, "needs": tuple(row.get("needs", ()))})
    return found


SHIPPED = _listed()
"""The implementations by their names, as ``lstm-conformance implementations`` lists them."""
