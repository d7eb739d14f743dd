"""What pytest collects: modules of requirements, and in each the items to be decided."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import PROPERTY, FailedShould, NotApplicable
from conformance.errors import DEVICE_LOST, UsageError
from conformance.implementations.own_imports import OURS
from conformance.recording.json import encode
from conformance.running import journal as journals
from conformance.running import remote, strays
from conformance.running.bound import NotConformant
from conformance.running.choosing import Selection, Target, budget, decided_on, selection
from conformance.running.item import Item
from conformance.running.journal import Collected, Doing, Entry, Journal
from conformance.running.limits import LOADING, last_resort
from conformance.running.quiet import quiet
from conformance.running.resuming import check_same

DIGEST = pytest.StashKey[str]()
"""The digest of all items, of other shards as well."""
LEFT_OUT = "lstm_conformance_left_out"
"""The property of a pytest report that names a requirement without time."""


class RequirementItem(Item, pytest.Item):
    """The item as pytest has it."""

    def __init__(
        self, *, requirement: Requirement, target: Target, device: str, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.prepare(requirement, target, device)

    def runtest(self) -> None:
        """Decide the requirement, and attach the verdict to the report as a property."""
        seconds = self.seconds()
        if seconds == 0:
            self.user_properties.append((LEFT_OUT, self.requirement.name))
            pytest.skip("the time budget has no time for it")
        verdict = self.verdict(seconds)
        self.user_properties.append((PROPERTY, verdict.to_json()))
        if remote.CHANNEL in getattr(self.config, "workerinput", {}):
            self.user_properties.append((remote.LEFT, remote.packed(verdict)))
        if isinstance(verdict, NotApplicable):
            pytest.skip(verdict.reason)
        if isinstance(verdict, FailedShould):
            pytest.xfail("\n".join(verdict.lines()))
        if not verdict.conformant:
            raise NotConformant(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure as text; with a traceback only if this suite itself failed."""
        if isinstance(excinfo.value, NotConformant):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the requirement is defined."""
        return self.path, self.requirement.body.__code__.co_firstlineno - 1, self.name


class Family(pytest.File):
    """The requirements that one module defines."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item for each implementation, device and requirement."""
        chosen = selected(self)
        module = f"conformance.requirements.{self.path.stem}"
        here = [each for each in chosen.requirements if each.body.__module__ == module]
        for target in chosen.targets:
            places = [decided_on(each, target, budget(self.config)) for each in here]
            for device in target.devices:
                for requirement, found in zip(here, places, strict=True):
                    if device in found:
                        yield RequirementItem.from_parent(
                            self,
                            name=f"{requirement.name}[{target.implementation.name}|{device}]",
                            requirement=requirement,
                            target=target,
                            device=device,
                        )


class Requirements(pytest.Directory):
    """The folder of the requirements; everything is selected once for all modules in it."""

    def collect(self) -> Iterable[pytest.Collector]:
        """Yield the modules that define the selected requirements."""
        names = {each.body.__module__.rpartition(".")[2] for each in selected(self).requirements}
        for name in sorted(names):
            yield Family.from_parent(self, path=self.path / f"{name}.py")


def selected(collector: pytest.Collector) -> Selection:
    """Return what the options ask for; wrong usage becomes an error of the collection."""
    try:
        with OURS, quiet(), last_resort(LOADING):
            found = selection(collector.config)
        check_same(collector.config.getoption("lstm_circumstances"), encode(found.circumstances))
        return found
    except UsageError as error:
        Journal.of(collector.config).collected(Collected(refusal=str(error)))
        raise collector.CollectError(f"usage: {error}") from error
    except BaseException as error:
        if strays.stray(error) and hasattr(collector.config, "workerinput"):
            os._exit(DEVICE_LOST)
        raise


def collected(session: pytest.Session) -> None:
    """Write to the journal what this process collected, for the process that reports."""
    places = {item.nodeid: item.key for item in session.items if isinstance(item, RequirementItem)}
    digest = session.config.stash.get(DIGEST, "")
    if digest:
        chosen = selection(session.config)
        journal = Journal.of(session.config)
        what = Collected(places, chosen.circumstances, "", digest, chosen.expected)
        try:
            journal.collected(what)
        except OSError:  # of a full disk
            if not journals.collected(Path(session.config.getoption("lstm_journal"))).items:
                raise
        journal.write(Entry(Doing()))
        journal.close()
