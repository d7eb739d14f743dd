"""Collects the verdicts of a call, as those of a run of the command are collected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checking.verdict import Verdict
from conformance.cli.from_python.deciding import Called, Decided, can_fork, here, in_children
from conformance.cli.from_python.settled import Settled
from conformance.running.choosing import SELECTION, Target, requirements, selected
from conformance.running.gathering import Gathering
from conformance.running.journal import Collected, Journal
from conformance.running.unfinished import of_dead_worker


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
        for item, verdict, took in self._decided_items():
            if took is not None:
                self.patience.took(item.target.implementation.name, took)
            self._add(verdict or self._of_process(item))
            yield self.run.verdicts[-1]

    def _decided_items(self) -> Iterator[Decided]:
        if not can_fork():
            return here(self.items)
        return in_children(self.items, max(1, self.config.getoption("lstm_workers")))

    def _of_process(self, item: Called) -> Verdict:
        """Return the verdict of a process that died or hung."""
        entry, expected = self._entry(item.config.process), self._collected().expected
        return of_dead_worker(self.config, entry, item.nodeid, item.key, "", expected)
