"""Files and classes that do their worst while they are loaded: one line, whatever they raise."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conformance import UsageError, load
from conformance.checking import originals
from conformance.running.loaded import loaded

ADAPTER = """
from conformance import Support

class Mine:
    name = "mine"
    supports = Support(dtypes=("float64",), gradients=False)

    def run(self, case):
        raise NotImplementedError
"""

FILES = {
    "raise BaseException('gone')": "importing mine.py raised BaseException: gone",
    "raise GeneratorExit": "importing mine.py raised GeneratorExit:",
    "import pytest; pytest.skip('no', allow_module_level=True)": "raised Skipped: ",
    "import hypothesis; hypothesis.reject()": "raised UnsatisfiedAssumption: ",
    "raise ValueError('caf\\udce9')": "importing mine.py raised ValueError: caf\\udce9",
    "raise ValueError('\\x1b[31mred\\r\\0')": "raised ValueError: \\x1b[31mred\\r\\x00",
    "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E": "raised E: <a E",
    "class M(type):\n    def __getattr__(cls, name): raise RuntimeError(name)\n"
    "class Mine(metaclass=M): pass": "looking at Mine raised RuntimeError: run",
    "class M(type):\n    def __getattr__(cls, name): raise KeyError(name)\n"
    "    __name__ = property(lambda cls: 1 / 0)\n"
    "from torch import nn\nclass Mine(nn.Module, metaclass=M): pass": "raised KeyError",
    "def __getattr__(name): raise LookupError(name)": "reading Mine raised LookupError: Mine",
    ADAPTER + "    precision = property(lambda self: 1 / 0)": "raised ZeroDivisionError: division",
    ADAPTER + "    precision = property(lambda self: self.missing)": "Mine",
    ADAPTER + "    precision = 3": "its `precision` must be a reference.Precision, got 3",
    ADAPTER + "    version = property(lambda self: 1 / 0)": "Mine() raised ZeroDivisionError",
    ADAPTER + "    name = property(lambda self: 1 / 0)": "Mine() raised ZeroDivisionError",
    ADAPTER + "    supports = property(lambda self: 1 / 0)": "Mine() raised ZeroDivisionError",
    ADAPTER + "    def __getattribute__(self, name): raise BaseException(name)": "raised BaseExc",
    ADAPTER + "    def __new__(cls): raise BaseException('new')": "Mine() raised BaseException",
    ADAPTER + "import numpy\nnumpy.abs = numpy.negative": "loading it replaced numpy.abs, by which",
    ADAPTER + "import builtins\nbuiltins.all = any": "loading it replaced builtins.all, by which",
    "import sys\nsys.modules['numpy'] = None": "loading it replaced sys.modules['numpy']",
}
"""Source text, and what is said of it."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder: an empty one."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert originals.put_back() == ""


@pytest.mark.filterwarnings("ignore:Using `reject` outside")
@pytest.mark.parametrize("text", FILES)
def test_file_is_refused_in_one_line(text: str, folder: Path) -> None:
    """The line names the file and what happened, in characters that every terminal can show."""
    (folder / "mine.py").write_text(text)
    if text.endswith("self.missing)"):
        assert loaded("mine.py:Mine", lambda: load("mine.py:Mine")).name == "mine"
        return
    with pytest.raises(UsageError) as caught:
        loaded("mine.py:Mine", lambda: load("mine.py:Mine"))
    assert FILES[text] in str(caught.value)
    assert str(caught.value).startswith("'mine.py:Mine'")
    assert str(caught.value).isprintable()


NAMED = {
    r"'caf\udce9'": r"caf\udce9",
    r"'\x1b[31mred\r\0'": r"\x1b[31mred\r\x00",
    "'two\\nlines'": "two lines",
    "'n' * 10**6": "n" * 200 + "... (1000000 characters)",
    "type('S', (str,), {'__str__': lambda self: self, '__hash__': None})('mine')": "mine",
}


@pytest.mark.parametrize("name", NAMED)
def test_name_is_one_that_can_be_shown(name: str, folder: Path) -> None:
    """A name that is no line of text becomes one."""
    (folder / "mine.py").write_text(ADAPTER + f"    name = {name}\n")
    found = load("mine.py:Mine").name
    assert (type(found), found) == (str, NAMED[name])


def test_settings_changed_at_import_are_put_back(folder: Path) -> None:
    """What a file sets for itself does not reach the next implementation."""
    text = "import os, numpy\nos.environ['PATH'] = ''\nnumpy.set_printoptions(precision=1)\n"
    (folder / "mine.py").write_text(text + ADAPTER)
    before = np.get_printoptions()["precision"]
    loaded("mine.py:Mine", lambda: load("mine.py:Mine"))
    assert np.get_printoptions()["precision"] == before
