"""Verifying an LSTM that somebody wrote by hand, with names and a layout of its own."""

from conformance.hand_written.adapter import HandWritten

__all__ = ["HandWritten"]
