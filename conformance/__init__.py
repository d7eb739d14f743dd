"""Decides whether an LSTM computes the LSTM.

Public names are loaded when they are first used, so that loading the plugin of this package stays
cheap:

- :func:`verify`, which decides whether an LSTM meets the requirements, and returns a
  :class:`Report`;
- :class:`Implementation`, the protocol of an adapter; :func:`load`, which finds the implementation
  for a name or a class; :class:`Case`, :class:`Result` and :class:`Support`, the types in that
  protocol;
- :class:`HandWritten`, an adapter for LSTMs with other parameter names and layouts, and
  :func:`infer`, which finds the right adapter for a class;
- :func:`judge`, a verdict on a given LSTM with its weights and its input;
- :class:`CommandImplementation`, an implementation in a separate process, in any language;
- :func:`parametrize_with_requirements`, which makes the requirements tests of your suite;
- :data:`REQUIREMENTS`, all requirements; :func:`check`, which decides one of them;
- the verdicts :class:`Passed`, :class:`Failed`, :class:`Crashed`, :class:`TimedOut`,
  :class:`Undecided`, :class:`NotApplicable`, :class:`ExpectedFailure` and :class:`UnexpectedPass`.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # importing typing takes longer than all of this

if TYPE_CHECKING:
    from typing import Any

    from conformance.checking.budget import PROFILES as PROFILES
    from conformance.checking.budget import Budget as Budget
    from conformance.checking.requirement import Requirement as Requirement
    from conformance.checking.verdict import Crashed as Crashed
    from conformance.checking.verdict import ExpectedFailure as ExpectedFailure
    from conformance.checking.verdict import Failed as Failed
    from conformance.checking.verdict import NotApplicable as NotApplicable
    from conformance.checking.verdict import Passed as Passed
    from conformance.checking.verdict import TimedOut as TimedOut
    from conformance.checking.verdict import Undecided as Undecided
    from conformance.checking.verdict import UnexpectedPass as UnexpectedPass
    from conformance.checking.verdict import Verdict as Verdict
    from conformance.cli.from_python.report import Report as Report
    from conformance.cli.from_python.verifying import check as check
    from conformance.cli.from_python.verifying import verify as verify
    from conformance.errors import UsageError as UsageError
    from conformance.implementations.by_hand import HandWritten as HandWritten
    from conformance.implementations.failures import Misbehaviour as Misbehaviour
    from conformance.implementations.failures import Mismatch as Mismatch
    from conformance.implementations.implementation import Implementation as Implementation
    from conformance.implementations.programs.external import (
        CommandImplementation as CommandImplementation,
    )
    from conformance.implementations.pytorch.modules import TorchLSTM as TorchLSTM
    from conformance.implementations.pytorch.modules import TorchLSTMCell as TorchLSTMCell
    from conformance.implementations.stacked import StackedLSTMCells as StackedLSTMCells
    from conformance.inference import infer as infer
    from conformance.inference.taking import load as load
    from conformance.judgement.judge import judge as judge
    from conformance.requirements import REQUIREMENTS as REQUIREMENTS
    from conformance.running.parametrize import (
        parametrize_with_requirements as parametrize_with_requirements,
    )
    from reference import Case as Case
    from reference import Result as Result
    from strategies import Support as Support

    __version__: str

_NAMES = {
    "reference": "Case Result",
    "strategies": "Support",
    "conformance.errors": "UsageError",
    "conformance.implementations.implementation": "Implementation",
    "conformance.implementations.failures": "Misbehaviour Mismatch",
    "conformance.implementations.by_hand": "HandWritten",
    "conformance.implementations.programs.external": "CommandImplementation",
    "conformance.implementations.pytorch.modules": "TorchLSTM TorchLSTMCell",
    "conformance.implementations.stacked": "StackedLSTMCells",
    "conformance.checking.budget": "Budget PROFILES",
    "conformance.checking.requirement": "Requirement",
    "conformance.checking.verdict": "Verdict Passed Failed Crashed TimedOut Undecided "
    "NotApplicable ExpectedFailure UnexpectedPass",
    "conformance.requirements": "REQUIREMENTS",
    "conformance.running.parametrize": "parametrize_with_requirements",
    "conformance.inference": "infer",
    "conformance.inference.taking": "load",
    "conformance.judgement.judge": "judge",
    "conformance.cli.from_python.report": "Report",
    "conformance.cli.from_python.verifying": "check verify",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
"""The module of each public name; the imports above are the same list for type checkers."""

__all__ = list(_HOMES)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return importlib.import_module("importlib.metadata").version("lstm-conformance")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        packages = importlib.import_module("conformance.implementations.own_imports")
        with packages.OURS:
            return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
