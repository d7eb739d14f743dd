"""Decides whether an LSTM computes the LSTM.

Public names are loaded when first used, so that pytest can load the plugin of this package in
every project without paying for it:

- :class:`Implementation`, what an adapter has to offer; :func:`load`, which finds one by name;
  :class:`Case`, :class:`Result` and :class:`Support`, which its methods speak in;
- :class:`HandWritten`, an adapter for LSTMs with names and a layout of their own, and
  :func:`infer`, which finds one for a class;
- :class:`CommandImplementation`, an implementation in a process of its own, in any language;
- :func:`parametrize_with_requirements`, which makes them tests of your own suite;
- :data:`REQUIREMENTS`, every claim; :func:`check`, which decides one of them;
- the verdicts :class:`Passed`, :class:`Failed`, :class:`Crashed`, :class:`TimedOut`,
  :class:`Undecided`, :class:`NotApplicable`, :class:`ExpectedFailure` and :class:`UnexpectedPass`.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Case": "implementations.implementation",
    "Result": "implementations.implementation",
    "Support": "implementations.implementation",
    "Implementation": "implementations.implementation",
    "HandWritten": "implementations.by_hand",
    "infer": "inference",
    "Misbehaviour": "implementations.failures",
    "Mismatch": "implementations.failures",
    "CommandImplementation": "implementations.programs.external",
    "StackedLSTMCells": "implementations.stacked",
    "TorchLSTM": "implementations.pytorch.modules",
    "TorchLSTMCell": "implementations.pytorch.modules",
    "UsageError": "errors",
    "load": "implementations.loading",
    "parametrize_with_requirements": "running.parametrize",
    "REQUIREMENTS": "requirements",
    "Requirement": "checking.requirement",
    "check": "running.deciding",
    "Budget": "checking.budget",
    "PROFILES": "checking.budget",
    "Verdict": "checking.verdict",
    "Passed": "checking.verdict",
    "Failed": "checking.verdict",
    "Crashed": "checking.verdict",
    "TimedOut": "checking.verdict",
    "Undecided": "checking.verdict",
    "NotApplicable": "checking.verdict",
    "ExpectedFailure": "checking.verdict",
    "UnexpectedPass": "checking.verdict",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    packages = importlib.import_module("conformance.implementations.own_imports")
    with packages.OURS:
        return getattr(importlib.import_module(f"conformance.{_HOMES[name]}"), name)
