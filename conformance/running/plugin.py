"""The pytest plugin: options, one test item per requirement, implementation and device.

``pytest --pyargs conformance --lstm torch.nn.LSTM`` collects the modules of
:mod:`conformance.requirements`; without ``--lstm`` the plugin collects nothing. Everything else of
this package is imported only when it is needed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from conformance.errors import INTERRUPTED, UsageError
from conformance.implementations.own_imports import OURS
from conformance.running import limits, options
from conformance.running.options.option import PYTEST

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
    with OURS:
        from conformance.running import hooks
    config.pluginmanager.register(hooks, "lstm_conformance_hooks")
    if hasattr(config, "workerinput"):
        given = config.workerinput[options.SHARED]
        vars(config.option).update(given)
        if "lstm_work" in given:
            limits.by_other_clock(vars(config.option), monotonic())
            os.chdir(given["lstm_work"])
            config.option.lstm_reproductions = tempfile.mkdtemp(prefix="lstm-conformance-")
        limits.cap_memory(config.getoption("lstm_memory"))
        with OURS:
            from conformance.running import strays
        config.pluginmanager.register(strays, "lstm_conformance_strays")
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
        expecting.header(config.getoption)
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


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Explain how to name an implementation if requirements were collected for none."""
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if nothing and "conformance" in config.args and not _asked(config):
        text = "nothing to verify: name an LSTM with --lstm, such as --lstm torch.nn.LSTM"
        terminalreporter.write_line(f"lstm-conformance: {text}")
