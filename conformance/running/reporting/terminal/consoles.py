"""Where text is printed: a terminal wraps lines and keeps their indent, a pipe does not wrap."""

from __future__ import annotations

import sys

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

UNWRAPPED = 1_000_000
"""The width of a pipe: longer than any line."""


class _Plainly(Console):
    """A console that raises BrokenPipeError where rich would exit with 1, which is a verdict."""

    def on_broken_pipe(self) -> None:
        """Raise the error at hand."""
        raise


def console() -> Console:
    """Return the console of standard output."""
    return _Plainly(width=None if sys.stdout.isatty() else UNWRAPPED, highlight=False)


class Indented:
    """A text of which every line, wrapped or not, begins with `indent` spaces."""

    def __init__(self, text: str, indent: int = 0, style: str = "") -> None:
        self.text, self.indent, self.style = text, indent, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines; those of the text that begin with spaces keep them when wrapped."""
        for line in self.text.split("\n"):
            bare = line.lstrip(" ")
            indent = self.indent + len(line) - len(bare)
            room = max(options.max_width - indent, 1)
            for part in Text(bare, self.style).wrap(console, room):
                part.rstrip()
                yield Text(" " * indent) + part
