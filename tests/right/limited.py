"""LSTMs that have two layers at least, or return but one result."""

from __future__ import annotations

from strategies import Support
from tests.faults.plain import PlainLSTM


class HasNoSingleLayer(PlainLSTM):
    """Takes two layers and more."""

    supports = Support(min_layers=2)


class ReturnsItsOutputAlone(PlainLSTM):
    """Claims nothing of its final states."""

    supports = Support(results=("output",))


class ReturnsItsCellStateAlone(PlainLSTM):
    """Claims nothing of its output and of h_n."""

    supports = Support(results=("c_n",))
