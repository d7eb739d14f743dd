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
    """Show the progress of `run` within the context; the function it gives is to be called after
    each verdict. Where there is neither a notebook nor a terminal, nothing is shown.
    """
    notebook = _notebook() if wanted else None
    console = Console(stderr=True)
    if notebook is not None:
        with _in_notebook(run, notebook) as advance:
            yield advance
    elif wanted and console.is_terminal:
        with _in_terminal(run, console) as advance:
            yield advance
    else:
        yield lambda: None


def _notebook() -> Any:
    """Return IPython's module for the display if this process is the kernel of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return ipython.display if hasattr(shell, "kernel") else None


@contextlib.contextmanager
def _in_notebook(run: Run, display: Any) -> Iterator[Callable[[], None]]:
    def html() -> Any:
        done, total = len(run.verdicts), run.total
        text = f"{done} of {total} decided, {told(run)}"
        return display.HTML(BAR.format(done=done, total=total, what=text))

    handle = display.display(html(), display_id=True)
    yield lambda: handle.update(html())


@contextlib.contextmanager
def _in_terminal(run: Run, console: Console) -> Iterator[Callable[[], None]]:
    with bar(console) as moving:
        task = moving.add_task(told(run), total=run.total)
        yield lambda: moving.update(task, description=told(run), completed=len(run.verdicts))
