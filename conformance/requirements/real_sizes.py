"""Requirements at the sizes of networks that are really used.

Kernels work in tiles, vectors and blocks, and switch paths with the size. Results are judged
step by step, see :mod:`reference.local_bounds`, so that the bounds are sharp at any size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.layerwise import match_layer_by_layer
from conformance.requirements.helpers.needs import and_also, at_once, returning
from conformance.requirements.parts import rows, steps
from conformance.requirements.precision import TF32
from conformance.requirements.variations import converted, enlarged, with_input
from reference import Case

LAYERS = (
    "torch.nn.LSTM documentation: in a multilayer LSTM, the input of layer l is the hidden state "
    "of the previous layer"
)
FINAL = "torch.nn.LSTM documentation: h_n and c_n are the final states, h_0 and c_0 the initial"
EQUATIONS = "torch.nn.LSTM documentation, equations for i_t, f_t, g_t, o_t, c_t and h_t"

WEIGHTS = ["zeros", "one", "default", "small"]
Bounds = tuple[int, int]


def sizes(
    work: int, features: Bounds, units: Bounds, rows: Bounds, steps: Bounds, **options: Any
) -> dict[str, Any]:
    """Give the options of cases of these sizes and so much `work`: few, batched, of full length."""
    return {
        "input_size": features,
        "hidden_size": units,
        "batch_size": rows,
        "seq_len": steps,
        "num_layers": (1, 1),
        "weights": WEIGHTS,
        "share_of_cases": 0.4,
        "work": work,
        "batched": True,
        "lengths": False,
        **options,
    }


def observed(work: int, *bounds: Bounds) -> dict[str, Any]:
    """Give the same for a requirement on the equations, where the output is returned."""
    of = {"source": EQUATIONS, "level": "core", "applies": returning("output")}
    return {**of, **sizes(work, *bounds)}


@requirement(**observed(2**25, (15, 130), (15, 130), (15, 130), (2, 24)))
def tiles_match_reference(implementation: Implementation, case: Case) -> float:
    """With features, units and rows all at least 15, as tiles are, the equations hold.

    The sizes are multiples of 16, 32, 64 and 128, and one off them.
    """
    return against_reference(implementation, case)


@requirement(**observed(2**26, (15, 1024), (129, 1025), (15, 64), (1, 4)))
def wide_layers_match_reference(implementation: Implementation, case: Case) -> float:
    """With hundreds of hidden units, the equations hold for every unit, in 15 rows and more."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**27, (15, 1024), (1025, 2048), (15, 33), (1, 2))
    | {"costly": True, "share_of_cases": 0.02}
)
def widest_layers_match_reference(implementation: Implementation, case: Case) -> float:
    """With two thousand hidden units, the equations hold for every unit."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**24, (127, 129), (127, 129), (15, 33), (2, 4))
    | {"source": TF32, "dtypes": ["float32", "float64"]}
)
def wide_products_have_full_precision(implementation: Implementation, case: Case) -> float:
    """In float32 and float64, products of 128 terms are not computed in a narrower type, as TF32.

    Kernels may use such types from some size on. In wider layers the bound on sums is too wide to
    show that.
    """
    return against_reference(implementation, case)


@requirement(
    **observed(2**25, (15, 130), (34, 130), (1, 33), (300, 1024))
    | {"applies": and_also(returning("output"), at_once)}
)
def hundreds_of_steps_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold at every one of hundreds of steps, in both directions."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="sequence",
    applies=and_also(returning("output"), at_once),
    hidden_size=(1, 6),
    input_size=(1, 6),
    num_layers=(1, 1),
    batch_size=(2, 4),
    seq_len=(257, 257),
    weights=["default", "small"],
    share_of_cases=0.05,
    batched=True,
    lengths=False,
)
def long_sequences_of_every_form_match_reference(
    implementation: Implementation, case: Case
) -> float:
    """Over 257 steps the equations hold in each dtype and direction, if packed, and in two layers.

    Kernels for some of these may count steps in another way.
    """
    supports = implementation.supports
    x = case.time_major(case.input)
    case = with_input(case, x + (np.arange(x.size) * 5 % 7 - 3).reshape(x.shape) / 4)
    if supports.lengths:
        case = replace(case, lengths=case.seq_len - np.arange(case.batch_size) * 61)
    if True in supports.bidirectional:
        case = enlarged(case, bidirectional=True)
    forms = [converted(case, dtype) for dtype in supports.dtypes]
    if supports.max_layers > 1:
        deep = enlarged(case, num_layers=2)
        forms += [replace(deep, lengths=case.lengths if case.configuration.batch_first else None)]
    return max(match_layer_by_layer(implementation, each) for each in forms)


@requirement(**observed(2**25, (15, 130), (34, 257), (129, 513), (1, 4)))
def hundreds_of_rows_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold in every one of hundreds of rows."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**22, (1, 8), (7, 17), (65, 257), (65, 257))
    | {"share_of_cases": 0.2, "lengths": None}
    | {"applies": and_also(returning("output"), at_once)}
)
def many_steps_of_many_rows_match_reference(implementation: Implementation, case: Case) -> float:
    """With thousands of rows times steps, also in packed batches, the equations hold everywhere."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**24, (1, 1024), (34, 257), (1, 1), (1, 129))
    | {"share_of_cases": 0.3, "batched": False}
)
def large_layers_without_a_batch_match_reference(
    implementation: Implementation, case: Case
) -> float:
    """Without a batch, the equations hold for hundreds of units, features and steps."""
    return against_reference(implementation, case)


@requirement(**observed(2**24, (64, 64), (64, 64), (32, 32), (1, 8)) | {"share_of_cases": 0.3})
def whole_tiles_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold where features, units and rows all are multiples of 32, as tiles are."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**25, (15, 130), (34, 257), (15, 130), (15, 129))
    | {"level": "sequence", "lengths": True, "share_of_cases": 0.6}
)
def packed_batches_of_real_size_match_reference(
    implementation: Implementation, case: Case
) -> float:
    """In a packed batch of many rows of different lengths the equations hold in every row."""
    return against_reference(implementation, case)


@requirement(
    **observed(2**24, (15, 130), (34, 130), (15, 65), (2, 17))
    | {"source": LAYERS, "num_layers": (2, 12), "lengths": None}
)
def deep_networks_match_layer_by_layer(implementation: Implementation, case: Case) -> float:
    """In networks of up to twelve layers, every layer computes the equations of its own input.

    The input of a layer is the output of the same network with fewer layers.
    """
    return match_layer_by_layer(implementation, case)


@requirement(
    **observed(2**23, (15, 130), (257, 385), (1, 17), (1, 3))
    | {"source": LAYERS, "num_layers": (2, 3), "share_of_cases": 0.05, "weights": WEIGHTS[2:]}
)
def wide_networks_match_layer_by_layer(implementation: Implementation, case: Case) -> float:
    """With hundreds of hidden units in each of several layers, every layer computes the equations.

    So do networks that cannot have a single layer.
    """
    return match_layer_by_layer(implementation, case)


@requirement(**observed(2**24, (15, 130), (65, 513), (33, 130), (2, 16)))
def rows_alone_match_reference(implementation: Implementation, case: Case) -> float:
    """At real sizes the equations hold for a row alone, and for some rows, of a batch."""
    count = case.batch_size
    chosen = [0], [count - 1], range(count // 2, count)
    return max(against_reference(implementation, rows(case, np.array(each))) for each in chosen)


@requirement(
    **observed(2**25, (15, 130), (34, 257), (15, 33), (15, 129))
    | {
        "source": FINAL,
        "level": "sequence",
        "applies": returning("output", "h_n", "c_n"),
        "states": True,
        "bidirectional": False,
    }
)
def sequences_split_in_time_match_reference(implementation: Implementation, case: Case) -> float:
    """At real sizes the equations hold in each part of a sequence, with the states of the last."""
    worst, part = 0.0, case
    for start, stop in ((0, 1), (1, case.seq_len // 2), (case.seq_len // 2, case.seq_len)):
        part = replace(steps(case, start, stop), h_0=part.h_0, c_0=part.c_0)
        result = run(implementation, part)
        worst = max(worst, against_reference(implementation, part, result))
        part = replace(part, h_0=result.h_n, c_0=result.c_n)
    return worst
