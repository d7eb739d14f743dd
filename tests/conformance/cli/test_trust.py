"""Folders that somebody sent: what they name is run from the current folder only."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.cli.trust import refuse_strangers
from conformance.errors import UsageError
from conformance.reproductions.record import Record, Subject
from reference import Configuration
from tests.support.cases import random_case
from tests.support.processes import command

MINE = "open('was_run', 'w')\nfrom torch.nn import LSTM as Mine\n"
SUBJECT = Subject("results_match_reference", "mine.py:Mine", "cpu", "", "command")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a class, a module in a package, and a folder that was sent."""
    here = tmp_path / "here"
    for folder in (here / "sent", here / "package", here / "other", tmp_path / "there"):
        folder.mkdir(parents=True)
        (folder / "mine.py").write_text(MINE)
        (folder / "program").touch()
    (here / "mine.py").write_text(MINE)
    (here / "package" / "__init__.py").touch()
    (here / "link.py").symlink_to(tmp_path / "there" / "mine.py")
    monkeypatch.chdir(here)
    return here


def test_code_of_the_current_folder_is_run(here: Path) -> None:
    """A file or module in it or below it, what this package ships, and a program given by path."""
    mine = replace(SUBJECT, folder=str(here))
    for name in ("mine.py:Mine", "mine:Mine", "package.mine:Mine", "other/mine.py", "other.mine.X"):
        refuse_strangers(Path("sent"), replace(mine, implementation=name))
    refuse_strangers(Path("sent"), replace(mine, folder=f"{here}/other"))
    refuse_strangers(Path("sent"), replace(mine, program="other/program --fast"))
    refuse_strangers(Path("sent"), replace(SUBJECT, folder="/", implementation="torch.nn.LSTM"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"folder": "there"}, "the code of 'mine.py:Mine' in '{there}/mine.py'"),
        ({"implementation": "mine:Mine", "folder": "there"}, "the code of 'mine:Mine'"),
        ({"implementation": "../there/mine.py:Mine"}, "the code of '../there/mine.py:Mine'"),
        ({"implementation": "{there}/mine.py:Mine"}, "the code of '{there}/mine.py:Mine'"),
        ({"implementation": "link.py:Mine"}, "the code of 'link.py:Mine'"),
        ({"implementation": "sent/mine.py:Mine"}, "the code of 'sent/mine.py:Mine'"),
        ({"implementation": "sent.mine:Mine"}, "the code of 'sent.mine:Mine'"),
        ({"implementation": "antigravity:x"}, "the code of 'antigravity:x'"),
        ({"implementation": "sys:x"}, "the code of 'sys:x'"),
        ({"program": "rm -r x"}, "the command 'rm -r x' in '{here}'"),
        ({"program": "./program", "folder": "there"}, "the command './program' in '{there}'"),
        ({"program": "sent/program"}, "the command 'sent/program'"),
        ({"program": "../there/program"}, "the command '../there/program'"),
        ({"program": "'"}, 'the command "\'"'),
        ({"program": "rm -r x", "implementation": "torch.nn.LSTM"}, "the command 'rm -r x'"),
    ],
)
def test_other_code_is_named_and_not_run(changes: dict, told: str, here: Path) -> None:
    """Wherever it is: elsewhere, installed, found by a link, or in the folder that was sent."""
    places = {"here": here, "there": here.parent / "there"}
    changes = {name: value.format(**places) for name, value in changes.items()}
    changes["folder"] = str(places[changes.get("folder", "here")])
    with pytest.raises(UsageError) as caught:
        refuse_strangers(Path("sent"), replace(SUBJECT, **changes))
    text = str(caught.value)
    assert text.startswith(f"this case runs {told.format(**places)}")
    assert text.endswith("give --trust, or name another implementation with --as")
    assert "\n" not in text


def test_replay_asks_before_it_runs_what_somebody_sent(here: Path) -> None:
    """Without --trust nothing is run, with it the code is."""
    sent = here / "sent"
    case = random_case(Configuration(1, 1))
    Record(replace(SUBJECT, folder=str(sent)), case, "failed", "why").write(sent)
    run = command("replay", "sent", folder=here)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("lstm-conformance: this case runs the code of 'mine.py:Mine' in ")
    assert len(run.stderr.splitlines()) == 1
    assert not list(here.rglob("was_run"))
    run = command("replay", "sent", "--trust", folder=here)
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(here.rglob("was_run")) == [sent / "was_run"]


def test_replay_does_not_start_a_command_that_somebody_sent(here: Path) -> None:
    """Nor if the command is asked for by its name."""
    sent = here / "sent"
    program = f"{sys.executable} -c \"open('was_run', 'w')\""
    subject = replace(SUBJECT, implementation="theirs", folder=str(here), program=program)
    Record(subject, random_case(Configuration(1, 1)), "failed", "why").write(sent)
    for names in ((), ("--as", "theirs")):
        run = command("replay", "sent", *names, folder=here)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.startswith("lstm-conformance: this case runs the command ")
    assert not list(here.rglob("was_run"))
