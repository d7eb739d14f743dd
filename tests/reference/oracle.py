"""The LSTM of the ``torch.nn.LSTM`` documentation at 50 digits, one number at a time.

A second implementation that shares nothing with the reference: scalars and loops in place of
arrays, one row after the other in place of masks. It reads the attributes of a case, no more::

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi)
    f_t = sigmoid(W_if x_t + b_if + W_hf h_(t-1) + b_hf)
    g_t = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg)
    o_t = sigmoid(W_io x_t + b_io + W_ho h_(t-1) + b_ho)
    c_t = f_t c_(t-1) + i_t g_t
    h_t = o_t tanh(c_t)
    h_t = W_hr h_t                        with a projection

"For each layer, the input is the hidden state of the previous layer multiplied by dropout"; with
two directions it is both hidden states, forward first. A packed row has its own number of steps,
and the reverse direction begins at the row's own last one.
"""

from typing import Any, NamedTuple

import mpmath

context = mpmath.mp.clone()
context.dps = 50


class Answer(NamedTuple):
    """``output``, ``h_n`` and ``c_n`` as nested lists in PyTorch's shapes and order."""

    output: list
    h_n: list
    c_n: list


def exact(array: Any) -> Any:
    """The numbers of `array`, of any floating-point type, as nested lists without rounding."""
    if array.ndim:
        return [exact(part) for part in array]
    number, rest = context.mpf(0), array
    while rest != 0:
        leading = float(rest)
        number += context.mpf(leading)
        rest = rest - array.dtype.type(leading)
    return number


def sigmoid(a: Any) -> Any:
    """``1 / (1 + exp(-a))``."""
    return 1 / (1 + context.exp(-a))


def dot(row: list, column: list) -> Any:
    """The sum of the products of two lists of equal length."""
    assert len(row) == len(column)
    total = context.mpf(0)
    for left, right in zip(row, column, strict=True):
        total += left * right
    return total


class Cell:
    """The parameters of one layer in one direction, by the documentation's names."""

    def __init__(self, case: Any, suffix: str) -> None:
        named = case.parameters
        self.hidden_size = case.configuration.hidden_size
        self.w_ih = exact(named["weight_ih" + suffix])
        self.w_hh = exact(named["weight_hh" + suffix])
        none = [context.mpf(0)] * (4 * self.hidden_size)
        self.b_ih = exact(named["bias_ih" + suffix]) if case.configuration.bias else none
        self.b_hh = exact(named["bias_hh" + suffix]) if case.configuration.bias else none
        self.w_hr = exact(named["weight_hr" + suffix]) if case.configuration.proj_size else None

    def gate(self, number: int, unit: int, x: list, h: list) -> Any:
        """The pre-activation of one unit of gate 0, 1, 2 or 3: i, f, g, o."""
        at = number * self.hidden_size + unit
        return dot(self.w_ih[at], x) + self.b_ih[at] + dot(self.w_hh[at], h) + self.b_hh[at]

    def step(self, x: list, h: list, c: list) -> tuple[list, list]:
        """The next ``h`` and ``c`` of one row."""
        new_h, new_c = [], []
        for unit in range(self.hidden_size):
            i = sigmoid(self.gate(0, unit, x, h))
            f = sigmoid(self.gate(1, unit, x, h))
            g = context.tanh(self.gate(2, unit, x, h))
            o = sigmoid(self.gate(3, unit, x, h))
            new_c.append(f * c[unit] + i * g)
            new_h.append(o * context.tanh(new_c[unit]))
        if self.w_hr is not None:
            new_h = [dot(row, new_h) for row in self.w_hr]
        return new_h, new_c


def lstm(case: Any, dropout_masks: Any = None) -> Answer:
    """The answer to `case`; ``dropout_masks[l]`` (T, N, D * R) multiplies what layer l puts out."""
    conf = case.configuration
    unbatched = case.input.ndim == 2
    given = exact(case.input)
    if unbatched:
        rows = [given]
    elif conf.batch_first:
        rows = given
    else:
        rows = [[given[t][b] for t in range(len(given))] for b in range(case.input.shape[1])]
    h_0 = None if case.h_0 is None else exact(case.h_0)
    c_0 = None if case.c_0 is None else exact(case.c_0)
    masks = None if dropout_masks is None else [exact(mask) for mask in dropout_masks]
    out_size = conf.proj_size if conf.proj_size else conf.hidden_size
    directions = ["", "_reverse"] if conf.bidirectional else [""]
    cells = [
        [Cell(case, f"_l{layer}{end}") for end in directions] for layer in range(conf.num_layers)
    ]

    output = []
    h_n: list[list] = [[] for _ in range(conf.num_layers * len(directions))]
    c_n: list[list] = [[] for _ in range(conf.num_layers * len(directions))]
    for b, row in enumerate(rows):
        length = len(row) if case.lengths is None else int(case.lengths[b])
        features = row[:length]
        for layer in range(conf.num_layers):
            if layer > 0 and masks is not None:
                for t in range(length):
                    mask = masks[layer - 1][t][b]
                    features[t] = [a * m for a, m in zip(features[t], mask, strict=True)]
            following: list[list] = [[] for _ in range(length)]
            for direction in range(len(directions)):
                place = layer * len(directions) + direction
                if h_0 is None or c_0 is None:
                    h, c = [context.mpf(0)] * out_size, [context.mpf(0)] * conf.hidden_size
                elif unbatched:
                    h, c = h_0[place], c_0[place]
                else:
                    h, c = h_0[place][b], c_0[place][b]
                times = range(length) if direction == 0 else range(length - 1, -1, -1)
                for t in times:
                    h, c = cells[layer][direction].step(features[t], h, c)
                    following[t] = following[t] + h
                h_n[place].append(h)
                c_n[place].append(c)
            features = following
        zeros = [context.mpf(0)] * (out_size * len(directions))
        output.append(features + [zeros] * (len(row) - length))

    if unbatched:
        return Answer(output[0], [place[0] for place in h_n], [place[0] for place in c_n])
    if not conf.batch_first:
        output = [[row[t] for row in output] for t in range(case.input.shape[0])]
    return Answer(output, h_n, c_n)
