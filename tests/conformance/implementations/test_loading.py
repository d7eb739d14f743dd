"""From a name to an implementation."""

from pathlib import Path
from typing import Any

import pytest

from conformance import Implementation, TorchLSTM, TorchLSTMCell, UsageError, load
from conformance.checking.comparison import against_reference
from conformance.implementations.declared import Declared
from reference import Configuration
from tests.support import specimens
from tests.support.cases import random_case

SPECIMENS = specimens.__file__
WORKING = "from torch import nn\nclass Mine(nn.LSTM):\n    pass\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"])
def test_load_finds_what_is_shipped(name: str) -> None:
    """Each implementation that needs no adapter is one, of that name, and computes an LSTM."""
    implementation = load(name)
    assert isinstance(implementation, Implementation)
    assert implementation.name == name
    assert against_reference(implementation, random_case(Configuration(3, 4))) <= 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("torch.nn:LSTM", TorchLSTM),
        ("torch.nn.modules.rnn.LSTMCell", TorchLSTMCell),
        ("conformance.implementations.stacked:StackedLSTMCells", TorchLSTM),
        (f"{SPECIMENS}:PlainCell", TorchLSTMCell),
    ],
)
def test_load_finds_classes_by_their_place(name: str, kind: type) -> None:
    """A class is named by module or by file; with a dot or with a colon before it."""
    implementation = load(name)
    assert type(implementation) is kind
    assert implementation.name == name


@pytest.mark.parametrize("name", ["mine.py:Mine", "./mine.py:Mine", "mine:Mine", "mine.Mine"])
def test_load_looks_in_the_current_folder(name: str, folder: Path) -> None:
    """Files and modules of the current folder are found."""
    (folder / "mine.py").write_text(WORKING)
    assert load(name).name == name


def test_load_finds_neighbours_of_a_file(folder: Path) -> None:
    """A file imports the modules beside it, wherever the current folder is, also when called."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "at_import_of_mine.py").write_text("SIZE = 4\n")
    (elsewhere / "at_call_of_mine.py").write_text("SIZE = 4\n")
    (elsewhere / "mine.py").write_text(
        "import at_import_of_mine\n"
        "from torch import nn\n"
        "class Mine(nn.LSTM):\n"
        "    def forward(self, *arguments):\n"
        "        import at_call_of_mine\n"
        "        return super().forward(*arguments)\n"
    )
    implementation = load("elsewhere/mine.py:Mine")
    assert against_reference(implementation, random_case(Configuration(3, 4))) <= 1


def test_load_makes_an_instance_of_an_implementation() -> None:
    """A class with `supports` and `run` is called without arguments."""
    implementation = load(f"{SPECIMENS}:Numbers")
    assert isinstance(implementation, Declared)
    assert (type(implementation.inner).__name__, implementation.name) == ("Numbers", "numbers")


FILES = {
    "mine.py": WORKING,
    "adapter.py": "from torch.nn import LSTM\nfrom conformance import HandWritten\n"
    "mine = HandWritten(LSTM, weight_ih='weight_ih_l0', weight_hh='weight_hh_l0')\n",
    "by_hand.py": "from torch import nn\nclass Hand(nn.GRU):\n    pass\n",
    "raises.py": "raise ValueError('not\\ntoday')\n",
    "exits.py": "import sys\nsys.exit('usage: exits.py')\n",
    "typo.py": "def\n",
    "needs.py": "import some_missing_dependency\n",
    "package/__init__.py": "import another_missing_dependency\n",
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "unknown implementation '': give package.module:Class"),
        ("LSTM", "unknown implementation 'LSTM': give package.module:Class"),
        ("torch.nn:", "unknown implementation 'torch.nn:'"),
        ("no_such_module:LSTM", "there is no module 'no_such_module' here; install"),
        ("torch.nn.no_such.LSTM", "there is no module 'torch.nn.no_such' here"),
        ("torch.nn.NoSuchLSTM", "there is no 'NoSuchLSTM' in torch.nn"),
        (f"{SPECIMENS}:Plain", "there is no 'Plain' in .*; it has BreaksWhenMade, CallsExit, "),
        (f"{SPECIMENS}:an_instance", "is a Numbers, not a class"),
        (f"{SPECIMENS}:cut_to_10_bits", "is a function, not a class; and no other layout fits: "),
        ("mine.py", "give mine.py:Class; it has Mine$"),
        ("mine.py:", "give mine.py:Class; it has Mine$"),
        ("no_such_file.py", "there is no file 'no_such_file.py'"),
        ("mine.py:Mines", r"no 'Mines' in mine.py; it has Mine; did you mean 'Mine'\?"),
        ("adapter.py:mime", r"no 'mime' in adapter.py; it has mine; did you mean 'mine'\?"),
        ("torch.nn.LSTN", r"there is no 'LSTN' in torch.nn; did you mean 'LSTM'\?"),
        ("by_hand.py:Hand", "the same without _l0; and no other layout fits: "),
        (f"{SPECIMENS}:BreaksWhenMade", r"BreaksWhenMade\(\) raised RuntimeError: no licence"),
        ("no_such_file.py:LSTM", "there is no file 'no_such_file.py'"),
        ("no\nsuch.py:LSTM", r"there is no file 'no\\nsuch.py'"),
        ("no\0such.py:LSTM", "there is no file 'no"),
        (f"{'long' * 99}.py:LSTM", "there is no file 'long"),
        ("..x", "unknown implementation '..x': give package.module:Class"),
        (":LSTM", "unknown implementation ':LSTM'"),
        ("some thing:LSTM", "unknown implementation 'some thing:LSTM'"),
        ("@file", "unknown implementation '@file'"),
        ("raises.py:LSTM", "importing raises.py raised ValueError: not today"),
        ("raises:LSTM", "importing raises raised ValueError: not today"),
        ("exits.py:LSTM", "importing exits.py raised SystemExit: usage: exits.py"),
        ("exits:LSTM", "importing exits raised SystemExit: usage: exits.py"),
        ("typo.py:LSTM", "importing typo.py raised SyntaxError: "),
        ("needs.py:LSTM", "raised ModuleNotFoundError: No module named 'some_missing_dependency'"),
        ("needs:LSTM", "needs needs the module 'some_missing_dependency', which is not installed"),
        ("package:LSTM", "package needs the module 'another_missing_dependency', which is not"),
        ("torch.nn.Linear", "'torch.nn.Linear' is not an LSTM"),
        ("torch.nn.GRU", "'torch.nn.GRU' is not an LSTM"),
        ("collections.OrderedDict", "is neither a torch.nn.Module nor an Implementation"),
    ],
)
def test_load_refuses_with_one_clear_line(name: str, told: str, folder: Path) -> None:
    """What cannot be loaded is refused in one line that names it and says why."""
    (folder / "package").mkdir()
    for path, text in FILES.items():
        (folder / path).write_text(text)
    with pytest.raises(UsageError, match=told) as caught:
        load(name)
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)


ADAPTER = """\
from conformance import Support


class Mine:
    name = "mine"
    supports = Support()

    def run(self, case):
        raise NotImplementedError
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '    name = "mine"\n',
            "",
            "`name` must be a text such as 'my LSTM', got None or no attribute",
        ),
        ('"mine"', "3", "`name` must be a text such as 'my LSTM', got 3"),
        ('"mine"', '""', "`name` must be a text such as 'my LSTM', got ''"),
        (
            "Support()",
            "{'dtypes': 1}",
            "`supports` must be a conformance.Support, got {",
        ),
        ("Support()", "None", "`supports` must be a conformance.Support, got None or no attribute"),
        ("    supports = Support()", "    def supports(self): ...", "Support, got <bound method"),
        (
            "    supports = Support()",
            "    @property\n    def supports(self): raise ValueError('no')",
            r"Mine\(\) raised ValueError: no",
        ),
        ("run(self, case)", "walk(self, case)", "neither a torch.nn.Module nor"),
        (
            "    def run",
            "    run = 1\n\n    def walk",
            r"`run` must be a method run\(case\), got 1",
        ),
    ],
)
def test_load_refuses_an_implementation_with_wrong_fields(
    old: str, new: str, told: str, folder: Path
) -> None:
    """What an implementation has to have is looked at before anything is verified."""
    (folder / "mine.py").write_text(ADAPTER)
    assert load("mine.py:Mine").name == "mine"
    assert old in ADAPTER
    (folder / "wrong.py").write_text(ADAPTER.replace(old, new))
    with pytest.raises(UsageError, match=told) as caught:
        load("wrong.py:Mine")
    assert str(caught.value).startswith("'wrong.py:Mine'")
    assert "\n" not in str(caught.value)


def test_load_keeps_classes_of_the_same_file_name_apart(folder: Path) -> None:
    """Two files of one name in two folders are two modules."""
    for sub in ("a", "b"):
        (folder / sub).mkdir()
        (folder / sub / "mine.py").write_text(f"{WORKING}    where = {sub!r}\n")
    loaded: list[Any] = [load(f"{sub}/mine.py:Mine") for sub in ("a", "b")]
    assert [each.cls.where for each in loaded] == ["a", "b"]
