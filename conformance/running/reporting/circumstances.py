"""What a run was made with, and what its implementations declare, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reference import TOP, Precision
from strategies import Support


def declarations(known: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Yield the name of each implementation that declares anything, and what, in words."""
    for name, supports in known.get("supports", {}).items():
        absent = [each for each in Support.results if each not in supports["results"]]
        if TOP in supports["results"]:
            absent = [f"{each} below the top layer" * (each == "h_n") or each for each in absent]
        declared = known.get("precision", {}).get(name, {})
        said = [
            ("does not take", Support(**supports).lacking()),
            ("does not return", absent),
            ("declares its precision", Precision(**declared).described()),
        ]
        found = [(what, list(items)) for what, items in said if items]
        if found:
            yield name, found


def circumstances(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield versions and settings, each as a name and a text."""
    for name, value in known.items():
        if isinstance(value, str):
            yield name, value
        elif name == "cuda":
            for each, text in value.get("devices", {}).items():
                yield each, text
            for each in ("driver", "cuda", "cudnn"):
                if each in value:
                    yield each, value[each]
        elif name in ("switches", "versions"):
            yield from value.items()
