"""Requirements on ways of calling: in any order and surroundings, and with hooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from conformance.checking.comparison import agree
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, blamed
from conformance.implementations.implementation import Implementation
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import entangled, note, paused
from conformance.requirements.helpers.gradients import (
    close_gradients,
    cotangents,
    module_gradients,
    true_gradients,
)
from conformance.requirements.helpers.needs import torch_module
from conformance.requirements.helpers.torch_only import differentiated, entered
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.parts import without_batch
from conformance.requirements.variations import converted, resized, with_weights_negated
from reference import Case

if TYPE_CHECKING:
    from conformance.implementations.pytorch.sessions import Session

CALL = "torch.nn.LSTM and torch.nn.LSTMCell documentation, 'Inputs' and 'Outputs'"
_SMALL: dict[str, Any] = {
    "level": "module",
    **dict.fromkeys(("hidden_size", "input_size", "batch_size"), (1, 6)),
    "num_layers": (1, 2),
    "seq_len": (1, 8),
}
_ROUNDS = 10


@requirement(source=CALL, applies=torch_module, **_SMALL, share_of_cases=0.4)
def calls_are_independent(implementation: TorchModule, case: Case) -> float:
    """A module answers rightly whatever it was called with before, ten times over.

    The calls before have many steps or one, many rows or one, lengths or none, no batch, no initial
    states, gradients on or off, or another dtype, and one has to be refused. Or their sizes are the
    same and the numbers are others, in new tensors or in the same.
    """
    other = "float32" if case.dtype.name == "float64" else "float64"
    if case.dtype.name == "float64":  # so that float32 holds the parameters as well
        case = converted(converted(case, other), "float64")
    calls = [each for other in _other_calls(implementation, case) for each in (other, case)]
    with entered(implementation) as within:
        session = session_of(within, case)
        share = _called(implementation, session, [case, *calls])
        session.run(case, grad=False)
        again = resized(case, case.seq_len, case.batch_size)
        known = truth(again, implementation)
        result = session.run(again, grad=False, in_place=True)
        share = max(share, agree(result, known.result, known.bound))
        session.attempt_a_wrong_call()
        share = max(share, _called(implementation, session, [case]))
        if other in implementation.supports.dtypes:
            session.convert(other)
            share = max(share, _called(implementation, session, [converted(case, other)]))
            session.convert(case.dtype.name)
        with paused():
            rounds = [
                _called(implementation, session, [case, *calls], start)
                for start in range(1, _ROUNDS)
            ]
    return max(share, *rounds)


def _called(
    implementation: TorchModule, session: Session, cases: Sequence[Case], start: int = 0
) -> float:
    """Call a module with each of `cases`, with gradients and without, and compare the results."""
    entangled()
    share = 0.0
    for number, case in enumerate(cases, start):
        known = truth(case, implementation)
        result = session.run(case, grad=(True, False, None)[number % 3])
        share = max(share, agree(result, known.result, known.bound))
    return share


def _other_calls(implementation: Implementation, case: Case) -> list[Case]:
    """List cases of the same network that an implementation takes, of very different sizes."""
    supports, steps, rows = implementation.supports, case.seq_len, case.batch_size
    long, many = resized(case, steps + 9, rows), resized(case, steps, 2 * rows + 17)
    others = [long, resized(case, 1, 1), resized(case, steps + 1, 1)]
    if case.batched and supports.lengths:
        falling = np.maximum(steps - np.arange(many.batch_size) % steps, 1)
        others += [replace(many, lengths=falling), replace(case, lengths=None)]
    if case.lengths is not None:
        others += [replace(case, lengths=np.roll(case.lengths, 1))]
    others += [many]
    if case.batched and False in supports.batched:
        others += [without_batch(case)]
    if len(supports.states) == 2 and case.h_0 is not None:
        others += [replace(each, h_0=None, c_0=None) for each in (long, many)]
    return others


@requirement(
    source="torch.set_default_dtype documentation: it concerns what is made of Python numbers",
    applies=torch_module,
    **_SMALL,
    share_of_cases=0.5,
)
def default_dtype_does_not_matter(implementation: TorchModule, case: Case) -> float:
    """With another default dtype of torch, the results have their own dtype and are the same."""
    import torch

    known = truth(case, implementation)
    session = session_of(implementation, case)
    default = torch.get_default_dtype()
    other = torch.float32 if case.dtype.name == "float64" else torch.float64
    note(f"torch.set_default_dtype({other})")
    torch.set_default_dtype(other)
    try:
        return agree(session.run(case), known.result, known.bound)
    finally:
        torch.set_default_dtype(default)


@requirement(source=CALL, applies=torch_module, **_SMALL, share_of_cases=0.3)
def modules_do_not_interfere(implementation: TorchModule, case: Case) -> float:
    """Modules that are called in turn do not change each other's results and gradients.

    They have the same sizes and other weights; a third one of another size is only constructed.
    """
    cases = [case, with_weights_negated(case)]
    sessions = [session_of(implementation, each) for each in cases]
    sizes = replace(case.configuration, hidden_size=case.configuration.hidden_size + 1)
    implementation.construct(sizes)
    share = max(_called(implementation, each, [each.case]) for each in (*sessions, *sessions))
    if isinstance(module_gradients(implementation), str):
        return share
    weights = cotangents(case)
    modules = [differentiated(implementation, each.case, module=each.module) for each in sessions]
    losses = [module.loss(weights) for module in modules]
    for loss in losses:
        note("{loss}.backward()", loss=loss)
        with blamed():
            loss.backward()  # type: ignore[no-untyped-call]
    return max(
        share,
        *(
            close_gradients(each.gradients(), *true_gradients(implementation, each.case, weights))
            for each in modules
        ),
    )


@requirement(
    source="torch.nn.Module documentation, register_forward_pre_hook, register_forward_hook and "
    "register_full_backward_hook; torch.Tensor.register_hook documentation",
    applies=module_gradients,
    **_SMALL,
    lengths=False,
    share_of_cases=0.2,
)
def hooks_are_run(implementation: TorchModule, case: Case) -> float:
    """Each call runs the hooks of a module, and a backward pass those of its parameters.

    A pre-hook that negates the input and hooks of parameters that negate gradients take effect.
    """
    import torch

    expected = case.seq_len if implementation.is_cell else 1
    ran = dict.fromkeys(("forward pre-hook", "forward hook", "full backward hook"), 0)

    def count(name: str, *_: Any) -> None:
        ran[name] += 1

    with paused():
        module = differentiated(implementation, case)
        hooked: Any = module.module
        leaves: dict[str, Any] = module.leaves
        hooked.register_forward_pre_hook(partial(count, "forward pre-hook"))
        hooked.register_forward_pre_hook(lambda _, given: (-given[0], *given[1:]))
        hooked.register_forward_hook(partial(count, "forward hook"))
        hooked.register_full_backward_hook(partial(count, "full backward hook"))
        for name in case.parameters:
            leaves[name].register_hook(torch.neg)
        negated = replace(case, input=-case.input)
        weights = cotangents(case)
        module.backward(weights)
        for name, times in ran.items():
            if times != expected:
                raise Mismatch(f"calls of the {name}", "", str(times), str(expected))
        gradients, bound = true_gradients(implementation, negated, weights)
        signs = {name: -1 if name in ("input", *case.parameters) else 1 for name in gradients}
        opposite = {name: signs[name] * each for name, each in gradients.items()}
        return close_gradients(module.gradients(), opposite, bound)
