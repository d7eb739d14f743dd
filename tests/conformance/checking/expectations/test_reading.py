"""Files of expected failures: what they may say, and how a wrong one is refused."""

import re
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, UsageError
from conformance.checking.expectations.reading import KNOWN_FAULTS, known_faults, of_project, read

WHOLE = """# what we know

[[expect]]  # the kernel
requirement = "h_n_is_last_output"
reason = "a known one"
link = "https://example.org/1"
kind = "wrong element"
what = "h_n"
message = "h_n["
implementation = ["a", "b*"]
version = ">=1,<2"
torch = "<2.1"
device = "cpu"
dtype = ["float16", "bfloat16"]
platform = "linux"
cudnn = true
certain = false
bidirectional = true
batched = false
num_layers = 2
seq_len = ">=3"

# another one
[[expect]]
requirement = "rows_do_not_interact"
reason = \"\"\"
[[expect]]
is not a table here\"\"\"
message = "no"
"""
ONE = '[[expect]]\nrequirement = "rows_do_not_interact"\nreason = "so"\nkind = "died"\n'


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the lines of the entries, and conditions in one form."""
    monkeypatch.chdir(tmp_path)
    first, second = read(written(tmp_path, WHOLE), REQUIREMENTS)
    assert (first.at, second.at) == ("mine.toml:3", "mine.toml:24")
    assert (first.kind, first.what, first.message) == ("wrong element", "h_n", "h_n[")
    assert (first.implementation, first.version, first.torch) == (("a", "b*"), "<2,>=1", "<2.1")
    assert (first.device, first.dtype) == (("cpu",), ("float16", "bfloat16"))
    assert (first.platform, first.cudnn, first.certain) == (("linux",), "true", False)
    assert first.link == "https://example.org/1"
    assert first.case == {
        "bidirectional": "true",
        "batched": "false",
        "num_layers": "==2",
        "seq_len": ">=3",
    }
    assert second.reason == "[[expect]]\nis not a table here"
    assert second.certain
    assert not second.case


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("requirment = 'x'", r"unknown key 'requirment'; did you mean 'requirement'\?"),
        ("bidrectional = true", r"unknown key 'bidrectional'; did you mean 'bidirectional'\?"),
        ("torch = '2.1 or so'", "torch must be a range of versions such as '>=2.1,<2.4': "),
        ("torch = ','", "torch must be a range of versions such as '>=2.1,<2.4': "),
        ("platform = 'windows'", "platform must be one of linux, darwin, win32"),
        ("version = 2", "version must be a text"),
        ("num_layers = -1", "num_layers must be a number, or a range such as '>=2,<5'"),
        ("num_layers = 'many'", "num_layers must be a number, or a range such as '>=2,<5'"),
        ("bidirectional = 'yes'", "bidirectional must be true or false"),
        ("cudnn = 'on'", "cudnn must be a range of versions"),
        ("dtype = 'float8'", "dtype must be one of float64, float32"),
        ("device = []", "device must name at least one"),
        ("certain = 1", "certain must be true or false"),
        ("link = ''", "link must be a text"),
    ],
)
def test_condition_that_cannot_be_evaluated_is_refused(
    line: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the line of its entry."""
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, f"{ONE}\n\n{ONE}{line}\n")
    with pytest.raises(UsageError, match=f"^mine.toml:7: {told}"):
        read(path, REQUIREMENTS)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"rows_do_not_interact"', '"rows_do_interact"', ":1: requirement is .* did you mean"),
        ('"died"', '"dead"', ":1: kind must be one of mismatch, .*; did you mean 'died'"),
        ('reason = "so"\n', "", ":1: reason is missing"),
        ('kind = "died"\n', "", ":1: kind or message is missing"),
        ('"so"', "so", ":3: not TOML: "),
        ("[[expect]]", "[[expected]]", ": unknown table or key 'expected'"),
        ("[[expect]]", "[expect]", ": 'expect' must be an array of tables"),
    ],
)
def test_file_that_makes_no_sense_is_refused(
    before: str, after: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, which names the line of the file where there is one."""
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, ONE.replace(before, after))
    with pytest.raises(UsageError, match=f"^mine.toml{told}"):
        read(path, REQUIREMENTS)


@pytest.mark.parametrize("name", ["mine.toml", "pyproject.toml"])
def test_file_without_end_is_refused(name: str, tmp_path: Path) -> None:
    """In one line, and before all of it is in memory."""
    path = tmp_path / name
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="toml has more than 1048576 characters, and is"):
        read(path, REQUIREMENTS)


def test_entries_in_another_form_are_refused(tmp_path: Path) -> None:
    """They have no lines that can be named."""
    text = 'expect = [{requirement = "rows_do_not_interact", reason = "so", kind = "died"}]\n'
    with pytest.raises(UsageError, match=re.escape("write each expected failure as a table [[ex")):
        read(written(tmp_path, text), REQUIREMENTS)
    with pytest.raises(UsageError, match=r"absent\.toml cannot be read: No such file"):
        read(tmp_path / "absent.toml", REQUIREMENTS)


def test_project_has_entries_in_its_own_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the nearest folder which has any is found, from the current one upwards."""
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert of_project(inner) is None
    table = ONE.replace("[[expect]]", "[[tool.lstm-conformance.expect]]")
    path = written(tmp_path, f"[project]\nname = 'x'\n\n{table}", "pyproject.toml")
    written(inner, "[project]\nname = 'lstm-conformance'\n", "pyproject.toml")
    assert of_project(inner) == path
    (only,) = read(path, REQUIREMENTS)
    assert only.at == "pyproject.toml:4"
    written(inner, "[tool.lstm-conformance]\nexpects = 1\n", "pyproject.toml")
    with pytest.raises(UsageError, match=r"b/pyproject.toml: unknown table or key 'expects'"):
        of_project(inner)


def test_known_faults_are_read_as_any_file() -> None:
    """They are shipped, and each is found by its requirement."""
    assert [each.at for each in known_faults()] == [
        each.at for each in read(KNOWN_FAULTS, REQUIREMENTS)
    ]
    assert all(each.shipped for each in known_faults())
    assert known_faults("vmap_over_rows_is_a_batch") == known_faults()[:2]


def test_line_ends_where_an_editor_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at other separators of Unicode; and what Windows puts around is no matter."""
    monkeypatch.chdir(tmp_path)
    odd = ONE.replace('"so"', '"a\u2028b\u0085c"')
    path = tmp_path / "mine.toml"
    path.write_bytes(f"\ufeff# \u2028[[expect]]\n{odd}{ONE}".replace("\n", "\r\n").encode())
    first, second = read(path, REQUIREMENTS)
    assert (first.at, second.at) == ("mine.toml:2", "mine.toml:6")
    assert first.reason == "a\u2028b\u0085c"
