"""Running an implementation such that the output of every layer is seen."""

from __future__ import annotations

import numpy as np

from conformance.implementations.implementation import Implementation, run
from conformance.judgement.layers import layer_alone
from conformance.requirements.parts import first_layers
from reference import Case, Result


def observed(implementation: Implementation, case: Case) -> list[Result]:
    """Run the lowest layer of `case`, the lowest two, and so on up to the whole network.

    An implementation of one layer computes the layers one after another. Raises what
    :func:`conformance.implementations.implementation.run` raises.
    """
    layers = case.configuration.num_layers
    if layers <= implementation.supports.max_layers:
        return [run(implementation, first_layers(case, count)) for count in range(1, layers)] + [
            run(implementation, case)
        ]
    results: list[Result] = []
    below = case.input
    for number in range(layers):
        one = run(implementation, layer_alone(case, number, below))
        lower = [(each.h_n, each.c_n) for each in results[-1:]] + [(one.h_n, one.c_n)]
        h_n, c_n = (np.concatenate(states) for states in zip(*lower, strict=True))
        results.append(Result(one.output, h_n, c_n))
        below = one.output
    return results


def lacking(implementation: Implementation, case: Case) -> list[str]:
    """List what prevents `implementation` from computing `case`, several layers in turn or not."""
    missing = implementation.supports.lacking_for(first_layers(case, 1))
    if case.configuration.num_layers <= implementation.supports.max_layers:
        missing = implementation.supports.lacking_for(case)
    return missing
