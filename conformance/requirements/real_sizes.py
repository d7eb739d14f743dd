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
from conformance.requirements.helpers.needs import and_also, returning
from conformance.requirements.variations import rows, steps
from reference import Case

EQUATIONS = "torch.nn.LSTM documentation, equations for i_t, f_t, g_t, o_t, c_t and h_t"

observed = returning("output")
WEIGHTS = ["zeros", "one", "default", "small"]


def sizes(work: int, **options: Any) -> dict[str, Any]:
    """Give the options of cases of real sizes, few of them, of so much `work`."""
    return {
        "num_layers": (1, 1),
        "weights": WEIGHTS,
        "share_of_cases": 0.4,
        "work": work,
        **options,
    }


FULL: dict[str, Any] = {"batched": True, "lengths": False}


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(
        2**25, input_size=(15, 130), hidden_size=(15, 130), batch_size=(15, 130), seq_len=(2, 24)
    ),
    **FULL,
)
def tiles_match_reference(implementation: Implementation, case: Case) -> float:
    """With features, units and rows all at least 15, as tiles are, the equations hold.

    The sizes are multiples of 16, 32, 64 and 128, and one off them.
    """
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(
        2**26, input_size=(15, 1024), hidden_size=(129, 1025), batch_size=(15, 64), seq_len=(1, 4)
    ),
    **FULL,
)
def wide_layers_match_reference(implementation: Implementation, case: Case) -> float:
    """With hundreds of hidden units, the equations hold for every unit, in 15 rows and more."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    costly=True,
    **sizes(
        2**27,
        input_size=(15, 1024),
        hidden_size=(1025, 2048),
        batch_size=(15, 33),
        seq_len=(1, 2),
        share_of_cases=0.02,
    ),
    **FULL,
)
def widest_layers_match_reference(implementation: Implementation, case: Case) -> float:
    """With two thousand hidden units, the equations hold for every unit."""
    return against_reference(implementation, case)


@requirement(
    source="PyTorch documentation, notes on CUDA semantics: float32 products are cut to TF32 only "
    "where that is allowed",
    level="core",
    applies=observed,
    dtypes=["float32", "float64"],
    **sizes(
        2**24, input_size=(127, 129), hidden_size=(127, 129), batch_size=(15, 33), seq_len=(2, 4)
    ),
    **FULL,
)
def wide_products_have_full_precision(implementation: Implementation, case: Case) -> float:
    """In float32 and float64, products of 128 terms are not computed in a narrower type, as TF32.

    Kernels may use such types from some size on. In wider layers the bound on sums is too wide to
    show that.
    """
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(
        2**25, input_size=(15, 130), hidden_size=(34, 130), batch_size=(1, 33), seq_len=(300, 1024)
    ),
    **FULL,
)
def hundreds_of_steps_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold at every one of hundreds of steps, in both directions."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(
        2**25, input_size=(15, 130), hidden_size=(34, 257), batch_size=(129, 513), seq_len=(1, 4)
    ),
    **FULL,
)
def hundreds_of_rows_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold in every one of hundreds of rows."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(2**22, input_size=(1, 8), hidden_size=(7, 17), batch_size=(65, 257), seq_len=(65, 257))
    | {"share_of_cases": 0.2},
    batched=True,
)
def many_steps_of_many_rows_match_reference(implementation: Implementation, case: Case) -> float:
    """With thousands of rows times steps, also in packed batches, the equations hold everywhere."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(2**24, input_size=(1, 1024), hidden_size=(34, 257), batch_size=(1, 1), seq_len=(1, 129))
    | {"share_of_cases": 0.3},
    batched=False,
)
def large_layers_without_a_batch_match_reference(
    implementation: Implementation, case: Case
) -> float:
    """Without a batch, the equations hold for hundreds of units, features and steps."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(2**24, input_size=(64, 64), hidden_size=(64, 64), batch_size=(32, 32), seq_len=(1, 8))
    | {"share_of_cases": 0.3},
    **FULL,
)
def whole_tiles_match_reference(implementation: Implementation, case: Case) -> float:
    """The equations hold where features, units and rows all are multiples of 32, as tiles are."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="sequence",
    applies=observed,
    **sizes(
        2**25, input_size=(15, 130), hidden_size=(34, 257), batch_size=(15, 130), seq_len=(15, 129)
    ),
    batched=True,
    lengths=True,
)
def packed_batches_of_real_size_match_reference(
    implementation: Implementation, case: Case
) -> float:
    """In a packed batch of many rows of different lengths the equations hold in every row."""
    return against_reference(implementation, case)


@requirement(
    source="torch.nn.LSTM documentation: in a multilayer LSTM, the input of layer l is the hidden "
    "state of the previous layer",
    level="core",
    applies=observed,
    **sizes(
        2**24,
        input_size=(15, 130),
        hidden_size=(34, 130),
        batch_size=(15, 65),
        seq_len=(2, 17),
    )
    | {"num_layers": (2, 12)},
    batched=True,
)
def deep_networks_match_layer_by_layer(implementation: Implementation, case: Case) -> float:
    """In networks of up to twelve layers, every layer computes the equations of its own input.

    The input of a layer is the output of the same network with fewer layers.
    """
    return match_layer_by_layer(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    applies=observed,
    **sizes(
        2**24, input_size=(15, 130), hidden_size=(65, 513), batch_size=(33, 130), seq_len=(2, 16)
    ),
    **FULL,
)
def rows_alone_match_reference(implementation: Implementation, case: Case) -> float:
    """At real sizes the equations hold for a row alone, and for some rows, of a batch."""
    count = case.batch_size
    chosen = [0], [count - 1], range(count // 2, count)
    return max(against_reference(implementation, rows(case, np.array(each))) for each in chosen)


@requirement(
    source="torch.nn.LSTM documentation: h_n and c_n are the final states, h_0 and c_0 the initial",
    level="sequence",
    applies=and_also(observed, returning("h_n", "c_n")),
    **sizes(
        2**25, input_size=(15, 130), hidden_size=(34, 257), batch_size=(15, 33), seq_len=(15, 129)
    ),
    states=True,
    bidirectional=False,
    **FULL,
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
