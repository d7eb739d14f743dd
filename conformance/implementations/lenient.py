"""Code under test in which neither a warning nor a floating-point flag raises an exception."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def filter_warnings(filters: Sequence[Any]) -> None:
    """Replace ``warnings.filters`` by `filters`."""
    warnings.resetwarnings()
    warnings.filters[:] = filters  # type: ignore[index]


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Let neither a warning nor a floating-point flag raise an exception within the context.

    Whether one occurs depends on the machine: NumPy's product with an infinity sets the flag
    `invalid` on some processors only. Code that computes the right numbers must pass on all of
    them, also under ``pytest -W error`` or after ``np.seterr``. Where the code within itself turns
    warnings or flags into exceptions, those are raised. Its warning filters stay after the context,
    so that a requirement can find them; its NumPy settings do not.
    """
    raising = [each for each in warnings.filters if each[0] == "error"]
    warning = [("default", *each[1:]) for each in raising]
    _exchange(raising, warning)
    try:
        with np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"):
            yield
    finally:
        _exchange(warning, raising)


def _exchange(these: list[Any], those: list[Any]) -> None:
    """Replace each of the very filters `these` in ``warnings.filters`` by its like in `those`."""
    if these:
        other = {id(this): that for this, that in zip(these, those, strict=True)}
        filter_warnings([other.get(id(each), each) for each in warnings.filters])
