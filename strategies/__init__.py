"""Hypothesis strategies for configurations, tensors, lengths and whole cases of an LSTM.

Start with :func:`strategies.cases.lstm_cases`. A :class:`strategies.support.Support` limits the
cases that are drawn; :mod:`strategies.recipes` describes how tensors are filled.
"""

from strategies.cases import lstm_cases
from strategies.configurations import configurations
from strategies.lengths import lengths
from strategies.recipes import Recipe, recipes
from strategies.support import EVERYTHING, ONE_LAYER, Support
from strategies.tensors import initial_states, inputs, parameters

__all__ = [
    "EVERYTHING",
    "ONE_LAYER",
    "Recipe",
    "Support",
    "configurations",
    "initial_states",
    "inputs",
    "lengths",
    "lstm_cases",
    "parameters",
    "recipes",
]
