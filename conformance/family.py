"""A module of requirements, as a file that pytest collects."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import pytest

from conformance.errors import UsageError
from conformance.item import RequirementItem
from conformance.limits import LOADING, last_resort
from conformance.packages import OURS
from conformance.requirements import REQUIREMENTS
from conformance.selection import asked, select

_REFUSED = pytest.StashKey[bool]()
"""Whether a module has already told what cannot be verified, which is the same in all of them."""


class Family(pytest.File):
    """The requirements defined in one module."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item per requirement, implementation and device."""
        wanted = [
            requirement
            for requirement in REQUIREMENTS.values()
            if requirement.body.__module__ == f"conformance.requirements.{self.path.stem}"
        ]
        try:
            with OURS, last_resort(LOADING), warnings.catch_warnings():
                warnings.simplefilter("default")
                chosen = select(self.config)
        except UsageError as error:
            if self.config.stash.get(_REFUSED, False):
                return
            self.config.stash[_REFUSED] = True
            raise self.CollectError(f"usage: {error}") from error
        for implementation, device in chosen:
            for requirement in wanted:
                if not asked(requirement, self.config):
                    continue
                yield RequirementItem.from_parent(
                    self,
                    name=f"{requirement.name}[{implementation.name}|{device}]",
                    requirement=requirement,
                    implementation=implementation,
                    device=device,
                )
