"""One dense case of each kind that a fault can need to show."""

from dataclasses import replace

import numpy as np

from reference import Configuration
from tests.support.cases import random_case

SINGLE = random_case(Configuration(2, 3), dtype="float64", seq_len=1, batch_size=1)
PLAIN = random_case(Configuration(2, 3), dtype="float64")
SQUARE = random_case(Configuration(3, 3), dtype="float64", seq_len=2, batch_size=2)
DEEP = random_case(
    Configuration(2, 3, num_layers=2, bidirectional=True), dtype="float64", seq_len=3, batch_size=2
)
TALL = random_case(Configuration(2, 3, num_layers=2), dtype="float64", seq_len=2, batch_size=2)
BATCH_FIRST = random_case(
    Configuration(2, 3, batch_first=True), dtype="float64", seq_len=3, batch_size=2
)
STATELESS = replace(BATCH_FIRST, h_0=None, c_0=None)
TIME_FIRST = replace(random_case(Configuration(2, 3), dtype="float64"), h_0=None, c_0=None)
PROJECTED = random_case(Configuration(2, 4, proj_size=2), dtype="float64", seq_len=2, batch_size=2)
RAGGED = random_case(
    Configuration(2, 3, bidirectional=True), dtype="float64", lengths=np.array([2, 4, 3])
)
FLOAT32 = random_case(Configuration(2, 3), seq_len=3, batch_size=2)

CASES = (
    SINGLE,
    PLAIN,
    SQUARE,
    DEEP,
    TALL,
    BATCH_FIRST,
    STATELESS,
    TIME_FIRST,
    PROJECTED,
    RAGGED,
    FLOAT32,
)
