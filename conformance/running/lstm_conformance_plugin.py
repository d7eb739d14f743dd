"""What pytest loads in every project of an environment; it loads the plugin if it is asked for.

The wheel has this module at its top, under a name that nobody else has. A project may well have a
folder called ``conformance``, which then comes before ours on the path. So nothing of that name is
imported until an argument of pytest asks for the plugin, and then ours is found where it lies.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Generator
from importlib.machinery import PathFinder
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PACKAGE, PLUGIN = "conformance", "conformance.running.plugin"
INSIDE = Path("conformance", "running", "plugin.py")
LEVELS = ("core", "sequence", "module", "training")
OPTION = "--lstm"
"""The start of every option of the plugin."""
DECORATED = "conformance.running.bound"
"""The module of the tests that the decorator makes in a project, and of their failure."""
MARKERS = {
    "lstm": "a requirement on an LSTM",
    **{f"lstm_{level}": f"a requirement of level {level}" for level in LEVELS},
    "lstm_should": "a requirement that an LSTM should meet but need not",
}
"""The markers of those tests."""
SESSIONS: list[pytest.Config] = []
"""The configurations of the sessions in this process, the running one last."""


@pytest.hookimpl
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Load the plugin, with its options, if one of the arguments asks for it.

    Where ``conformance`` means nothing else, so do ``--help`` and the name of the package. Raises
    :class:`pytest.UsageError` if something else of that name is imported already.
    """
    home = next((path for path in map(Path, sys.path) if (path / INSIDE).is_file()), None)
    if home is None:
        return
    other = _other(home, early_config)
    # a worker of pytest-xdist gets the values of all options, and not the arguments
    if not any(arg.startswith(OPTION) for arg in args) and not hasattr(early_config.option, "lstm"):
        mentioned = {"-h", "--help"} & {*args} or {"--pyargs", PACKAGE} <= {*args}
        if other is not None or not mentioned:
            return
    loaded, ours = sys.modules.get(PACKAGE), str(home / PACKAGE)
    if loaded is not None and ours not in getattr(loaded, "__path__", ()):
        text = f"another {PACKAGE} is imported already, from {loaded.__file__}"
        raise pytest.UsageError(f"{OPTION} needs the package {ours}, but {text}")
    sys.path.insert(0, str(home))
    try:
        early_config.pluginmanager.import_plugin(PLUGIN)
    finally:
        sys.path.remove(str(home))
    option = copy.copy(early_config.option)
    early_config.known_args_namespace = parser.parse_known_args(args, namespace=option)
    if other is not None:
        text = f"lstm-conformance: `import {PACKAGE}` means {ours} in this run, not {other}"
        header = SimpleNamespace(pytest_report_header=lambda: text)
        early_config.pluginmanager.register(header, "lstm_conformance_shadowed")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, and let the decorator find the options of the session."""
    SESSIONS.append(config)
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget the session."""
    SESSIONS[:] = [each for each in SESSIONS if each is not config]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Begin the line of a failure in pytest's summary with what is wrong, not with its type."""
    report = yield
    decorated = sys.modules.get(DECORATED)
    raised = None if call.excinfo is None else call.excinfo.value
    if decorated is not None and isinstance(raised, decorated.NotConformant):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = str(raised)
    return report


def _other(home: Path, config: pytest.Config) -> str | None:
    """Return the folder that ``conformance`` would mean without ours in this project, if any."""
    theirs = PathFinder.find_spec(PACKAGE, [str(config.rootpath), str(Path.cwd()), *sys.path])
    origin = None if theirs is None else theirs.origin
    folder = None if origin is None else Path(origin).resolve().parent
    return None if folder in (None, (home / PACKAGE).resolve()) else str(folder)
