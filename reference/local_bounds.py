"""Bounds on what each step of a correct LSTM adds, for sequences and layers of any size.

The model is that of :mod:`reference.bounds`. The output of a layer holds h of every step, as the
implementation stored it. So each step is computed from the implementation's *own* h of the step
before: it may have used another number, but one that is stored as this one, which is off by at most
``(u |h| + subnormal) / (1 - u)``. Nothing is carried through W_hh then. What is left to bound in a
step is what the step itself adds, and the error of c, which the forget gate alone carries from step
to step, element by element::

    |dc'| <= |c| df + (f + df) |dc| + |g| di + (i + di) dg + 2 u (...)

So the bound costs what a forward pass costs, needs no Jacobian and does not grow with W_hh. It says
as much as :func:`reference.bounds.forward_bound`: a right implementation is within it in every
step, and one that is within it in every step computes the equations.

The reference computes in float64, and its own error is added: that of the same computation with
u = 2^-53. For a case in float64 the bound is twice as wide for that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array, Case, Result
from reference.local_layer import LocalLayer, local_arithmetic, local_layer
from reference.network import assemble, cell_weights


def local_layers(
    case: Case,
    output: Array,
    arithmetic: Arithmetic,
    *,
    x: Array | None = None,
    dx: Array | None = None,
    strayed: bool = False,
    keep: bool = False,
) -> list[LocalLayer]:
    """Compute and bound each direction of the top layer of `case` from its `output`.

    `output` is in the order of axes of the case. `x` (T, N, features) is the top layer's input,
    off by at most `dx`; by default it is that of the case, which then has one layer. See
    :func:`local_layer` for `strayed` and `keep`.
    """
    directions = case.configuration.num_directions
    if x is None:
        if case.configuration.num_layers > 1:
            raise ValueError("the input of an upper layer must be given")
        x = np.asarray(case.time_major(case.input), np.float64)
    dx = np.zeros(x.shape) if dx is None else dx
    observed = np.asarray(case.time_major(output), np.float64)
    h_0, c_0 = (state[-directions:].astype(np.float64) for state in case.initial_states())
    suffixes = case.configuration.suffixes()[-directions:]
    model, active = local_arithmetic(arithmetic), case.valid_steps()
    return [
        local_layer(
            x,
            dx,
            half,
            h_0[direction],
            c_0[direction],
            cell_weights(case, suffix, np.dtype(np.float64)),
            active,
            model,
            reverse=direction == 1,
            strayed=strayed,
            keep=keep,
        )
        for direction, (suffix, half) in enumerate(
            zip(suffixes, np.split(observed, directions, axis=-1), strict=True)
        )
    ]


def local_bound(
    case: Case, output: Array, arithmetic: Arithmetic | None = None
) -> tuple[Result, Result]:
    """Compute the results of a layer from its own `output`, and bound each element.

    `case` has one layer, in one or two directions, and `output` has its shape and any number of
    axes of the case; `arithmetic` is by default that of the case's dtype. Returns what each element
    should be after the observed step before, and how far it can be from that. Raises
    :class:`ValueError` for a case of several layers.

    A cell whose parameters are zero halves c, whatever h is:

    >>> from reference import Case, Configuration
    >>> configuration = Configuration(input_size=1, hidden_size=1)
    >>> shapes = configuration.parameter_shapes()
    >>> parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    >>> ones = np.ones((1, 1, 1), np.float32)
    >>> case = Case(configuration, parameters, np.ones((2, 1, 1), np.float32), h_0=ones, c_0=ones)
    >>> expected, bound = local_bound(case, np.zeros((2, 1, 1)))
    >>> expected.c_n.item(), f"{bound.c_n.item():.0e}"
    (0.25, '5e-07')
    """
    model = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    return results_of(case, local_layers(case, output, model))


def results_of(case: Case, layers: Sequence[LocalLayer]) -> tuple[Result, Result]:
    """Join the directions of one layer to results and bounds in the shapes of `case`."""
    sides = [layer.output for layer in layers], [layer.bound_output for layer in layers]
    h = [layer.h_n for layer in layers], [layer.bound_h_n for layer in layers]
    c = [layer.c_n for layer in layers], [layer.bound_c_n for layer in layers]
    expected, bound = (
        assemble(case, np.concatenate(sides[which], axis=-1), h[which], c[which])
        for which in (0, 1)
    )
    return expected, bound
