"""Requirements on the masks of dropout: how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, nothing
from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic
from conformance.implementations.failures import Mismatch
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import ending
from conformance.recording.noting import bind
from conformance.requirements.dropout import ANY, DOCUMENTED, SCALING, in_train_mode, often_packed
from conformance.requirements.helpers.chance import Counts, most_surprising
from conformance.requirements.helpers.masks import (
    Where,
    agreeing,
    dropped,
    repeating,
    shown_by_masks,
)
from conformance.requirements.helpers.needs import dropout
from conformance.requirements.helpers.randomness import seeded
from conformance.requirements.helpers.readable import Readable, passing, uniform
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.parts import without_batch
from conformance.requirements.variations import with_dropout
from reference import Array, Case, Result, forward_bound, trace

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
CALLS = 3, 6
"""The calls, without lengths and with them, with which most rows have one step only."""
LARGE = (1, 67, 130), (66, 3, 65)
"""Steps, rows and features in one direction of networks at whose end dropped values are counted."""


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
    calls = CALLS[case.lengths is not None]
    results = in_train_mode(implementation, network.case, calls, modules=2)
    outputs = [network.case.time_major(each.output) for each in results]
    shape = (calls, SIZE, SIZE, configuration.num_directions, SIZE)
    highest = np.stack([network.highest(output) for output in outputs]).reshape(shape)
    counts = list(counted(highest, configuration.num_layers - 1, configuration.dropout))
    return _explained(network, results, what, counts)


def _explained(
    network: Readable, results: Sequence[Result], what: str, counts: Sequence[Counts]
) -> float:
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


@requirement(source=DOCUMENTED, applies=dropout, **{**_FEW, "share_of_cases": 1.0})
def dropout_is_drawn_anew(implementation: TorchModule, case: Case) -> float:
    """Every call, step, row, feature, direction and gap has its own dropout mask.

    The calls are those of two modules in turn.
    Two independent masks agree in a share of p^2 + (1 - p)^2 of their values, up to chance. That a
    gap has the mask of another shows in :func:`dropout_rate_is_p`, as a value that is kept in one
    is then never dropped in the other. In one case the probability of a false alarm is at most
    1e-15, of all pairs together, and so below 1e-11 in a run of the thorough profile.
    """
    case = often_packed(implementation, case)
    return _what_chance_explains(implementation, case, "equal masks", agreeing)


@requirement(
    source=f"{DOCUMENTED}; {SCALING}",
    applies=dropout,
    **{**_FEW, "num_layers": (2, 5), "share_of_cases": 0.35},
    lengths=False,
)
def large_networks_drop_everywhere(implementation: TorchModule, case: Case) -> float:
    """In nine layers or fewer, and 65 steps, rows and features or more, any value can be dropped.

    So it is without biases, and without a batch. Each layer reads what its own direction of the
    layer below hands on, so that a value arrives, scaled, if none of L - 1 masks dropped it: with a
    probability of (1 - p)^(L - 1), where p is less in deep networks. In one case the probability of
    a false alarm is at most 1e-15.
    """
    tried, supports = [(case, True)], implementation.supports
    if False in supports.bias:
        tried += [(case, False)]
    if False in supports.batched:
        tried += [(without_batch(case), True)]
    return max(_drops_everywhere(implementation, *each) for each in tried)


def _drops_everywhere(implementation: TorchModule, case: Case, bias: bool) -> float:
    """Check the options of `case`, with or without biases, in a large network."""
    wanted = case.configuration.num_layers + 4 * (case.seq_len % 2)
    layers = int(min(wanted, implementation.supports.max_layers))
    case = with_dropout(case, case.configuration.dropout / (layers - 1))
    of = case.configuration
    given, one = (
        passing(case, layers, bias, each) for each in (LARGE[case.seq_len // 2 % 2], (1, 1, 1))
    )
    scale = np.full((1, 1, of.num_directions), 1 / (1 - of.dropout))
    evaluated = trace(one, [scale] * (layers - 1))
    bound = forward_bound(evaluated, arithmetic(one, implementation)).output.max()
    value = evaluated.result.output.ravel()[0].astype(np.float64)
    shape = (given.seq_len, given.batch_size, given.configuration.output_size * of.num_directions)
    outputs = np.stack([np.full(shape, value), np.zeros(shape)])
    network = Readable(given, outputs, outputs)
    result = in_train_mode(implementation, given)[0]
    gone = network.highest(given.time_major(result.output))
    expected = given.user_order(np.where(gone, 0, value))
    text = f"""outputs = numbers({{it}})
off = np.minimum(np.abs(outputs), np.abs(outputs - {value}))
fault = not (off <= {bound}).all()
print("expected 0 or {value}; off by up to", off.max())"""
    share = close(
        "output",
        np.array(result.output),  # so that a script has the ending
        expected,
        np.full(expected.shape, bound),
        ending=lambda _: ending(text, it=result.output),
    )
    p = 1 - (1 - of.dropout) ** (layers - 1)
    values = gone.reshape(1, *shape[:2], of.num_directions, -1)
    counts = [*dropped(values, 1, p), *repeating(values, p)]
    return max(share, _explained(network, [result], "values handed on", counts))


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
