"""Requirements on dropout between the layers: where it acts, and what it does to values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import agree
from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic, truth
from conformance.implementations.failures import blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import mode, note
from conformance.requirements.helpers.gradients import close_gradients, cotangents
from conformance.requirements.helpers.needs import and_also, dropout, gradients
from conformance.requirements.helpers.randomness import seeded
from conformance.requirements.helpers.readable import LAYERS, Readable, readable
from conformance.requirements.helpers.torch_only import autograd, differentiated, to_result
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.variations import packed, with_dropout
from reference import Case, Result, Trace, backward, forward_bound, gradient_bound, trace
from strategies.configurations import DROPOUTS

DOCUMENTED = (
    "torch.nn.LSTM documentation, dropout: a Dropout layer on the outputs of each LSTM layer "
    "except the last layer, with dropout probability equal to dropout; the input of layer l is "
    "the hidden state of the previous layer times a Bernoulli variable that is 0 with "
    "probability dropout"
)
SCALING = "torch.nn.Dropout documentation: outputs are scaled by 1 / (1 - p) during training"


def often_packed(implementation: TorchModule, case: Case) -> Case:
    """Pack every third batch that is not packed, if it can be."""
    plain = case.batched and case.lengths is None and case.configuration.hidden_size % 3 == 0
    return packed(case) if plain and implementation.supports.lengths else case


def in_train_mode(
    implementation: TorchModule, case: Case, calls: int = 1, modules: int = 1
) -> list[Result]:
    """Call the module, or several in turn, so often in train mode, and not always with gradients.

    Every second call is without.
    """
    sessions = [session_of(implementation, case) for _ in range(modules)]
    for each in sessions:
        each.module.train()
    with seeded(case):
        return [sessions[call % modules].run(case, grad=call % 2 == 0) for call in range(calls)]


@requirement(
    source="torch.nn.Dropout documentation: during evaluation the module computes an identity",
    level="training",
    applies=dropout,
    dropout=True,
    num_layers=(2, 5),
)
def dropout_is_identity_in_eval(implementation: TorchModule, case: Case) -> float:
    """In eval mode, also after train mode, dropout does not change the results.

    So it is for the p of the case, and for one of 0.2.
    """
    known, share = truth(case, implementation), 0.0
    for each in (case, with_dropout(case, 0.2)):
        session = session_of(implementation, each)
        share = max(share, agree(session.run(each), known.result, known.bound))
        session.module.train()
        session.run(each)
        session.module.eval()
        share = max(share, agree(session.run(each), known.result, known.bound))
    return share


@requirement(source=DOCUMENTED, level="training", applies=dropout, num_layers=(1, 5))
def zero_dropout_changes_nothing(implementation: TorchModule, case: Case) -> float:
    """In train mode with dropout=0, the results are those of the equations."""
    known = truth(case, implementation)
    return agree(in_train_mode(implementation, case)[0], known.result, known.bound)


@requirement(
    source=DOCUMENTED,
    level="training",
    applies=dropout,
    num_layers=(1, 1),
)
def dropout_spares_a_single_layer(implementation: TorchModule, case: Case) -> float:
    """In train mode, an LSTM with one layer drops nothing, neither in output nor in recurrence."""
    known = truth(case, implementation)
    p = DROPOUTS[(case.seq_len + case.batch_size) % len(DROPOUTS)]
    result = in_train_mode(implementation, with_dropout(case, p))[0]
    return agree(result, known.result, known.bound)


@requirement(source=DOCUMENTED, level="training", applies=dropout, dropout=True, num_layers=(2, 5))
def dropout_acts_between_layers_only(implementation: TorchModule, case: Case) -> float:
    """Where no layer reads the one below, dropout changes nothing.

    Neither the input nor the recurrence nor the output of the last layer nor a final state is
    dropped.
    """
    first = ("weight_ih_l0", "weight_ih_l0_reverse")
    parameters = {
        name: np.zeros_like(array) if name.startswith("weight_ih") and name not in first else array
        for name, array in case.parameters.items()
    }
    apart = replace(case, parameters=parameters)
    known = truth(apart, implementation)
    return agree(in_train_mode(implementation, apart)[0], known.result, known.bound)


@requirement(
    source=DOCUMENTED, level="training", applies=dropout, num_layers=(2, 5), share_of_cases=0.5
)
def full_dropout_cuts_layers_apart(implementation: TorchModule, case: Case) -> float:
    """With dropout=1, every layer but the first reads zeros, and nothing else changes.

    Neither the recurrence nor the output of the last layer nor any final state is dropped.
    """
    evaluated = _with_all_dropped(case)
    result = in_train_mode(implementation, with_dropout(case, 1.0))[0]
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
    gradients=True,
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


ANY: dict[str, Any] = {
    "level": "training",
    "dropout": True,
    "bias": True,
    "num_layers": (2, LAYERS),
}
_SMALL: dict[str, Any] = {
    **ANY,
    "hidden_size": (1, 9),
    "input_size": (1, 9),
    "seq_len": (1, 12),
    "batch_size": (1, 6),
}


@requirement(source=f"{DOCUMENTED}; {SCALING}", applies=dropout, **_SMALL)
def survivors_are_scaled(implementation: TorchModule, case: Case) -> float:
    """In train mode, each value between layers is dropped or multiplied by 1 / (1 - p).

    Which are dropped is read off the results, and with that mask all results are the true ones.
    """
    network = readable(case)
    result = in_train_mode(implementation, network.case)[0]
    evaluated = _with_masks_of(network, result)
    bound = forward_bound(evaluated, arithmetic(network.case, implementation))
    return agree(result, evaluated.result, bound)


def _with_masks_of(network: Readable, result: Result) -> Trace:
    case = network.case
    h_n = result.h_n if case.batched else result.h_n[:, None]
    return trace(case, network.masks(case.time_major(result.output), h_n))


@requirement(
    source=f"{DOCUMENTED}; the chain rule: the gradient by a factor's partner is the factor",
    applies=and_also(dropout, gradients),
    share_of_cases=0.7,
    gradients=True,
    **_SMALL,
)
def gradients_have_the_mask_of_the_results(implementation: TorchModule, case: Case) -> float:
    """Gradients in train mode are those with the dropout mask that the same call's results show.

    So they are after a further call, and where the module is in eval mode by then.

    Weights of zero are left out if they multiply values of which no result shows whether they were
    dropped: between the lowest layer and the highest, and where a direction of the highest layer
    could read the other direction of the layer below.
    """
    network = readable(often_packed(implementation, case))
    weights = cotangents(network.case)
    module = differentiated(implementation, network.case)
    with seeded(case):
        loss = module.loss(weights)
        answer = module.answer
        module.results()
    with blamed():
        mode(module.module.eval())
        note("{loss}.backward()", loss=loss)
        loss.backward()  # type: ignore[no-untyped-call]
    evaluated = _with_masks_of(network, to_result(answer, network.case))
    bound = gradient_bound(evaluated, weights, arithmetic(network.case, implementation))
    for name, unseen in network.unseen().items():
        bound[name] = np.where(unseen, np.inf, bound[name])
    return close_gradients(module.gradients(), backward(evaluated, weights), bound)
