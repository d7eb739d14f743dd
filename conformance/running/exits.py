"""How the command ends: its exit status, and what is said of wrong usage."""

from __future__ import annotations

import sys

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
INTERRUPTED = 130


def wrong_usage(told: str) -> int:
    """Say on standard error what was wrong; gives the status for that."""
    print(f"lstm-conformance: {told}", file=sys.stderr)
    return USAGE
