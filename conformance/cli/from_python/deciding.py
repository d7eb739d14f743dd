"""Decides what a call asks for, each item in a forked child, or else in this process.

A child has whatever this process has: classes of a notebook, and what was loaded before.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from time import monotonic
from typing import Any

from hypothesis import strategies as st

from conformance.checking.engine import inapplicable
from conformance.checking.process_state import standard_output
from conformance.checking.verdict import NotApplicable, Passed, Undecided, Verdict
from conformance.cli.from_python.settled import Settled
from conformance.recording.json import encode
from conformance.running import limits
from conformance.running.child import Apart, Ended, Late
from conformance.running.choosing import (
    SELECTION,
    Target,
    budget,
    requirements,
    selected,
    subject,
)
from conformance.running.gathering import Gathering
from conformance.running.isolated import unsafe
from conformance.running.item import Item
from conformance.running.journal import Collected, Doing, Journal
from conformance.running.patience import TOOK
from conformance.running.unfinished import of_dead_worker
from conformance.running.watchdog import MARGIN
from strategies.search import search


class Called(Item):
    """One requirement on one implementation and device, as `config` asks for it."""

    def __init__(self, config: Settled, **what: Any) -> None:
        self.config = config.of_process(f"child{id(self)}")
        self.user_properties = []
        self.prepare(**what)
        self.nodeid = f"{self.requirement.name}[{self.target.implementation.name}|{self.device}]"

    def settled(self) -> Verdict | None:
        """Return the verdict if the requirement does not apply, and write it down; else None."""
        implementation, effort = self.target.implementation, budget(self.config)
        reason = None
        with contextlib.suppress(Exception):  # of the implementation, which becomes a verdict
            reason = inapplicable(self.requirement, implementation, self.device, effort)
        if reason is None:
            return None
        verdict = NotApplicable(*self.key, reason=reason)
        self.journal.decided(verdict)
        return verdict

    def decided(self) -> tuple[Verdict, float | None]:
        """Return the verdict, and the seconds that a call took, if a call ended."""
        self.begin()
        try:
            with standard_output():
                verdict = self.verdict()
        except BaseException as error:
            after = self.after(error)
            if after is None:
                raise
            verdict = after
        finally:
            self.end()
        return verdict, dict(self.user_properties).get(TOOK)


Decided = tuple[Called, Verdict | None, float | None]
"""An item, its verdict if there is one, and the seconds that a call took, if a call ended."""


class Collecting(Gathering):
    """The verdicts on `targets`, whose requirements are the `items`.

    Raises :class:`~conformance.UsageError` for requirements that do not exist.
    """

    def __init__(self, config: Settled, targets: Sequence[Target]) -> None:
        asked = requirements(config.of_pytest)
        super().__init__(config.of_pytest)
        items = self.items = [
            Called(config, requirement=requirement, target=target, device=device)
            for target in targets
            for device in target.devices
            for requirement in asked
        ]
        self.run.total = len(items)
        places = {item.nodeid: item.key for item in items}
        chosen = config.stash[SELECTION] = selected(config.of_pytest, asked, targets)
        what = Collected(places, chosen.circumstances, expected=chosen.expected)
        Journal.of(config.of_pytest).collected(what)

    def decide(self) -> Iterator[Verdict]:
        """Decide all items, and yield each verdict as it is reached."""
        workers = max(1, self.config.getoption("lstm_workers"))
        decided = in_children(self.items, workers) if can_fork() else here(self.items)
        for item, verdict, took in decided:
            if took is not None:
                self.patience.took(item.target.implementation.name, took)
            if verdict is None:  # the process died or hung
                entry, expected = self._entry(item.config.process), self._collected().expected
                verdict = of_dead_worker(self.config, entry, item.nodeid, item.key, "", expected)
            self._add(verdict)
            yield self.run.verdicts[-1]


def can_fork() -> bool:
    """Return whether a forked child can compute, which it cannot with a GPU."""
    torch = sys.modules.get("torch")
    return not unsafe() and (torch is None or not torch.cuda.is_available())


def here(items: Sequence[Called]) -> Iterator[Decided]:
    """Yield the verdict on each item, decided in this process.

    The limit for a requirement interrupts Python code only.
    """
    for item in items:
        item.expendable = False
        yield item, *item.decided()


def in_children(items: Sequence[Called], workers: int) -> Iterator[Decided]:
    """Yield the verdict on each item as it is reached, by `workers` processes at a time.

    There is none of a child that died, or that was ended as it was late. No child outlives this.
    What does not apply needs no child.
    """
    waiting, children = list(items), dict[Any, _Child]()
    if items:
        _prepare(items[0])
    try:
        while waiting or children:
            while waiting and len(children) < workers:
                item = waiting.pop(0)
                settled = item.settled()
                if settled is not None:
                    yield item, settled, None
                    continue
                child = _Child(item)
                children[child.receiving] = child
            if not children:
                return
            ready = wait([*children], min(child.left for child in children.values()))
            late = [receiving for receiving, child in children.items() if child.left <= 0]
            for receiving in dict.fromkeys((*ready, *late)):
                verdict, took = None, None
                with children.pop(receiving) as child, contextlib.suppress(Late, Ended):
                    verdict = child.starved if receiving not in ready else None
                    if verdict is None:
                        verdict, took = child.answer(0)
                yield child.item, verdict, took
    finally:
        for child in children.values():
            child.__exit__()


def _prepare(item: Called) -> None:
    """Do once what each child would do at its beginning, which lasts as long as many decisions.

    Hypothesis looks for generators of random numbers among all objects, versions of packages are
    read, and functions that write JSON are made.
    """
    search(st.none(), lambda _: None, seed="", max_examples=1)
    encode(subject(item.config, item.target, item.requirement.name, item.device))
    encode(Doing())
    Passed(*item.key).to_json()


class _Child(Apart):
    """A forked process that decides an item, in the time `left` to it in seconds."""

    def __init__(self, item: Called) -> None:
        memory = item.config.getoption("lstm_memory")
        super().__init__(lambda: iter([item.decided()]), memory=memory, forked=True)
        self.item = item
        self._limit = self.limit(limits.granted(item.config, monotonic()) + MARGIN)

    @property
    def left(self) -> float:
        """The seconds after which the process may be late, 0 if it is."""
        return self._limit.left

    @property
    def starved(self) -> Verdict | None:
        """The verdict, written down, if the process is late and the machine gave it no time."""
        why = "" if self.left else self._limit.starved
        return self.item.write_down(Undecided(*self.item.key, reason=why)) if why else None
