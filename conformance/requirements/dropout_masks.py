"""Requirements on the masks of dropout: how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, nothing
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch
from conformance.implementations.torch_module import TorchModule
from conformance.recording.tape import bind
from conformance.requirements.dropout import ANY, DOCUMENTED, in_train_mode
from conformance.requirements.helpers.chance import Counts, most_surprising
from conformance.requirements.helpers.masks import Where, agreeing, dropped, shown_by_masks
from conformance.requirements.helpers.needs import dropout
from conformance.requirements.helpers.randomness import seeded
from conformance.requirements.helpers.readable import uniform
from conformance.requirements.helpers.torch_only import session as session_of
from reference import Array, Case

_FEW: dict[str, Any] = {
    **ANY,
    "hidden_size": (1, 4),
    "input_size": (1, 4),
    "seq_len": (1, 4),
    "batch_size": (1, 4),
    "batched": True,
    "share_of_cases": 0.8,
}
SIZE = 16
"""The steps, rows and features in one direction of a network whose dropped values are counted."""
CALLS = 3


def _what_chance_explains(
    implementation: TorchModule,
    case: Case,
    what: str,
    counted: Callable[[Array, int, float], Iterator[Counts]],
) -> float:
    """Run a network of :data:`SIZE`, and find the count that chance explains least.

    Raises :class:`~conformance.Mismatch` if chance does not explain it.
    """
    network = uniform(case, SIZE, SIZE, SIZE)
    configuration = network.case.configuration
    results = in_train_mode(implementation, network.case, CALLS)
    outputs = [network.case.time_major(each.output) for each in results]
    shape = (CALLS, SIZE, SIZE, configuration.num_directions, SIZE)
    highest = np.stack([network.highest(output) for output in outputs]).reshape(shape)
    counts = list(counted(highest, configuration.num_layers - 1, configuration.dropout))
    of, place, surprise, limit = most_surprising(counts)
    if surprise > limit:
        where = of.where[place]
        assert isinstance(where, Where)
        share = of.hits[place] / of.trials[place]
        raise Mismatch(
            f"share of {what} {where}",
            "",
            f"{share:.4g} of {of.trials[place]:.0f}",
            f"{of.chance:.4g} up to chance",
            ending=shown_by_masks(network, results, where, of.chance, limit),
        )
    return surprise / limit


@requirement(source=DOCUMENTED, applies=dropout, **{**_FEW, "share_of_cases": 0.35}, by_dtype=True)
def dropout_rate_is_p(implementation: TorchModule, case: Case) -> float:
    """The share of dropped values is p, up to chance.

    That holds in each gap between layers, and there in each call, step, row, direction and feature.
    In one case the probability of a false alarm is at most 1e-15, of all counts together, and so
    below 1e-11 in a run of the thorough profile.
    """
    return _what_chance_explains(implementation, case, "dropped values", dropped)


@requirement(source=DOCUMENTED, applies=dropout, **_FEW)
def dropout_is_drawn_anew(implementation: TorchModule, case: Case) -> float:
    """Every call, step, row, feature, direction and gap has its own dropout mask.

    Two independent masks agree in a share of p^2 + (1 - p)^2 of their values, up to chance. That a
    gap has the mask of another shows in :func:`dropout_rate_is_p`, as a value that is kept in one
    is then never dropped in the other. In one case the probability of a false alarm is at most
    1e-15, of all pairs together, and so below 1e-11 in a run of the thorough profile.
    """
    return _what_chance_explains(implementation, case, "equal masks", agreeing)


@requirement(
    source="torch.manual_seed documentation: the same seed gives the same random numbers",
    applies=dropout,
    **{**_FEW, "share_of_cases": 0.2},
    should=True,
)
def dropout_is_reproducible_under_a_seed(implementation: TorchModule, case: Case) -> float:
    """In train mode, calls after torch.manual_seed with the same seed give the same results."""
    network = uniform(case, SIZE, SIZE, SIZE)
    session = session_of(implementation, network.case)
    session.module.train()
    results = []
    for _ in range(2):
        with seeded(case):
            results.append(session.run(network.case))
    return agree(results[1], results[0], nothing(results[0]))


@requirement(
    source=DOCUMENTED, applies=dropout, **{**_FEW, "bidirectional": True, "share_of_cases": 0.3}
)
def directions_read_the_same_mask(implementation: TorchModule, case: Case) -> float:
    """What is dropped between two layers is dropped for both directions of the upper layer.

    In a network whose two directions read the forward direction of the layer below, and compute the
    same from it, the results of one direction are those of the other.
    """
    network = uniform(case, SIZE, SIZE, SIZE, crossed=True)
    output = in_train_mode(implementation, network.case)[0].output
    forward, reverse = output[..., :SIZE], output[..., SIZE:]
    bind(reverse, output, f"[..., {SIZE}:]")
    return close("output of the reverse direction", reverse, forward, network.halfway())
