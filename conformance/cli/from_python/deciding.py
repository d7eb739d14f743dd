"""Decides items, each in a forked child, or, where forking is not safe, in this process.

A child has whatever this process has: classes of a notebook, and what was loaded before.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from typing import Any

from conformance.checking.process_state import standard_output
from conformance.checking.verdict import Verdict
from conformance.cli.from_python.settled import Settled
from conformance.running import limits
from conformance.running.child import Apart, Ended, Late
from conformance.running.item import Item
from conformance.running.patience import TOOK
from conformance.running.watchdog import MARGIN


class Called(Item):
    """One requirement on one implementation and device, as `config` asks for it."""

    def __init__(self, config: Settled, **what: Any) -> None:
        self.config = config.of_process(f"child{id(self)}")
        self.user_properties = []
        self.prepare(**what)
        self.nodeid = f"{self.requirement.name}[{self.target.implementation.name}|{self.device}]"

    def decided(self) -> tuple[Verdict, float | None]:
        """Return the verdict, and the seconds that a call took, if a call ended."""
        self.begin()
        try:
            with standard_output():
                verdict = self.verdict()
        finally:
            self.end()
        return verdict, dict(self.user_properties).get(TOOK)


Decided = tuple[Called, Verdict | None, float | None]
"""An item, its verdict if there is one, and the seconds that a call took, if a call ended."""


def can_fork() -> bool:
    """Return whether a forked child can compute: not with a GPU, nor beside threads of JAX."""
    if sys.platform != "linux" or "jax" in sys.modules:
        return False
    torch = sys.modules.get("torch")
    return torch is None or not torch.cuda.is_available()


def here(items: Sequence[Called]) -> Iterator[Decided]:
    """Yield the verdict on each item, decided in this process.

    The limit for a requirement interrupts Python code only.
    """
    for item in items:
        item.expendable = False
        yield item, *item.decided()


def in_children(items: Sequence[Called], workers: int) -> Iterator[Decided]:
    """Yield the verdict on each item as it is reached, by so many `workers` at a time.

    There is none of a child that died, or that was ended as it was late. No child outlives this.
    """
    waiting, children = list(items), dict[Any, _Child]()
    try:
        while waiting or children:
            while waiting and len(children) < workers:
                child = _Child(waiting.pop(0))
                children[child.receiving] = child
            ready = wait([*children], min(child.left for child in children.values()))
            late = [receiving for receiving, child in children.items() if child.left <= 0]
            for receiving in dict.fromkeys((*ready, *late)):
                verdict, took = None, None
                with children.pop(receiving) as child, contextlib.suppress(Late, Ended):
                    verdict, took = child.answer(0)
                yield child.item, verdict, took
    finally:
        for child in children.values():
            child.__exit__()


class _Child(Apart):
    """A forked process that decides an item, in the time `left` to it in seconds."""

    def __init__(self, item: Called) -> None:
        memory = item.config.getoption("lstm_memory")
        super().__init__(lambda: iter([item.decided()]), memory=memory, forked=True)
        self.item = item
        self._end = time.monotonic() + limits.granted(item.config, time.time()) + MARGIN

    @property
    def left(self) -> float:
        """The seconds after which the process is late."""
        return max(0.0, self._end - time.monotonic())
