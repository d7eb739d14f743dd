"""What an implementation can be asked."""

from dataclasses import replace

from reference import DTYPES
from strategies import Support


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
