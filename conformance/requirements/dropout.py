"""Dropout between the layers, in train mode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, arithmetic, close, nothing, truth
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.gradients import cotangents
from conformance.requirements.helpers.needs import and_also, dropout, gradients
from conformance.requirements.helpers.randomness import FALSE_ALARM, seeded
from conformance.requirements.helpers.readable import readable
from conformance.requirements.helpers.torch_only import autograd
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.variations import with_dropout
from reference import Case, Result, Trace, backward, forward_bound, gradient_bound, trace

DOCUMENTED = (
    "torch.nn.LSTM documentation, dropout: a Dropout layer on the outputs of each LSTM layer "
    "except the last layer, with dropout probability equal to dropout; the input of layer l is "
    "the hidden state of the previous layer times a Bernoulli variable that is 0 with "
    "probability dropout"
)
SCALING = "torch.nn.Dropout documentation: outputs are scaled by 1 / (1 - p) during training"


def _train(implementation: TorchModule, case: Case, calls: int = 1) -> list[Result]:
    session = session_of(implementation, case)
    session.module.train()
    with seeded(case):
        return [session.run(case) for _ in range(calls)]


@requirement(
    source="torch.nn.Dropout documentation: during evaluation the module computes an identity",
    level="training",
    applies=dropout,
    num_layers=(2, 5),
)
def dropout_is_identity_in_eval(implementation: TorchModule, case: Case) -> float:
    """In eval mode, also after train mode, an LSTM with dropout computes what one without does."""
    known = truth(case, implementation)
    session = session_of(implementation, with_dropout(case, 0.5))
    share = agree(session.run(case), known.result, known.bound)
    session.module.train()
    session.run(case)
    session.module.eval()
    return max(share, agree(session.run(case), known.result, known.bound))


@requirement(source=DOCUMENTED, level="training", applies=dropout, num_layers=(1, 5))
def zero_dropout_changes_nothing(implementation: TorchModule, case: Case) -> float:
    """In train mode with dropout 0 the results are those of the equations."""
    known = truth(case, implementation)
    return agree(_train(implementation, case)[0], known.result, known.bound)


@requirement(
    source=DOCUMENTED,
    level="training",
    applies=dropout,
    num_layers=(1, 1),
)
def dropout_spares_a_single_layer(implementation: TorchModule, case: Case) -> float:
    """In train mode with one layer there is nothing to drop: neither output nor recurrence."""
    known = truth(case, implementation)
    result = _train(implementation, with_dropout(case, 0.5))[0]
    return agree(result, known.result, known.bound)


@requirement(
    source=DOCUMENTED, level="training", applies=dropout, num_layers=(2, 5), share_of_cases=0.5
)
def full_dropout_cuts_layers_apart(implementation: TorchModule, case: Case) -> float:
    """With dropout 1 every layer but the first sees zeros, and nothing else changes.

    So neither the recurrence nor the last layer's output is dropped, nor any final state.
    """
    evaluated = _with_all_dropped(case)
    result = _train(implementation, with_dropout(case, 1.0))[0]
    bound = forward_bound(evaluated, arithmetic(case, implementation))
    return agree(result, evaluated.result, bound)


def _with_all_dropped(case: Case) -> Trace:
    """The true course of the case where every layer but the first sees zeros."""
    features = case.configuration.num_directions * case.configuration.output_size
    masks = np.zeros((case.seq_len, case.batch_size, features))
    return trace(case, [masks] * (case.configuration.num_layers - 1))


@requirement(
    source=f"{DOCUMENTED}; the chain rule: what is multiplied with 0 has gradient 0",
    level="training",
    applies=and_also(dropout, gradients),
    num_layers=(2, 3),
    hidden_size=(1, 9),
    input_size=(1, 9),
    seq_len=(1, 12),
    batch_size=(1, 6),
    share_of_cases=0.5,
)
def dropped_values_pass_no_gradient(implementation: TorchModule, case: Case) -> float:
    """With dropout 1 no gradient passes from a layer to the one below; all others are true."""
    weights = cotangents(case)
    evaluated = _with_all_dropped(case)
    bound = gradient_bound(evaluated, weights, arithmetic(case, implementation))
    expected = backward(evaluated, weights)
    got = autograd(implementation, with_dropout(case, 1.0), weights)
    return max(close(f"gradient of {name}", got[name], expected[name], bound[name]) for name in got)


_FEW: dict[str, Any] = {
    "dtypes": "float64",
    "num_layers": (1, 2),
    "hidden_size": (1, 4),
    "input_size": (1, 4),
    "seq_len": (1, 16),
    "batch_size": (1, 16),
    "batched": True,
    "lengths": False,
    "share_of_cases": 0.2,
    "level": "training",
}


def _p(case: Case) -> float:
    """One of several probabilities, by the case's sizes."""
    return (0.5, 0.25, 0.75, 0.1)[(case.seq_len + case.batch_size - 2) % 4]


@requirement(source=SCALING, applies=dropout, **_FEW)
def survivors_are_scaled(implementation: TorchModule, case: Case) -> None:
    """In train mode each value between layers is dropped or multiplied by 1 / (1 - p)."""
    p = _p(case)
    network = readable(case, p)
    mask = network.masks(_train(implementation, network.case)[0])
    nearest = np.where(mask < 0.5 / (1 - p), 0, 1 / (1 - p))
    close("dropout mask", mask, nearest, 1e-9)


@requirement(source=DOCUMENTED, applies=dropout, **_FEW)
def dropout_rate_is_p(implementation: TorchModule, case: Case) -> None:
    """The share of dropped values is p, as far as their number allows.

    By Hoeffding's inequality a share of n values is further off than sqrt(ln(2 / a) / 2n) with a
    probability of at most a = 1e-15, the false-alarm probability of one case.
    """
    p = _p(case)
    network = readable(case, p)
    masks = np.stack([network.masks(result) for result in _train(implementation, network.case, 8)])
    allowed = math.sqrt(math.log(2 / FALSE_ALARM) / 2 / masks.size)
    close("share of dropped values", np.array(np.mean(masks < 0.5)), np.array(p), allowed)


@requirement(source=DOCUMENTED, applies=dropout, **_FEW)
def dropout_is_drawn_anew(implementation: TorchModule, case: Case) -> None:
    """Every call, step, row and feature has a mask of its own.

    Two masks of m values are the same by chance with probability (p^2 + (1 - p)^2)^m; with p = 1/2
    and m of at least 64 that is below 1e-19 for each pair compared.
    """
    network = readable(case, 0.5)
    first, second = (network.masks(r) > 0.5 for r in _train(implementation, network.case, 2))
    steps, rows = len(first) // 2, first.shape[1] // 2
    pairs = {
        "calls": (first, second),
        "steps": (first[:steps], first[steps : 2 * steps]),
        "rows": (first[:, :rows], first[:, rows : 2 * rows]),
        "features": (first[..., :3], first[..., 3:]),
    }
    for what, (one, other) in pairs.items():
        if (one == other).all():
            raise Mismatch(f"dropout masks of different {what}", "", "the same", "different")


@requirement(
    source="torch.manual_seed documentation: the same seed gives the same random numbers",
    applies=dropout,
    **_FEW,
)
def dropout_is_reproducible_under_a_seed(implementation: TorchModule, case: Case) -> float:
    """After torch.manual_seed with the same seed, train mode gives the same results."""
    network = readable(case, 0.5)
    session = session_of(implementation, network.case)
    session.module.train()
    results = []
    for _ in range(2):
        with seeded(case):
            results.append(session.run(network.case))
    return agree(results[1], results[0], nothing(results[0]))
