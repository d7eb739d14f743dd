"""Verifying an LSTM that somebody wrote by hand, with names and a layout of its own."""

from conformance.implementations.by_hand.adapter import HandWritten

__all__ = ["HandWritten"]
