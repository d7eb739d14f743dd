"""Functions by which results are judged, and written down, are put back."""

import io
import math
import os
from pathlib import Path

import pytest

from conformance.checking.originals import Kept, Replaced


def replace_functions() -> None:
    io.open = os.open = lambda *_: 0  # type: ignore[assignment]
    Path.open = math.sin = lambda *_: 0.0  # type: ignore[assignment, method-assign]


def test_functions_that_open_files_are_put_back() -> None:
    """Else nothing could be written about whatever replaced them."""
    before = io.open, os.open, Path.open, math.sin
    with pytest.raises(Replaced, match=r"^replaced io\.open, ") as raised, Kept():
        replace_functions()
    assert str(raised.value).endswith("and 1 more")
    assert (io.open, os.open, Path.open, math.sin) == before


def test_library_may_replace_functions_of_the_system_when_it_is_imported() -> None:
    """As gevent does; they stay as it has them, and are nobody's fault after that."""
    before, mine = os.waitpid, lambda *_: (0, 0)
    try:
        with Kept(loading=True):
            os.waitpid = mine
        assert os.waitpid is mine
        with Kept():
            pass
        with pytest.raises(Replaced, match=r"^replaced math\.sin$"), Kept(loading=True):
            math.sin = mine  # type: ignore[assignment]
        assert os.waitpid is mine
    finally:
        os.waitpid = before
