"""The true results of an LSTM: gate equations, the stacked network, and rounding-error bounds.

This package uses NumPy only. Start with :func:`reference.cell.lstm_cell`, which computes one step
of the equations. Then read :func:`reference.network.trace`, a loop over time, layers and
directions.
"""

from reference.arithmetic import Arithmetic
from reference.bounds import forward_bound
from reference.case import RESULTS, TOP, Array, Case, Result
from reference.cell import Step, Weights, lstm_cell
from reference.configuration import Configuration
from reference.dtypes import DTYPES, DType
from reference.gradient_bounds import gradient_bound
from reference.gradients import backward
from reference.local_bounds import local_bound
from reference.network import LayerTrace, Trace, lstm, lstm_layer, rounded, trace
from reference.precision import Precision

__all__ = [
    "DTYPES",
    "RESULTS",
    "TOP",
    "Arithmetic",
    "Array",
    "Case",
    "Configuration",
    "DType",
    "LayerTrace",
    "Precision",
    "Result",
    "Step",
    "Trace",
    "Weights",
    "backward",
    "forward_bound",
    "gradient_bound",
    "local_bound",
    "lstm",
    "lstm_cell",
    "lstm_layer",
    "rounded",
    "trace",
]
