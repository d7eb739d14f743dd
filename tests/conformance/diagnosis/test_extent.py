"""The words for which units, rows and steps are wrong."""

import numpy as np
import pytest

from conformance.diagnosis.extent import pattern

WORDS = {
    "all 8 units are wrong": range(8),
    "unit 3 alone is wrong": [3],
    "all units from 5 on are wrong": range(5, 8),
    "units 2 to 4 are wrong": range(2, 5),
    "every 2th unit from 1 on is wrong": range(1, 8, 2),
    "3 of 8 units are wrong, the first is 0 and the last 5": [0, 1, 5],
}


@pytest.mark.parametrize("words", WORDS)
def test_pattern_is_told(words: str) -> None:
    """From the simplest to the count."""
    off = np.zeros(8, bool)
    off[list(WORDS[words])] = True
    assert pattern(off, "unit") == words
