"""The options of all commands and of pytest.

`pytest --help` imports this package, so the imports here must be fast.
"""

from conformance.running.options.asking import (
    FIXING,
    add,
    begin,
    check,
    deciding,
    defaults,
    given,
    of,
    rerun,
)
from conformance.running.options.option import (
    COMPARE,
    INFER,
    JUDGE,
    MATRIX,
    PYTEST,
    REPLAY,
    REPORT,
    REPORTING,
    VERIFY,
    VERIFYING,
    Option,
)
from conformance.running.options.table import (
    OPTIONS,
)
from conformance.running.options.values import (
    duration,
)

SHARED = "lstm_conformance"
"""The key under which workers of pytest receive the options that all of them share."""

__all__ = [
    "COMPARE",
    "FIXING",
    "INFER",
    "JUDGE",
    "MATRIX",
    "OPTIONS",
    "PYTEST",
    "REPLAY",
    "REPORT",
    "REPORTING",
    "SHARED",
    "VERIFY",
    "VERIFYING",
    "Option",
    "add",
    "begin",
    "check",
    "deciding",
    "defaults",
    "duration",
    "given",
    "of",
    "rerun",
]
