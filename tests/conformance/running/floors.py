"""Measures what the strategies give, and writes the shipped floor: half of the least that was seen.

``python tests/conformance/running/floors.py --write``, from the top of the project, draws the cases
of every requirement for implementations that differ in what they support, with several seeds. The
numbers in the arrays do not matter here and are zeros.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import numpy as np

from conformance import REQUIREMENTS, Budget, Implementation, Support, load
from conformance.checking.budget import PROFILES
from conformance.checking.cells import Cells, Exercised, cases, declared, summed
from conformance.checking.engine import inapplicable
from conformance.running.limiting import without
from conformance.running.reporting.floor import SHIPPED
from strategies import lstm_cases
from strategies.search import search
from strategies.support import LEFT_OUT, ONE_LAYER
from tests.support.cases import RoundedReference

SEEDS = (1, 2)
WITHOUT = (
    "bidirectional",
    "layers",
    "states",
    "omitted_states",
    "lengths",
    "projection",
    "batched",
)


def implementations() -> Iterator[Implementation]:
    """Modules, and functions of a separate process that offer less and less."""
    yield from map(load, ("torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"))
    apart = Support(own_process=True)
    for support in (
        Support(),
        apart,
        Support(own_process=True, dtypes=("float32",), results=("output",)),
        Support(own_process=True, results=("h_n",)),
        ONE_LAYER,
    ):
        yield RoundedReference(support=support)
    for name in WITHOUT:
        assert name in LEFT_OUT
        yield without(RoundedReference(support=apart), name)


def zeros(shapes: Mapping[str, tuple[int, ...]], *_: object, dtype: Any, **__: object) -> Any:
    """Arrays of these shapes that take no memory, in place of ``strategies.tensors.fill``."""
    return {
        name: np.broadcast_to(np.zeros((), dtype.numpy), shape) for name, shape in shapes.items()
    }


def drawn(implementation: Implementation, budget: Budget) -> Cells:
    """What a run on the CPU draws, if every requirement holds."""
    found = []
    with mock.patch("strategies.cases.fill", zeros):
        for requirement in REQUIREMENTS.values():
            if inapplicable(requirement, implementation, "cpu", budget) is None:
                exercised = Exercised()
                search(
                    lstm_cases(implementation.supports, **dict(requirement.cases)),
                    exercised.add,
                    seed=f"{budget.seed}:{requirement.name}",
                    max_examples=max(1, round(budget.max_examples * requirement.share_of_cases)),
                )
                found.append(exercised.cells())
    return summed(found)


def measured(profile: str = "quick") -> tuple[int, dict[str, dict[str, float]]]:
    """The least number of cases, and the least share of each value where it is declared."""
    fewest: list[int] = []
    shares: dict[str, dict[str, float]] = {}
    for implementation in implementations():
        offered = declared(implementation.supports)
        for seed in SEEDS:
            cells = drawn(implementation, Budget(PROFILES[profile], seed))
            fewest.append(cases(cells))
            for axis, values in offered.items():
                for value in values:
                    share = cells.get(axis, {}).get(value, 0) / cases(cells)
                    least = shares.setdefault(axis, {}).get(value, 1.0)
                    shares[axis][value] = min(share, least)
        print(implementation.name, implementation.supports.lacking(), fewest[-1], flush=True)
    return min(fewest), shares


def main() -> None:
    """Print the floor, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    fewest, shares = measured()
    floor = {
        "cases": {
            profile: fewest * number // PROFILES["quick"] // 2
            for profile, number in PROFILES.items()
        },
        "shares": {
            axis: {value: float(f"{share / 2:.2g}") for value, share in values.items()}
            for axis, values in shares.items()
        },
    }
    text = json.dumps(floor, indent=1) + "\n"
    if parser.parse_args().write:
        SHIPPED.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
