"""Findings in Keras 3."""

from tests.adapters.findings.finding import Finding

LAYER = "https://keras.io/api/layers/recurrent_layers/lstm/"
ON_TORCH = ("keras-torch", "keras-torch-cell")
ON_JAX = ("keras-jax", "keras-jax-cell")

PROMOTION = """
import os

os.environ["KERAS_BACKEND"] = "{backend}"
import keras

print("float64 and float64 give", keras.backend.result_type("float64", "float64"))
"""

FINDINGS = (
    Finding(
        "Keras computes float64 at the accuracy of float32",
        "fault",
        (*ON_TORCH, *ON_JAX),
        "Its type promotion turns two float64 into float32, so that `keras.ops.matmul` on PyTorch "
        "and `keras.ops.tanh` on JAX narrow their arguments, in a layer whose dtype is float64. "
        "On PyTorch the layer without a mask calls torch's own LSTM, and is accurate.",
        PROMOTION.format(backend="torch"),
        "float64 and float64 give float32",
        "https://keras.io/api/layers/base_layer/, dtype: of the layer's computations and weights.",
        saying=(" float64 ",),
    ),
    Finding(
        "Keras on PyTorch broadcasts initial states",
        "fault",
        ON_TORCH,
        "States of one row are taken for all rows; on JAX they are refused.",
        """
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
from keras.ops import ones

lstm = keras.layers.LSTM(1)
output = lstm(ones((3, 2, 1)), initial_state=[ones((3, 1)), ones((1, 1))])
print("three rows from the cell state of one:", tuple(output.shape))
""",
        "three rows from the cell state of one: (3, 1)",
        f"{LAYER}, initial_state: the initial state tensors passed to the cell, each with shape "
        "(batch, units) by https://keras.io/api/layers/recurrent_layers/rnn/.",
        requirements=("wrong_state_batch_is_refused", "wrong_state_features_are_refused"),
    ),
    Finding(
        "A stack of one cell fails in Keras on JAX",
        "avoided",
        ON_JAX[1:],
        "`StackedRNNCells` returns the states of a single cell without the list that it takes them "
        "in. The adapter gives a single cell as it is.",
        """
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
from keras.ops import ones

rnn = keras.layers.RNN([keras.layers.LSTMCell(1)])
try:
    rnn(ones((1, 2, 1)), initial_state=[[ones((1, 1)), ones((1, 1))]])
except TypeError as error:
    print("one cell in a list:", type(error).__name__)
""",
        "one cell in a list: TypeError",
        "https://keras.io/api/layers/recurrent_layers/rnn/, cell: in the case that it is a list of "
        "cells, they are stacked.",
    ),
)
