"""Requirements on several layers, each of which reads the output of the one below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, agree, close, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import Truth, truth
from conformance.implementations.failures import Mismatch
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import ending
from conformance.requirements.helpers.needs import returning
from conformance.requirements.parts import layer_alone
from reference import Case, Result

STACKED = (
    "torch.nn.LSTM documentation, num_layers: stacking two LSTMs, the second takes in outputs of "
    "the first"
)


@requirement(source=STACKED, level="core", applies=returning("output"), num_layers=(2, 5))
def layers_are_a_chain(implementation: Implementation, case: Case) -> float:
    """Several layers equal single layers run one after another, each from its own states."""
    if implementation.supports.min_layers > 1:
        return against_reference(implementation, case)
    results = []
    x = case.input
    for layer in range(case.configuration.num_layers):
        alone = replace(layer_alone(case, layer, x.shape[-1]), input=x)
        results.append(run(implementation, alone))
        x = results[-1].output
    chain = Result(
        x,
        np.concatenate([result.h_n for result in results]),
        np.concatenate([result.c_n for result in results]),
    )
    bound = truth(case, implementation).bound
    return agree(run(implementation, case), chain, plus(bound, bound))


@requirement(
    source="torch.nn.LSTM documentation, equations: every weight and bias occurs in them",
    level="core",
    share_of_cases=0.75,
    states=True,
    hidden_size=(1, 8),
    input_size=(1, 8),
    seq_len=(1, 6),
    num_layers=(1, 3),
)
def every_parameter_influences_result(implementation: Implementation, case: Case) -> None:
    """Changing a parameter changes the results, where the equations and bounds leave no doubt."""
    before = run(implementation, case)
    for name, array in case.parameters.items():
        changed = replace(
            case, parameters={**case.parameters, name: (0.5 - array).astype(array.dtype)}
        )
        after = run(implementation, changed)
        same = all(
            np.array_equal(getattr(before, result), getattr(after, result))
            for result in implementation.supports.results
        )
        if same and _apart(truth(case, implementation), truth(changed, implementation)):
            text = "same = [np.array_equal(numbers(a), numbers(b)) for a, b in zip({one}, {other})]"
            text += "\nfault = all(same)\nprint('expected: other results; the same are:', same)"
            one, other = (tuple(a for _, a in result.items()) for result in (before, after))
            shown = ending(text, one=one, other=other)
            what = f"results after {name} was changed"
            raise Mismatch(what, "", "the same", "different", ending=shown)


def _apart(first: Truth, second: Truth) -> bool:
    """Whether no result can lie within the bounds of both."""
    return any(
        bool((np.abs(a - b) > limit).any())
        for (_, a), (_, b), (_, limit) in zip(
            first.result.items(),
            second.result.items(),
            plus(first.bound, second.bound).items(),
            strict=True,
        )
    )


@requirement(source=STACKED, level="core", applies=returning("h_n"), num_layers=(2, 5), states=True)
def lower_layers_ignore_upper_ones(implementation: Implementation, case: Case) -> float:
    """Changing the initial states of the top layer changes no final states of lower layers."""
    given_h_0, given_c_0 = case.initial_states()
    lower = (case.configuration.num_layers - 1) * case.configuration.num_directions
    h_0, c_0 = given_h_0.copy(), given_c_0.copy()
    h_0[lower:], c_0[lower:] = -h_0[lower:] + 1, -c_0[lower:] + 1
    if not case.batched:
        h_0, c_0 = h_0[:, 0], c_0[:, 0]
    bound = truth(case, implementation).bound
    before, after = run(implementation, case), run(implementation, replace(case, h_0=h_0, c_0=c_0))
    allowed = 2 * bound.h_n[:lower], 2 * bound.c_n[:lower]
    return max(
        close("h_n", after.h_n[:lower], before.h_n[:lower], allowed[0]),
        close("c_n", after.c_n[:lower], before.c_n[:lower], allowed[1]),
    )
