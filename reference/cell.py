"""One step of the LSTM, line for line as in the equations.

The equations are those of the ``torch.nn.LSTM`` documentation: the LSTM of Hochreiter and
Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and Cummins (2000), and the optional
projection of Sak, Senior and Beaufays (2014), without peepholes::

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)     input gate
    f_t = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)     forget gate
    g_t = tanh   (W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)     candidate
    o_t = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)     output gate
    c_t = f_t * c_(t-1) + i_t * g_t                          cell state
    h_t = o_t * tanh(c_t)                                    hidden state
    h_t = W_hr h_t                                           only with a projection
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.case import Array
from reference.parts import split


class Weights(NamedTuple):
    """Parameters of one cell, gates stacked i, f, g, o along the first axis.

    - `weight_ih`: (4 * hidden_size, input_size);
    - `weight_hh`: (4 * hidden_size, R);
    - `bias_ih`, `bias_hh`: (4 * hidden_size,), zeros for ``bias=False``;
    - `weight_hr`: (R, hidden_size), or None without a projection.
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array
    weight_hr: Array | None = None


class Step(NamedTuple):
    """Every quantity of one step; each row is a row of the batch.

    - `x` (N, input_size), `h_prev` (N, R) and `c_prev` (N, hidden_size): the input and the state;
    - `a_i`, `a_f`, `a_g`, `a_o`: the pre-activations, each (N, hidden_size);
    - `i`, `f`, `g`, `o`: the gates and the candidate g, each (N, hidden_size);
    - `c`, `tanh_c`, `h_full`: the new c, its tanh, and o * tanh(c), each (N, hidden_size);
    - `h`: the new h (N, R), which is `h_full` or its projection.
    """

    x: Array
    h_prev: Array
    c_prev: Array
    a_i: Array
    a_f: Array
    a_g: Array
    a_o: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    tanh_c: Array
    h_full: Array
    h: Array


def sigmoid(a: Array) -> Array:
    """Compute the logistic function 1 / (1 + exp(-a)), without overflow for any `a`.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    z: Array = np.exp(-np.abs(a))
    s: Array = np.where(a >= 0, 1, z) / (1 + z)
    return s


def lstm_cell(x: Array, h: Array, c: Array, weights: Weights) -> Step:
    """Compute one step from `x` (N, input_size) and the state `h` (N, R), `c` (N, hidden_size).

    The step is computed in the type of the arguments, by the equations in this module's docstring.

    With all weights zero, i = f = o = 1/2 and g = 0, so that c is halved:

    >>> weights = Weights(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4), np.zeros(4))
    >>> step = lstm_cell(np.array([[5.0]]), np.array([[3.0]]), np.array([[1.0]]), weights)
    >>> step.f, step.g, step.c
    (array([[0.5]]), array([[0.]]), array([[0.5]]))
    """
    w = weights
    a = x @ w.weight_ih.T + w.bias_ih + h @ w.weight_hh.T + w.bias_hh
    i, f, g, o = gates(a)
    c_next = f * c + i * g
    tanh_c, h_full, h_next = hidden(o, c_next, w)
    a_i, a_f, a_g, a_o = split(a, 4)
    return Step(x, h, c, a_i, a_f, a_g, a_o, i, f, g, o, c_next, tanh_c, h_full, h_next)


def gates(a: Array) -> tuple[Array, Array, Array, Array]:
    """Compute i, f, g and o from the pre-activations `a` (..., 4 * hidden_size)."""
    a_i, a_f, a_g, a_o = split(a, 4)
    i = sigmoid(a_i)
    f = sigmoid(a_f)
    g = np.tanh(a_g)
    o = sigmoid(a_o)
    return i, f, g, o


def hidden(o: Array, c: Array, weights: Weights) -> tuple[Array, Array, Array]:
    """Compute tanh(c), o * tanh(c), and the new h, which is that or its projection."""
    tanh_c = np.tanh(c)
    h_full = o * tanh_c
    h = h_full if weights.weight_hr is None else h_full @ weights.weight_hr.T
    return tanh_c, h_full, h
