"""Cases like a given one, with enough numbers that hypotheses give different results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reference import Array, Case, Configuration
from strategies.recipes import Recipe
from strategies.tensors import PARAMETERS, fill, input_shape, state_shapes

DENSE = Recipe("dense", scale=1.5, relative=True)
ORDINARY = Recipe("ordinary")
COARSE = Recipe("coarse", scale=0.75, grid=0.5)

STEPS, OPEN = 8, 20
"""How many steps are summed, and the bias that opens a gate."""


def dense(case: Case, seed: int) -> Case:
    """Make a case of the same shapes and options, with ordinary numbers everywhere."""
    return _filled(case, case.configuration, case.seq_len, case.batch_size, case.lengths, seed)


def larger(case: Case, seed: int) -> Case:
    """Make a case as :func:`dense` with all sizes at least 3, and at least 4 steps.

    What may matter for a fault is kept: whether hidden_size and input_size are equal, whether there
    are as many rows as steps, and whether lengths are ragged, full or sorted.
    """
    c = case.configuration
    hidden_size = max(3, c.hidden_size) if c.hidden_size == c.input_size else max(4, c.hidden_size)
    input_size = max(3, c.input_size)
    if c.hidden_size != c.input_size and input_size == hidden_size:
        input_size += 1
    configuration = replace(
        c,
        input_size=input_size,
        hidden_size=hidden_size,
        proj_size=min(hidden_size - 1, max(2, c.proj_size)) if c.proj_size else 0,
    )
    seq_len, batch_size = max(4, case.seq_len), max(3, case.batch_size)
    if case.batched and case.seq_len == case.batch_size > 1:
        seq_len = batch_size = max(seq_len, batch_size)
    elif seq_len == batch_size:
        batch_size += 1
    lengths = None
    if case.lengths is not None:
        shorter = (2, 0, 1, *range(batch_size))[:batch_size]
        lengths = np.maximum(1, seq_len - np.array(shorter))
        if (case.lengths == case.seq_len).all() and len(case.lengths) > 1:
            lengths[:] = seq_len
        elif len(case.lengths) > 1 and (np.diff(case.lengths) <= 0).all():
            lengths = np.sort(lengths)[::-1].copy()
    return _filled(case, configuration, seq_len, batch_size, lengths, seed)


def one_step(case: Case, *, exact: bool) -> Case:
    """Make a case of one step of one layer without projection.

    Numbers are ordinary, or else such that all sums of products are `exact` in seven bits.
    """
    configuration = replace(
        case.configuration, num_layers=1, proj_size=0, input_size=3, hidden_size=4
    )
    rows = 2 if case.batched else 1
    lengths = None if case.lengths is None else np.ones(rows, int)
    return _filled(case, configuration, 1, rows, lengths, 4, exact)


def extreme(case: Case, seed: int) -> Case:
    """Make a case of one step whose gates are open or shut, and whose c_0 is near ten thousand.

    Shut gates are mixed with others, as numbers are ordinary ones times a power of two. A case
    without initial states has many steps with open gates instead, if there are biases.
    """
    if case.c_0 is None and case.configuration.bias:
        return _summing(case, seed)
    step = one_step(case, exact=False)
    step = _filled(step, step.configuration, 1, step.batch_size, step.lengths, seed)
    scaled = {name: array * array.dtype.type(8) for name, array in step.parameters.items()}
    c_0 = None if step.c_0 is None else step.c_0 * step.c_0.dtype.type(8192)
    return replace(step, parameters=scaled, c_0=c_0)


def _summing(case: Case, seed: int) -> Case:
    """Make a case whose c is the number of steps so far, or that number negative."""
    rows = 2 if case.batched else 1
    lengths = None if case.lengths is None else np.full(rows, STEPS)
    one = one_step(case, exact=False).configuration
    made = _filled(case, one, STEPS, rows, lengths, seed)
    opened = np.repeat([OPEN, OPEN, OPEN * (-1) ** seed, OPEN], one.hidden_size)
    biases = {
        name: opened.astype(array.dtype)
        for name, array in made.parameters.items()
        if name.startswith("bias_ih")
    }
    return replace(made, parameters={**made.parameters, **biases})


def _filled(
    case: Case,
    configuration: Configuration,
    seq_len: int,
    batch_size: int,
    lengths: Array | None,
    seed: int,
    coarse: bool = False,
) -> Case:
    rows = batch_size if case.batched else None
    shapes = configuration.parameter_shapes()
    names = list(shapes)
    shapes["input"] = input_shape(configuration, seq_len, rows)
    if case.h_0 is not None:
        shapes |= state_shapes(configuration, rows)
    styles = dict.fromkeys(PARAMETERS, COARSE if coarse else DENSE)
    styles |= dict.fromkeys(("input", "h_0", "c_0"), COARSE if coarse else ORDINARY)
    arrays = fill(
        shapes, styles, hidden_size=configuration.hidden_size, seed=seed, dtype=case.dtype
    )
    return Case(
        configuration,
        {name: arrays[name] for name in names},
        arrays["input"],
        arrays.get("h_0"),
        arrays.get("c_0"),
        lengths,
        case.device,
    )
