"""Requirements on dropout between the layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, arithmetic, close, nothing, truth
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Mismatch, Quantity
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.gradients import close_gradients, cotangents
from conformance.requirements.helpers.needs import and_also, dropout, gradients
from conformance.requirements.helpers.randomness import FALSE_ALARM, seeded
from conformance.requirements.helpers.readable import readable, shown_by_masks
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
    """In eval mode, also after train mode, dropout does not change the results."""
    known = truth(case, implementation)
    session = session_of(implementation, with_dropout(case, 0.5))
    share = agree(session.run(case), known.result, known.bound)
    session.module.train()
    session.run(case)
    session.module.eval()
    return max(share, agree(session.run(case), known.result, known.bound))


@requirement(source=DOCUMENTED, level="training", applies=dropout, num_layers=(1, 5))
def zero_dropout_changes_nothing(implementation: TorchModule, case: Case) -> float:
    """In train mode with dropout=0, the results are those of the equations."""
    known = truth(case, implementation)
    return agree(_train(implementation, case)[0], known.result, known.bound)


@requirement(
    source=DOCUMENTED,
    level="training",
    applies=dropout,
    num_layers=(1, 1),
)
def dropout_spares_a_single_layer(implementation: TorchModule, case: Case) -> float:
    """In train mode, an LSTM with one layer drops nothing, neither in output nor in recurrence."""
    known = truth(case, implementation)
    result = _train(implementation, with_dropout(case, 0.5))[0]
    return agree(result, known.result, known.bound)


@requirement(
    source=DOCUMENTED, level="training", applies=dropout, num_layers=(2, 5), share_of_cases=0.5
)
def full_dropout_cuts_layers_apart(implementation: TorchModule, case: Case) -> float:
    """With dropout=1, every layer but the first reads zeros, and nothing else changes.

    Neither the recurrence nor the output of the last layer nor any final state is dropped.
    """
    evaluated = _with_all_dropped(case)
    result = _train(implementation, with_dropout(case, 1.0))[0]
    bound = forward_bound(evaluated, arithmetic(case, implementation))
    return agree(result, evaluated.result, bound)


def _with_all_dropped(case: Case) -> Trace:
    """Evaluate the reference with zeros as the input of every layer but the first."""
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
    """With dropout=1, no gradient passes from a layer to the one below; all others are right."""
    weights = cotangents(case)
    evaluated = _with_all_dropped(case)
    bound = gradient_bound(evaluated, weights, arithmetic(case, implementation))
    expected = backward(evaluated, weights)
    got = autograd(implementation, with_dropout(case, 1.0), weights)
    return close_gradients(got, expected, bound)


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
    """Choose one of four probabilities by the sizes of the case."""
    return (0.5, 0.25, 0.75, 0.1)[(case.seq_len + case.batch_size - 2) % 4]


@requirement(source=SCALING, applies=dropout, **_FEW)
def survivors_are_scaled(implementation: TorchModule, case: Case) -> None:
    """In train mode, each value between layers is dropped or multiplied by 1 / (1 - p)."""
    p = _p(case)
    network = readable(case, p)
    results = _train(implementation, network.case)
    mask = network.masks(results[0])
    nearest = np.where(mask < 0.5 / (1 - p), 0, 1 / (1 - p))
    allowed = network.allowed(arithmetic(network.case, implementation))
    lines = """nearest = [np.where(mask < 0.5 / (1 - {p}), 0, 1 / (1 - {p})) for mask in masks]
fault = not (np.abs(np.array(masks) - nearest) <= {allowed}).all()
print("expected factors: 0 or", 1 / (1 - {p}), "; got:", masks[0])"""
    close(
        "dropout mask",
        mask,
        nearest,
        allowed,
        quantity=Quantity.OTHER,
        ending=lambda _: shown_by_masks(results, lines, p=p, allowed=allowed),
    )


@requirement(source=DOCUMENTED, applies=dropout, **_FEW)
def dropout_rate_is_p(implementation: TorchModule, case: Case) -> None:
    """The share of dropped values is p, up to chance.

    By Hoeffding's inequality the share of n values is off by more than sqrt(ln(2 / a) / 2n) with a
    probability of at most a = 1e-15, the probability of a false alarm in one case.
    """
    p = _p(case)
    network = readable(case, p)
    results = _train(implementation, network.case, 8)
    masks = np.stack([network.masks(result) for result in results])
    allowed = math.sqrt(math.log(2 / FALSE_ALARM) / 2 / masks.size)
    lines = """share = np.mean(np.array(masks) < 0.5)
fault = not abs(share - {p}) <= {allowed}
print("expected share of dropped values:", {p}, "+-", {allowed}, "; got:", share)"""
    close(
        "share of dropped values",
        np.array(np.mean(masks < 0.5)),
        np.array(p),
        allowed,
        quantity=Quantity.OTHER,
        ending=lambda _: shown_by_masks(results, lines, p=p, allowed=allowed),
    )


@requirement(source=DOCUMENTED, applies=dropout, **_FEW)
def dropout_is_drawn_anew(implementation: TorchModule, case: Case) -> None:
    """Every call, step, row and feature has its own dropout mask.

    Two masks of m values are the same by chance with probability (p^2 + (1 - p)^2)^m; with p = 1/2
    and m of at least 64 that is below 1e-19 for each pair compared.
    """
    network = readable(case, 0.5)
    results = _train(implementation, network.case, 2)
    masks = [network.masks(result) for result in results]
    steps, rows = masks[0].shape[0] // 2, masks[0].shape[1] // 2
    pairs: dict[str, tuple[Any, Any]] = {
        "calls": ((0, ...), (1, ...)),
        "steps": ((0, slice(steps)), (0, slice(steps, 2 * steps))),
        "rows": ((0, slice(None), slice(rows)), (0, slice(None), slice(rows, 2 * rows))),
        "features": ((0, ..., slice(3)), (0, ..., slice(3, 6))),
    }
    for what, (one, other) in pairs.items():
        kept = np.array(masks) > 0.5
        if (kept[one] == kept[other]).all():
            lines = f"""kept = np.array(masks) > 0.5
one, other = kept[{one}], kept[{other}]
fault = bool((one == other).all())
print("expected: masks of different {what} differ; the same:", fault)""".replace("Ellipsis", "...")
            shown = shown_by_masks(results, lines)
            what = f"dropout masks of different {what}"
            raise Mismatch(what, "", "the same", "different", ending=shown)


@requirement(
    source="torch.manual_seed documentation: the same seed gives the same random numbers",
    applies=dropout,
    **_FEW,
    should=True,
)
def dropout_is_reproducible_under_a_seed(implementation: TorchModule, case: Case) -> float:
    """In train mode, calls after torch.manual_seed with the same seed give the same results."""
    network = readable(case, 0.5)
    session = session_of(implementation, network.case)
    session.module.train()
    results = []
    for _ in range(2):
        with seeded(case):
            results.append(session.run(network.case))
    return agree(results[1], results[0], nothing(results[0]))
