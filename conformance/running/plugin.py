"""The pytest plugin: options, one test item per requirement, implementation and device.

``pytest --pyargs conformance --lstm torch.nn.LSTM`` collects the modules of
:mod:`conformance.requirements`; without ``--lstm`` the plugin collects nothing. Everything else of
this package is imported only when it is needed.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import INTERRUPTED, UsageError
from conformance.implementations.own_imports import OURS
from conformance.running import limits, options

FAMILIES = Path(__file__).parent.parent / "requirements"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the suite, each with the prefix ``--lstm``."""
    group = parser.getgroup("lstm-conformance", "verify an LSTM")
    options.add(group.addoption, options.PYTEST)


def _asked(config: pytest.Config) -> bool:
    """Whether there is anything to verify."""
    return bool(config.getoption("lstm") or config.getoption("lstm_command"))


def pytest_configure(config: pytest.Config) -> None:
    """Collect the verdicts in the process that reports; workers draw from its seed."""
    if not _asked(config):
        return
    if hasattr(config, "workerinput"):
        vars(config.option).update(config.workerinput[options.SHARED])
        limits.cap_memory(config.getoption("lstm_memory"))
        # the reporting process sees to an interrupt of the whole run
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    else:
        try:
            options.check(vars(config.option), options.PYTEST)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
        option, limit = config.option, config.getoption("lstm_time_limit")
        option.lstm_deadline = None if limit is None else time.time() + limit
        option.lstm_seed = (
            secrets.randbelow(2**32) if option.lstm_seed is None else option.lstm_seed
        )
        option.lstm_reproductions = str(Path.cwd() / option.lstm_reproductions)
        option.lstm_journal = f"{option.lstm_reproductions}/running-{secrets.token_hex(4)}"
        with OURS:
            from conformance.running.collecting import Reporting
        config.pluginmanager.register(Reporting(config), "lstm_conformance_reporting")


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Our folders are plain ones: for a package, pytest would put its root first on the path."""
    if path not in (FAMILIES, FAMILIES.parent) or not _asked(parent.config):
        return None
    with OURS:
        from conformance.running.collection import Requirements
    return (Requirements if path == FAMILIES else pytest.Dir).from_parent(parent, path=path)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The requirement modules of this package are collected by us, whatever files pytest takes."""
    if file_path.parent == FAMILIES and _asked(parent.config):
        with OURS:
            from conformance.running.collection import Family
        return Family.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what was collected, for the process that reports."""
    if _asked(session.config):
        with OURS:
            from conformance.running.collection import collected

            collected(session)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note when an item starts and how long it may take, before pytest-timeout sets its timer."""
    if _asked(item.config):
        with OURS:
            from conformance.running.collection import RequirementItem
        if isinstance(item, RequirementItem):
            item.started = time.time()
            seconds = max(limits.granted(item.config, item.started), 1)
            item.add_marker(pytest.mark.timeout(seconds, method="thread"), append=False)
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Where our requirements were asked for and nothing to verify was, say how to name it."""
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if nothing and "conformance" in config.args and not _asked(config):
        told = "nothing to verify: name it with --lstm, such as --lstm torch.nn.LSTM"
        terminalreporter.write_line(f"lstm-conformance: {told}")
