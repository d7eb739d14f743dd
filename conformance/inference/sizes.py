"""The sizes that an unknown class is tried with: all different, so that shapes tell axes apart."""

INPUT, HIDDEN, EXTRA = 3, 5, 7
"""Features of the input, of a state, and of whatever else a constructor asks for."""

FIRST, SECOND = 4, 6
"""The two leading axes of a batched input, of which one is time."""

SUM = INPUT + HIDDEN
STACKED = 4 * HIDDEN
