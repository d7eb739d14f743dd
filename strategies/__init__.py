"""What is tried: Hypothesis strategies for configurations, tensors, lengths and whole cases.

Start with :func:`strategies.cases.lstm_cases`. What it draws from is a
:class:`strategies.support.Support`; how tensors are filled is in :mod:`strategies.recipes`.
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
