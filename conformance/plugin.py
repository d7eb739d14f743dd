"""The pytest plugin: options, one test item per requirement, implementation and device.

``pytest --pyargs conformance --lstm torch.nn.LSTM`` collects the modules of
:mod:`conformance.requirements`; without ``--lstm`` the plugin does nothing. Everything else of
this package is imported only when it is needed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import secrets
import signal
import time
import warnings
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import limits
from conformance.packages import OURS
from conformance.profiles import PROFILES

if TYPE_CHECKING:
    from conformance.implementation import Implementation
    from conformance.requirement import Requirement
    from conformance.verdict import Verdict

FAMILIES = Path(__file__).parent / "requirements"
INTERRUPTED = 130
"""How a worker ends when the whole run is interrupted, which the reporting process sees to."""
LOADING = 120.0
"""Seconds in which all implementations must be imported and tried out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suite, each with the prefix ``--lstm``."""
    group = parser.getgroup("lstm-conformance", "verify an LSTM")
    group.addoption("--lstm", action="append", default=[], metavar="NAME", help="what to verify")
    group.addoption(
        "--lstm-command",
        action="append",
        default=[],
        metavar="COMMAND",
        help="a program to verify, which speaks the protocol of conformance/PROTOCOL.md",
    )
    group.addoption("--lstm-profile", default="default", choices=list(PROFILES))
    group.addoption("--lstm-max-examples", type=int, metavar="N", help="cases per requirement")
    group.addoption("--lstm-seed", type=int, metavar="N", help="draw the same cases again")
    group.addoption("--lstm-device", default="", metavar="LIST", help="such as cpu,cuda")
    group.addoption("--lstm-dtype", default="", metavar="LIST", help="such as float32,bfloat16")
    group.addoption("--lstm-precision", default="", metavar="LIST", help="such as products=tf32")
    group.addoption("--lstm-requirement", action="append", default=[], metavar="NAME")
    group.addoption("--lstm-level", default="", metavar="LIST", help="such as core,sequence")
    group.addoption("--lstm-timeout", type=float, metavar="SECONDS", help="per requirement")
    group.addoption("--lstm-time-limit", type=float, metavar="SECONDS", help="for the whole run")
    group.addoption("--lstm-memory", type=float, default=8, metavar="GIB", help="for each worker")
    group.addoption(
        "--lstm-reproductions",
        default=".lstm-conformance",
        metavar="DIR",
        help="where each failure leaves a script that shows it (default: .lstm-conformance)",
    )
    group.addoption("--lstm-json", metavar="FILE", help="write the report to this file")


def _asked(config: pytest.Config) -> bool:
    """Whether there is anything to verify."""
    return bool(config.getoption("lstm") or config.getoption("lstm_command"))


def pytest_configure(config: pytest.Config) -> None:
    """Collect the verdicts in the process that reports; workers draw from its seed."""
    if not _asked(config):
        return
    if hasattr(config, "workerinput"):
        config.option.lstm_seed = config.workerinput["lstm_conformance_seed"]
        limits.join(config, config.workerinput[limits.DEADLINE])
        limits.cap_memory(config.getoption("lstm_memory"))
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    else:
        limits.begin(config)
        if config.option.lstm_seed is None:
            config.option.lstm_seed = secrets.randbelow(2**32)
        config.option.lstm_reproductions = str(Path.cwd() / config.option.lstm_reproductions)
        with OURS:
            reporting = importlib.import_module("conformance.reporting")
        config.pluginmanager.register(reporting.Reporting(config), "lstm_conformance_reporting")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Whoever runs this package and names nothing to verify is told what to do."""
    start = config.invocation_params.dir
    places = [(start / name.partition("::")[0]).resolve() for name in config.args]
    here = FAMILIES.parent
    ours = any(here in (each, *each.parents) or each == start / "conformance" for each in places)
    if ours and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not _asked(config):
        terminalreporter.write_line(
            "lstm-conformance: name what to verify, as --lstm torch.nn.LSTM"
        )


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Our folders are plain ones: for a package, pytest would put its root first on the path."""
    if path in (FAMILIES, FAMILIES.parent) and _asked(parent.config):
        return pytest.Dir.from_parent(parent, path=path)
    return None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The requirement modules of this package are collected by us, whatever files pytest takes."""
    if file_path.parent == FAMILIES and _asked(parent.config):
        return Family.from_parent(parent, path=file_path)
    return None


_REFUSED = pytest.StashKey[bool]()
"""Whether a module has already told what cannot be verified, which is the same in all of them."""


class Family(pytest.File):
    """The requirements defined in one module."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item per requirement, implementation and device."""
        with OURS, _last_resort(LOADING):
            from conformance.errors import UsageError
            from conformance.requirements import REQUIREMENTS
            from conformance.selection import asked, select

            wanted = [
                requirement
                for requirement in REQUIREMENTS.values()
                if requirement.body.__module__ == f"conformance.requirements.{self.path.stem}"
            ]
            try:
                with warnings.catch_warnings():
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


class RequirementItem(pytest.Item):
    """One requirement on one implementation and device."""

    def __init__(
        self,
        *,
        requirement: Requirement,
        implementation: Implementation,
        device: str,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.requirement = requirement
        self.implementation = implementation
        self.device = device
        self.started = 0.0
        self.add_marker(pytest.mark.filterwarnings("default"))

    def runtest(self) -> None:
        """Decide the requirement; the verdict travels as a property of the report."""
        left = limits.allowed(self.config, self.started)
        with OURS, _last_resort(max(left, 0) + 1):
            from conformance.verdict import PROPERTY, NotApplicable

            verdict = self.decide() if left > 0 else self.too_late()
        self.user_properties.append((PROPERTY, verdict.to_json()))
        if isinstance(verdict, NotApplicable):
            pytest.skip(verdict.reason)
        if not verdict.conformant:
            raise NotConformant(verdict)

    def decide(self) -> Verdict:
        """Draw cases and check them; each is on disk before the implementation sees it.

        A failure leaves its reproduction.
        """
        from conformance.engine import Finding, check
        from conformance.journal import Journal
        from conformance.reproductions.directory import write
        from conformance.selection import budget, subject

        here = subject(self.config, self.implementation, self.requirement.name, self.device)
        found: list[Finding] = []
        with contextlib.closing(Journal(self.config)) as journal:
            verdict = check(
                self.requirement,
                self.implementation,
                self.device,
                budget(self.config),
                lambda case: journal.write(self.name, case, self.started, here),
                found.append,
            )
        if found and not verdict.conformant:
            root = Path(self.config.getoption("lstm_reproductions"))
            return write(root, self.requirement, here, verdict, *vars(found[-1]).values())
        return verdict

    def too_late(self) -> Verdict:
        """The verdict where the time of the whole run is up."""
        from conformance.engine import inapplicable
        from conformance.selection import budget
        from conformance.verdict import NotApplicable, TimedOut

        here = self.requirement.name, self.implementation.name, self.device
        reason = inapplicable(
            self.requirement, self.implementation, self.device, budget(self.config)
        )
        if reason is not None:
            return NotApplicable(*here, reason=reason)
        limit = self.config.getoption("lstm_time_limit")
        reason = f"not tried, the run's time limit of {limit:g} s was reached"
        return TimedOut(*here, reason=reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What, where, got, should be, allowed, and the case; a traceback only if we failed."""
        if isinstance(excinfo.value, NotConformant):
            verdict = excinfo.value.verdict
            return "\n".join([f"{verdict.outcome}: {self.requirement.claim}", *verdict.lines()])
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the requirement is defined."""
        return self.path, self.requirement.body.__code__.co_firstlineno - 1, self.name


@contextlib.contextmanager
def _last_resort(seconds: float) -> Iterator[None]:
    """End this process after `seconds`, even in C code that lets no other Python thread run."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note when an item starts and how long it may take, before pytest-timeout sets its timer."""
    if isinstance(item, RequirementItem):
        item.started = time.time()
        seconds = max(limits.allowed(item.config, item.started), 1)
        item.add_marker(pytest.mark.timeout(seconds, method="thread"), append=False)
    return (yield)


class NotConformant(Exception):
    """Carries a verdict that is not conformant to pytest."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the reporting process what it ran with."""
    worker_output = getattr(session.config, "workeroutput", None)
    if worker_output is not None and _asked(session.config):
        with OURS:
            from conformance.selection import circumstances

            worker_output["lstm_conformance"] = json.dumps(circumstances(session.config))
