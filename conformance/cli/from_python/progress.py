"""How far a run is, while it goes on: a bar in a terminal or in a notebook."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console

from conformance.running.progress import bar, told
from conformance.running.reporting.report import Run

BAR = "<progress value='{done}' max='{total}' style='width:20em'></progress> {what}"


@contextlib.contextmanager
def shown(run: Run, wanted: bool = True) -> Iterator[Callable[[], None]]:
    """Show the progress of `run` within the context.

    The function that the context gives is to be called after each verdict. Where there is neither a
    notebook nor a terminal, nothing is shown.
    """
    display: Any = _display() if wanted else None
    console = Console(stderr=True)

    def html() -> Any:
        done, total = len(run.verdicts), run.total
        text = f"{done} of {total} decided, {told(run)}"
        return display.HTML(BAR.format(done=done, total=total, what=text))

    if display is not None:
        handle = display.display(html(), display_id=True)
        yield lambda: handle.update(html())
    elif wanted and console.is_terminal:
        with bar(console) as moving:
            task = moving.add_task(told(run), total=run.total)
            yield lambda: moving.update(task, description=told(run), completed=len(run.verdicts))
    else:
        yield lambda: None


def _display() -> Any:
    """Return IPython's module for the display if this process is the kernel of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return ipython.display if hasattr(shell, "kernel") else None
