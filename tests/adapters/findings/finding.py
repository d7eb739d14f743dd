"""A difference between a shipped implementation and the requirements, examined."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.checking.verdict import Verdict

KINDS = ("fault", "undocumented", "declared", "avoided")
"""Against the documentation, beside it, as it says; or steered round by the adapter, so no red."""


@dataclass(frozen=True)
class Finding:
    """Who has it, where it shows, what it is, how to see it, who says otherwise or declares it.

    It covers a red of one of `requirements`, if any are named, whose report says one of `saying`,
    if any are given. `reproduction` is a script without this project, which prints `shows`, or
    without that ends its process by a signal. What is `rare` need not show in the few cases tried.
    """

    title: str
    kind: str
    implementations: tuple[str, ...]
    text: str
    reproduction: str
    shows: str
    source: str
    requirements: tuple[str, ...] = ()
    saying: tuple[str, ...] = ()
    rare: bool = False

    def covers(self, verdict: Verdict) -> bool:
        if verdict.conformant or verdict.implementation not in self.implementations:
            return False
        if self.kind == "avoided":
            return False
        said = "\n".join(verdict.lines())
        return (not self.requirements or verdict.requirement in self.requirements) and (
            not self.saying or any(text in said for text in self.saying)
        )

    def markdown(self, number: int) -> list[str]:
        """A section of the table's page."""
        lines = " and ".join(f"`{line}`" for line in self.shows.splitlines())
        shown = f"prints {lines}" if lines else "ends the process by a signal"
        return [
            f"### {number}. {self.title}",
            "",
            f"{', '.join(self.implementations)}; {self.kind}. {self.text} This {shown}:",
            "",
            "```python",
            self.reproduction.strip(),
            "```",
            "",
            f"Source: {self.source}",
        ]
