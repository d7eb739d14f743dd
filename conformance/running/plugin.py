"""The pytest plugin: options, one test item per requirement, implementation and device.

``pytest --pyargs conformance --lstm torch.nn.LSTM`` collects the modules of
:mod:`conformance.requirements`; without ``--lstm`` the plugin collects nothing. Everything else of
this package is imported only when it is needed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import DEVICE_LOST, INTERRUPTED, UsageError
from conformance.implementations.own_imports import OURS
from conformance.running import limits, options
from conformance.running.options.option import PYTEST

HEADER = pytest.StashKey[list[str]]()
FAMILIES = Path(__file__).parent.parent / "requirements"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite, each with the prefix ``--lstm``."""
    group = parser.getgroup("lstm-conformance", "verify an LSTM")
    options.add(group.addoption, PYTEST)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Let pytest begin to capture what is printed although the disk is full."""
    choose_folder()
    return (yield)


def choose_folder() -> None:
    """Choose a folder for temporary files if Python chooses none, as all are full.

    pytest makes files there for what is printed, and no worker could start without. A file that
    stays empty needs no room.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folders = ("/tmp", os.getcwd())
        tempfile.tempdir = next((each for each in folders if os.access(each, os.W_OK)), None)


def _asked(config: pytest.Config) -> bool:
    """Return whether the options name anything to verify."""
    return bool(config.getoption("lstm") or config.getoption("lstm_command"))


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the process that reports, or a worker, which gets options from that process."""
    if not _asked(config):
        if not hasattr(config, "workerinput"):
            with _refusing():  # what tests with the decorator would take otherwise
                options.check(vars(config.option), PYTEST)
        return
    if hasattr(config, "workerinput"):
        given = config.workerinput[options.SHARED]
        vars(config.option).update(given)
        if "lstm_work" in given:
            os.chdir(given["lstm_work"])
            config.option.lstm_reproductions = tempfile.mkdtemp(prefix="lstm-conformance-")
        limits.cap_memory(config.getoption("lstm_memory"))
        if not config.pluginmanager.hasplugin("warnings"):
            # nobody records them: they would only be printed between the lines of the report
            warnings.showwarning = lambda *_, **__: None
        # an interrupt reaches every process; only the one that reports has anything left to do
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        return
    option, asked = config.option, vars(config.option)
    with OURS:
        from conformance.running import baseline, expecting, resuming
        from conformance.running.collecting import Reporting
    with _refusing():
        options.check(asked, PYTEST)
        config.stash[HEADER] = expecting.header(config.getoption)
    with _refusing("--lstm-baseline: "):
        option.lstm_failures = baseline.failures(option.lstm_baseline)
    with OURS, _refusing():
        before = resuming.unfinished(asked, PYTEST) if option.lstm_resume else None
    option.lstm_resumed = [] if before is None else [each.key for each in before.verdicts]
    option.lstm_circumstances = {} if before is None else before.circumstances
    if before is not None:
        option.lstm_seed = before.asked.seed
    options.begin(option)
    config.pluginmanager.register(Reporting(config, before), "lstm_conformance_reporting")


@contextlib.contextmanager
def _refusing(before: str = "") -> Iterator[None]:
    """Turn wrong usage into that of pytest, with `before` in front of its text."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(f"{before}{error}") from error


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what other shards decide, or what is decided already."""
    if _asked(config):
        with OURS:
            from conformance.running.arranging import arrange
        config.hook.pytest_deselected(items=arrange(config, items))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End a worker elsewhere with its process: a server would keep the modules of this run."""
    if hasattr(config.option, "lstm_work") and hasattr(config, "workerinput"):
        shutil.rmtree(config.option.lstm_reproductions, ignore_errors=True)
        os._exit(0)


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
