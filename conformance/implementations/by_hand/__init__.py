"""Verification of a hand-written LSTM, whose names and layout are not PyTorch's."""

from conformance.implementations.by_hand.adapter import HandWritten

__all__ = ["HandWritten"]
