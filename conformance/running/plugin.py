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
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import DEVICE_LOST, INTERRUPTED, UsageError
from conformance.implementations.own_imports import OURS
from conformance.running import limits, options

HEADER = pytest.StashKey[list[str]]()
FAMILIES = Path(__file__).parent.parent / "requirements"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite, each with the prefix ``--lstm``."""
    group = parser.getgroup("lstm-conformance", "verify an LSTM")
    options.add(group.addoption, options.PYTEST)


def _asked(config: pytest.Config) -> bool:
    """Return whether the options name anything to verify."""
    return bool(config.getoption("lstm") or config.getoption("lstm_command"))


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the process that reports, or a worker, which gets options from that process."""
    if not _asked(config):
        return
    if hasattr(config, "workerinput"):
        vars(config.option).update(config.workerinput[options.SHARED])
        limits.cap_memory(config.getoption("lstm_memory"))
        if not config.pluginmanager.hasplugin("warnings"):
            # nobody records them: they would only be printed between the lines of the report
            warnings.showwarning = lambda *_, **__: None
        # an interrupt reaches every process; only the one that reports has anything left to do
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    else:
        try:
            options.check(vars(config.option), options.PYTEST)
            with OURS:
                from conformance.running import expecting
            config.stash[HEADER] = expecting.header(config.getoption)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
        option, limit = config.option, config.getoption("lstm_time_limit")
        option.lstm_deadline = None if limit is None else time.time() + limit
        option.lstm_seed = (
            secrets.randbelow(2**32) if option.lstm_seed is None else option.lstm_seed
        )
        option.lstm_reproductions = str(Path.cwd() / option.lstm_reproductions)
        with OURS:
            from conformance.running.collecting import Reporting
        config.pluginmanager.register(Reporting(config), "lstm_conformance_reporting")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the file of expected failures, if there is one."""
    return config.stash.get(HEADER, [])


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect our folders as plain ones: pytest puts the root of a package first on the path."""
    if path not in (FAMILIES, FAMILIES.parent) or not _asked(parent.config):
        return None
    with OURS:
        from conformance.running.collection import Requirements
    return (Requirements if path == FAMILIES else pytest.Dir).from_parent(parent, path=path)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the modules of requirements, whatever the ini option ``python_files`` is."""
    if file_path.parent == FAMILIES and _asked(parent.config):
        with OURS:
            from conformance.running.collection import Family
        return Family.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down what was collected, for the process that reports."""
    if _asked(session.config):
        with OURS:
            from conformance.running.collection import collected

            collected(session)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note when an item starts and how long it may take, before pytest-timeout sets its timer.

    A worker that has lost a device ends as soon as the item is reported: the next one works.
    """
    if not _asked(item.config):
        return (yield)
    with OURS:
        from conformance.checking import devices
        from conformance.running.collection import RequirementItem
    if not isinstance(item, RequirementItem):
        return (yield)
    item.add_marker(pytest.mark.timeout(item.begin(), method="thread"), append=False)
    done = yield
    item.end()
    if devices.lost() and hasattr(item.config, "workerinput"):
        os._exit(DEVICE_LOST)
    return done


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Explain how to name an implementation if requirements were collected for none."""
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if nothing and "conformance" in config.args and not _asked(config):
        text = "nothing to verify: name an LSTM with --lstm, such as --lstm torch.nn.LSTM"
        terminalreporter.write_line(f"lstm-conformance: {text}")
