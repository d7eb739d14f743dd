"""A file of expected failures is written anew, and what stays is untouched."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import REQUIREMENTS
from conformance.checking.counterexample import Counterexample
from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.expectation import Applied, Expectation
from conformance.checking.expectations.reading import read
from conformance.checking.expectations.rewriting import rewritten
from conformance.checking.verdict import (
    Crashed,
    ExpectedFailure,
    Failed,
    NotApplicable,
    Undecided,
    UnexpectedPass,
    Use,
    Verdict,
)

FILE = """\
# What our LSTM cannot do yet.

# the kernel; ask Ada
[[expect]]  # since 1.2
requirement = "rows_do_not_interact"
reason = "a first one"  # kept
kind = "died"
message = "x"

# goes with its entry
[[expect]]
requirement = "h_n_is_last_output"
reason = "a second one"
kind = "raised"

# a word on the third
[[expect]]
requirement = "dtypes_follow_input"
# why it is so
reason = "a third one"
kind = "raised"
implementation = ["mine", "yours", "theirs"]
"""
FIRST, SECOND, THIRD = FILE.split("\n\n", 1)[1].split("\n\n")
TOP = "# What our LSTM cannot do yet.\n"
RAISED = Counterexample(
    "<a case>",
    "raised ValueError: 12 rows of 3 are not what was asked for\nmore",
    {},
    kind="raised",
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(FILE)
    return tmp_path / "mine.toml"


def verdict(
    kind: type[Verdict],
    entry: Expectation,
    use: tuple[int, ...],
    *,
    name: str = "mine",
    **more: Any,
) -> Verdict:
    return kind(entry.requirement, name, "cpu", expectations=(Use(entry.at, *use),), **more)


def run(path: Path, *others: Verdict, **mine: tuple[type[Verdict], tuple[int, ...]]) -> Any:
    """What is made of the file by verdicts on its entries, which are as expected by default."""
    entries = read(path, REQUIREMENTS)
    applied = [
        Applied(entry, name, "cpu")
        for entry in entries
        for name in dict.fromkeys(["mine", *(each.implementation for each in others)])
        if name in (entry.implementation or (name,))
    ]
    seen = [mine.get(which, (ExpectedFailure, (9, 9))) for which in ("first", "second", "third")]
    found = [verdict(kind, entry, use) for (kind, use), entry in zip(seen, entries, strict=True)]
    return rewritten(path, Expected("mine.toml", tuple(applied)), [*found, *others])


def test_file_that_agrees_is_left_as_it_is(path: Path) -> None:
    """To the last byte."""
    done = run(path)
    assert done.text == FILE
    assert str(done) == "0 removed, 0 changed, 0 added"


def test_ends_of_lines_stay_as_they_are(path: Path) -> None:
    """Those of Windows, also in what is added; and other separators of Unicode."""
    text = FILE.replace("a first one", "a\u2028first one").replace("\n", "\r\n")
    path.write_bytes(text.encode())
    assert run(path).text == text
    new = Crashed("rows_do_not_interact", "mine", "cpu", counterexample=RAISED)
    added = run(path, new).text
    assert added.startswith(text)
    assert added.count("\n") == added.count("\r\n") > text.count("\n")


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ("first", f"{TOP}\n{SECOND}\n\n{THIRD}"),
        ("second", f"{TOP}\n{FIRST}\n\n{THIRD}"),
    ],
)
@pytest.mark.parametrize(
    "mended", [(UnexpectedPass, (9, 0)), (ExpectedFailure, (0, 0)), (NotApplicable, (0, 0))]
)
def test_mended_entry_is_removed_with_its_comment(
    which: str, left: str, mended: Any, path: Path
) -> None:
    """And so is one that matches nothing; everything else stays."""
    done = run(path, **{which: mended})
    assert done.text == left
    assert str(done) == "1 removed, 0 changed, 0 added"


def test_entry_that_adds_nothing_is_removed(path: Path) -> None:
    """What it expects is still expected, and the file is whole."""
    path.write_text(f"{FILE}\n# narrower\n{SECOND.partition(chr(10))[2]}\nbidirectional = true\n")
    entries = read(path, REQUIREMENTS)
    applied = tuple(Applied(each, "mine", "cpu") for each in entries)
    found = {each.requirement: ExpectedFailure for each in entries}
    uses = [Use(each.at, 9, 9, 0) for each in entries]
    verdicts = [kind(name, "mine", "cpu", expectations=tuple(uses)) for name, kind in found.items()]
    done = rewritten(path, Expected("mine.toml", applied), verdicts)
    assert done.text == FILE
    assert str(done) == "1 removed, 0 changed, 0 added"


def test_entry_stays_for_implementations_that_were_not_verified(path: Path) -> None:
    """It is limited to them, and to those on which it still holds."""
    done = run(path, third=(UnexpectedPass, (9, 0)))
    third = THIRD.replace('["mine", "yours", "theirs"]', '["yours", "theirs"]')
    assert done.text == f"{TOP}\n{FIRST}\n\n{SECOND}\n\n{third}"
    entry = read(path, REQUIREMENTS)[2]
    holds = verdict(ExpectedFailure, entry, (9, 9), name="yours")
    assert run(path, holds, third=(UnexpectedPass, (9, 0))).text == done.text


def test_another_failure_takes_the_place_of_the_listed_one(path: Path) -> None:
    """With comments, without the reason, which is that of the former one."""
    entry = read(path, REQUIREMENTS)[0]
    failed = verdict(Crashed, entry, (9, 0, 1), counterexample=RAISED)
    done = rewritten(path, Expected("mine.toml", (Applied(entry, "mine", "cpu"),)), [failed])
    first = FIRST.replace('"died"', '"raised"').replace('"a first one"', '"not yet explained"')
    first = first.replace('"x"', '"rows of"').replace("rows of", "are not what was asked for")
    assert done.text == f"{TOP}\n{first}\n\n{SECOND}\n\n{THIRD}"


def test_another_failure_beside_the_listed_one_is_added(path: Path) -> None:
    """Where the listed one occurs as well."""
    entry = read(path, REQUIREMENTS)[0]
    failed = verdict(Crashed, entry, (9, 4, 1), counterexample=RAISED)
    done = rewritten(path, Expected("mine.toml", (Applied(entry, "mine", "cpu"),)), [failed])
    assert done.text.startswith(FILE)
    assert str(done) == "0 removed, 0 changed, 1 added"


def test_failure_in_another_dtype_widens_the_entry(path: Path) -> None:
    """If that has dtypes, and is otherwise the same."""
    path.write_text(f'{FIRST}\ndtype = "float16"\n')
    (entry,) = read(path, REQUIREMENTS)
    found = replace(RAISED, kind="died", message="x", dtype="float64")
    failed = verdict(Crashed, entry, (9, 9), counterexample=found)
    done = rewritten(path, Expected("mine.toml", (Applied(entry, "mine", "cpu"),)), [failed])
    assert done.text == f'{FIRST}\ndtype = ["float16", "float64"]\n'
    assert str(done) == "0 removed, 1 changed, 0 added"


def test_unlisted_failures_are_added(path: Path) -> None:
    """Last, with what is the same in every case, and a reason to be written by somebody."""
    new = Counterexample("<a case>", "h_n[0] = 1", {}, kind="wrong element", what="h_n")
    new = replace(new, dtype="float16")
    failed = Failed("shapes_are_as_documented", "mine", "cpu", counterexample=new)
    lost = Crashed("repr_tells_the_sizes", "mine", "cpu", reason="the process died")
    done = run(path, failed, lost)
    assert done.text == FILE + (
        '\n[[expect]]\nrequirement = "shapes_are_as_documented"\nreason = "not yet explained"\n'
        'kind = "wrong element"\nimplementation = "mine"\ndevice = "cpu"\ndtype = "float16"\n'
    )
    assert str(done) == "0 removed, 0 changed, 1 added; 1 cannot be expected"
    assert done.left == ["repr_tells_the_sizes"]


@pytest.mark.parametrize("name", ["new.toml", "pyproject.toml"])
def test_new_file_and_project_are_written(name: str, tmp_path: Path) -> None:
    """A project gets its table, behind what it has."""
    path = tmp_path / name
    before = ""
    if name == "pyproject.toml":
        before = '[project]\nname = "x"\n'
        path.write_text(before)
    failed = Crashed("rows_do_not_interact", "mine", "cpu", counterexample=RAISED)
    undecided = Undecided("h_n_is_last_output", "mine", "cpu")
    done = rewritten(path, Expected(str(path)), [failed, undecided])
    path.write_text(done.text)
    assert done.text.startswith(before)
    (entry,) = read(path, REQUIREMENTS)
    assert (entry.kind, entry.message) == ("raised", "are not what was asked for")
    assert (entry.implementation, entry.device) == (("mine",), ("cpu",))


def test_tables_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, between and behind the entries of a project."""
    monkeypatch.chdir(tmp_path)
    header = "[[tool.lstm-conformance.expect]]"
    one, two, _ = FILE.replace("[[expect]]", header).split("\n\n", 1)[1].split("\n\n")
    text = (
        f'[project]\nname = "x"\n\n{one}\n\n# of ruff\n[tool.ruff]\nx = 1\n\n{two}\n\n[b]\ny = 2\n'
    )
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    first, second = read(path, REQUIREMENTS)
    applied = tuple(Applied(each, "mine", "cpu") for each in (first, second))
    mended = verdict(UnexpectedPass, first, (9, 0))
    verdicts = [mended, verdict(ExpectedFailure, second, (9, 9))]
    done = rewritten(path, Expected("pyproject.toml", applied), verdicts)
    assert done.text == text.replace(f"{one}\n\n", "")
