"""What an implementation can be asked."""

from dataclasses import replace

import numpy as np
import pytest

from reference import DTYPES, Configuration
from strategies import Support
from tests.support.cases import random_case


def test_lacking_lists_what_is_not_offered() -> None:
    """Everything that differs from the default is told, and nothing where nothing does."""
    assert Support().lacking() == []
    cell = replace(
        Support(),
        dtypes=("float32",),
        max_layers=1,
        batch_first=(False,),
        bidirectional=(False,),
        lengths=False,
        dropout=False,
        projection=False,
    )
    assert cell.lacking() == [
        *(f"dtypes {name}" for name in DTYPES if name != "float32"),
        "batch_first True",
        "bidirectional True",
        "projection",
        "dropout",
        "lengths",
        "num_layers > 1",
    ]


@pytest.mark.parametrize(
    ("support", "lacking"),
    [
        (Support(), []),
        (Support(dtypes=("float64",), states=(False,)), ["dtypes=float32", "states=True"]),
        (Support(bidirectional=(False,), max_layers=1), ["bidirectional=True", "num_layers=2"]),
        (Support(projection=False, lengths=False, dropout=False), ["projection", "lengths"]),
    ],
)
def test_support_tells_what_it_lacks_for_a_case(support: Support, lacking: list[str]) -> None:
    """What the case needs and is not supported, and nothing else."""
    configuration = Configuration(2, 3, num_layers=2, bidirectional=True, proj_size=1)
    case = random_case(configuration, lengths=np.array([4, 1, 2]))
    assert support.lacking_for(case) == lacking
