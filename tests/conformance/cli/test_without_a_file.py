"""Classes that no command can load: of a notebook, of a function, of an object without a name."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from conformance import UsageError, infer, load, verify
from conformance.cli.replay import replay
from conformance.implementations.loading import implementation_of
from conformance.implementations.naming import place_of, unloadable
from conformance.running.options import IN_PYTHON, defaults, of, recall
from conformance.running.options.option import VERIFY
from tests.support import processes

ONE = "results_match_reference"
SOURCE = """
import torch
from torch import nn


class {name}(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, h, c):
        i, f, g, o = self.linear(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * {answer}, c
"""
WRONG = SOURCE.format(name="Wrong", answer="c")
RIGHT = SOURCE.format(name="Right", answer="c.tanh()")
IN_A_FUNCTION = "\n\ndef made():\n" + WRONG.replace("\n", "\n    ") + "\n    return Wrong\n"
CALL = f"requirements={ONE!r}, max_examples=3, seed=0, devices='cpu', progress=False"
IN_A_NOTEBOOK = "No command can load Wrong, which is defined in a notebook or a session."
INSIDE = "No command can load Wrong, which is defined inside a function or a class."


def python(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python; source as an argument runs in a ``__main__`` without a file, as a notebook."""
    return processes.run([sys.executable, *arguments], folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("definition", "target", "of_file", "why"),
    [
        (WRONG, "Wrong", False, IN_A_NOTEBOOK),
        (IN_A_FUNCTION, "made()", True, INSIDE),
    ],
)
def test_report_has_the_call_that_finds_the_failure_again(
    definition: str, target: str, of_file: bool, why: str, tmp_path: Path
) -> None:
    """There is no command; the call works where the class is, and the script with --as."""
    verified = f"print(verify({target}, {CALL}).failures[0].reproduction)"
    source = f"{definition}\nfrom conformance import verify\n{verified}\n"
    (tmp_path / "script.py").write_text(source)
    how = ("script.py",) if of_file else ("-c", source)
    folder = tmp_path / python(*how, folder=tmp_path).stdout.strip()
    text = (folder / "report.md").read_text()
    assert "lstm-conformance verify" not in text
    assert "lstm-conformance infer" not in text
    assert f"{why} Save it in a file, and run `python reproduce.py --as FILE:NAME`" in text
    finds = f"{why} This finds it again where it is defined:\n\n```python\n"
    assert finds in text
    after = text.partition(finds)[2]
    again = after.partition("```")[0].replace("verify(Wrong, ", "found = verify(Wrong, ")
    there = definition + "\nWrong = made()\n" * of_file
    shown = f"{there}\n{again}print('outcome:', found.failures[0].outcome)"
    assert "outcome: failed" in python("-c", shown, folder=tmp_path).stdout
    with pytest.raises(UsageError, match="Save it in a file, and add --as FILE:NAME"):
        replay(folder)
    (tmp_path / "saved.py").write_text(WRONG)
    script = folder / "reproduce.py"
    assert python(script, folder=tmp_path).returncode == 2
    done = python(script, "--as", "saved.py:Wrong", folder=tmp_path)
    assert done.returncode == 1
    assert f"saved.py:Wrong on cpu: {ONE} failed" in done.stdout


@pytest.mark.slow
def test_script_of_a_class_in_a_function_asks_for_the_class(tmp_path: Path) -> None:
    """A script that needs no package of ours has a place for the source."""

    class Forgetful(nn.LSTM):
        def forward(self, input: Any, hx: Any = None) -> Any:
            return super().forward(input)

    what: dict[str, Any] = {"requirements": ONE, "max_examples": 5, "seed": 0, "devices": "cpu"}
    report = verify(Forgetful, **what, reproductions=str(tmp_path), progress=False)
    (found,) = report.failures
    folder = Path(found.reproduction)
    script, text = ((folder / name).read_text() for name in ("reproduce.py", "report.md"))
    asked = "# define Forgetful here, as in the function in which it was verified\n"
    assert script.count(asked) == 1
    assert "Put its source where reproduce.py says so. Run `python reproduce.py`" in text
    source = inspect.cleandoc("\n" + inspect.getsource(Forgetful))
    whole = script.replace(asked, f"from typing import Any\nfrom torch import nn\n{source}\n")
    done = python("-c", whole, folder=tmp_path)
    assert "output[0, 0, 0]: got 0.0, expected" in done.stdout
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("file", ["", "script.py"])
def test_what_infer_prints_verifies_as_printed(file: str, tmp_path: Path) -> None:
    """A class of a notebook is saved above the lines; one of a script is imported from there."""
    call = "from conformance import infer\nprint('\\n'.join(infer(Right).lines()))"
    source = f"{RIGHT}\n\nif __name__ == '__main__':\n    " + call.replace("\n", "\n    ")
    (tmp_path / "script.py").write_text(source)
    printed = python(*([file] if file else ["-c", source]), folder=tmp_path).stdout
    saved = "Save its source, and below it these lines, as mine.py and run"
    assert (saved in printed) == (not file)
    (tmp_path / "mine.py").write_text(printed if file else f"{RIGHT}\n{printed}")
    done = processes.command(
        *("verify", "mine.py:mine", "--requirement", ONE, "--max-examples", "3"), folder=tmp_path
    )
    assert done.returncode == 0, done
    assert "mine.py:mine" in done.stdout


def test_names_that_no_command_can_load() -> None:
    """Of an object it is the name that counts, of a class its place."""

    class Inside(nn.LSTM):
        pass

    lost = "No command can load {}, which is defined inside a function or a class."
    assert unloadable(place_of(Inside)) == lost.format("Inside")
    assert unloadable(place_of(processes.command)) == ""
    assert unloadable("torch.nn.LSTM") == unloadable("mine.py:Mine") == ""
    assert unloadable("Karpathy's") == (
        "No command can load Karpathy's, which is not the name of a file or module."
    )
    assert unloadable("tests.support.processes:gone") != ""
    assert unloadable("__main__:Mine").endswith("in a notebook or a session.")


def test_class_of_another_folder_is_named_after_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its module could be imported from that folder only."""
    (tmp_path / "elsewhere_right.py").write_text(RIGHT)
    monkeypatch.syspath_prepend(str(tmp_path))
    import elsewhere_right  # type: ignore[import-not-found]

    name = f"{tmp_path / 'elsewhere_right.py'}:Right"
    assert place_of(elsewhere_right.Right) == infer(elsewhere_right.Right).name == name
    assert load(name).name == load(elsewhere_right.Right).name == name


def test_object_without_a_place_is_found_again_by_a_call() -> None:
    """What it is called there, nobody knows."""
    values = {**defaults(VERIFY), "lstm_strict": True, "lstm_seed": 3}
    text = recall("lstm", values, lstm_requirement=[ONE])
    call = ast.parse(text.splitlines()[-1]).body[0]
    assert ast.unparse(call) == f"verify(lstm, requirements={ONE!r}, strict=True, seed=3)"


def test_every_option_of_the_call_is_an_argument() -> None:
    """The options that matter again are arguments of ``verify`` in Python."""
    taken = inspect.signature(verify).parameters
    names = [each.name for each in of(VERIFY) if each.again]
    names += ["requirement", "device"]
    for name in names:
        python = IN_PYTHON.get(name) or name.replace("-", "_")
        assert python in taken or name == "expectations"


def test_suite_names_the_function_that_infers() -> None:
    """For a class of a function, ``infer`` of Python finds the layout."""

    class Unlike(nn.Module):
        pass

    with pytest.raises(UsageError, match=r"`conformance.infer\(Unlike\)` may find out how"):
        implementation_of(Unlike)
