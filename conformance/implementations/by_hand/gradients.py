"""Gradients of a hand-written LSTM, by autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.implementations.by_hand.beginning import begun
from conformance.implementations.by_hand.expressions import GIVEN
from conformance.implementations.failures import blamed
from conformance.implementations.implementation import without_padding
from reference import TOP, Array, Case, Result

if TYPE_CHECKING:
    from conformance.implementations.by_hand.adapter import HandWritten


def gradients(mine: HandWritten, case: Case, cotangents: Result) -> dict[str, Array]:
    """Compute the gradients of the sum of every result times its cotangent.

    They are named ``input``, ``h_0``, ``c_0`` and as PyTorch names the parameters. A gradient by
    something that no result depends on is zero.
    """
    run, (table, first) = begun(mine, case)
    made, given, own = run.made, run.given, mine.parameters.of(case)
    leaves = {name: given[name] if name in given else made.whole(name) for name in own}
    leaves |= {name: given[name] for name in GIVEN if name in given}
    if table:
        leaves["input"] = made.leaf(table)
    for leaf in leaves.values():
        leaf.requires_grad_()
    results, weights = run.results(), dict(without_padding(cotangents, case).items())
    counting = {name: slice(None) for name in results if name in mine.returned}
    if TOP in mine.returned:  # the states below are NaN
        counting["h_n"] = slice(-case.configuration.num_directions, None)
    loss = sum(
        (results[name][which] * made.given(weights[name])[which]).sum()
        for name, which in counting.items()
    )
    with blamed(), mine.around():
        made.backward(loss)
    found = {
        name: made.taken(leaf.new_zeros(leaf.shape) if leaf.grad is None else leaf.grad, name)
        for name, leaf in leaves.items()
    }
    for name in own:  # one of the gates on an axis of their own
        if name not in given and leaves[name] is not made.leaf(name):
            found[name] = found[name][int(name.rpartition(".")[2])]
    if table:
        found["input"] = found["input"][first:].reshape(case.input.shape)
    stored = {name: found[name].reshape(array.shape) for name, array in own.items()}
    every = {**found, **mine.parameters.restored(stored, case)}
    return {name: every[name] for name in (*GIVEN, *case.parameters) if name in every}
