"""The table of options: what is made from it, and which values it refuses."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.requirement import LEVELS
from conformance.errors import UsageError
from conformance.running import options
from conformance.running.options.option import (
    COMPARE,
    INFER,
    JUDGE,
    MATRIX,
    PYTEST,
    REPLAY,
    REPORT,
    VERIFY,
)
from conformance.running.options.table import OPTIONS
from conformance.running.options.values import duration
from tests.support.sources import ROOT, needs_source_tree

PAGE = ROOT / "conformance/cli/OPTIONS.md"


def parsed(taker: str, *words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    options.add(parser.add_argument, taker)
    return vars(parser.parse_args(words))


def rows() -> list[str]:
    """The rows of the table of the page."""
    told = []
    for option in options.of(VERIFY):
        if option.name:
            value = option.metavar.replace("|", "\\|")
            written = f"{option.flag(VERIFY)} {value}".rstrip()
            told.append(f"| `{written}` | {option.help} |")
    return told


@needs_source_tree
def test_page_has_every_option() -> None:
    """The table of the page is the one that the parsers are made from."""
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("| option of `verify` | |\n|---|---|\n")[2].partition("\n\n")[0]
    written, now = table.splitlines(), rows()
    lacking = "\n".join(row for row in now if row not in written)
    assert written == now, f"OPTIONS.md has other rows than options/table.py; it lacks\n{lacking}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--shard=1/2",), "--shard needs --seed, the same one for all shards"),
        (("--shard=1/2", "--seed=1", "--time-budget=9"), "--time-budget does not go with --shard"),
        (("--resume", "--time-budget=9"), "--time-budget does not go with --resume"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...], told: str) -> None:
    """In one line that names both as they were spelled."""
    with pytest.raises(UsageError, match=f"^{re.escape(told)}"):
        options.check(parsed(VERIFY, *words), VERIFY)
    with pytest.raises(UsageError, match=f"^{re.escape(told.replace('--', '--lstm-'))}"):
        options.check(parsed(PYTEST, *(word.replace("--", "--lstm-") for word in words)), PYTEST)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_time_has_a_unit(text: str, seconds: float) -> None:
    """Seconds without one."""
    assert parsed(VERIFY, "--time-budget", text)["lstm_time_budget"] == seconds


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--tx=nonsense", "--tx must be a worker such as socket=HOST:PORT or ssh=HOST, got 'nons"),
        ("--tx=", "--tx must be a worker such as socket=HOST:PORT or ssh=HOST, got ''"),
        ("--tx=ssh", "--tx must be a worker such as "),
    ],
)
def test_worker_elsewhere_that_makes_no_sense_is_refused(word: str, told: str) -> None:
    """Before anything is started."""
    with pytest.raises(UsageError, match=f"^{re.escape(told)}"):
        options.check(parsed(VERIFY, word), VERIFY)


@pytest.mark.parametrize(
    "spec", ["popen", "2*popen", "socket=here:8888", "ssh=me@there//python=python3.11"]
)
def test_worker_elsewhere_is_taken(spec: str, tmp_path: Path) -> None:
    """As pytest-xdist describes it."""
    options.check(parsed(VERIFY, f"--tx={spec}", f"--rsyncdir={tmp_path}"), VERIFY)


def test_file_that_cannot_be_rewritten_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the run whose failures it is to have; one that is to be made is right."""
    words = ["--fix-expectations", "--expectations"]
    with pytest.raises(UsageError, match=r"^--expectations must be a writable file; "):
        options.check(parsed(VERIFY, *words, str(tmp_path)), VERIFY)
    options.check(parsed(VERIFY, *words, str(tmp_path / "new.toml")), VERIFY)
    (tmp_path / "new.toml").touch()
    # the administrator may write anything
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "new.toml")
    with pytest.raises(UsageError, match=r"^--expectations must be a writable file; "):
        options.check(parsed(VERIFY, *words, str(tmp_path / "new.toml")), VERIFY)


@pytest.mark.parametrize("taker", [VERIFY, REPORT, PYTEST])
def test_two_forms_are_not_written_to_one_file(
    taker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is spelled; what is no file may be given twice."""
    monkeypatch.chdir(tmp_path)
    dashes = "--lstm-" if taker == PYTEST else "--"
    words = [f"{dashes}html=x", f"{dashes}junit={tmp_path}/x"]
    told = f"{dashes}html and {dashes}junit are the same file: {tmp_path}/x"
    with pytest.raises(UsageError, match=f"^{re.escape(told)}$"):
        options.check(parsed(taker, *words), taker)
    options.check(parsed(taker, f"{dashes}html=x", f"{dashes}junit=y"), taker)
    nowhere = [f"{dashes}{form}={os.devnull}" for form in ("html", "junit")]
    options.check(parsed(taker, *nowhere), taker)


@pytest.mark.parametrize("taker", [VERIFY, INFER, REPLAY, REPORT, PYTEST])
def test_keys_and_flags_are_unambiguous(taker: str) -> None:
    """None is taken twice."""
    taken = options.of(taker)
    assert len({option.key for option in taken}) == len(taken)
    assert len({option.flag(taker) for option in taken}) == len(taken)


def test_pytest_gets_what_the_command_got() -> None:
    """Each option of the command that pytest has too arrives there with its value."""
    texts: dict[Callable[[str], Any], str] = {
        str: "node x.mjs=-y",
        int: "-4",
        float: "1.5",
        duration: "1.5m",
    }
    words = ["a:B", "c.py:D", "--command", "y"]
    for option in options.of(VERIFY):
        value = option.choices[0] if option.choices else texts[option.kind]
        written = f"--{option.name}={value}" if option.metavar else f"--{option.name}"
        words += [written] if option.name else []
    given = parsed(VERIFY, *words)
    assert given["lstm_workers"] == -4
    for option in options.of(VERIFY):
        if PYTEST not in option.takers:
            del given[option.key]
    passed_on = ("=".join(filter(None, pair)) for pair in options.given(given, PYTEST))
    again = parsed(PYTEST, *passed_on)
    assert again == given
    assert not [each for each in options.of(PYTEST) if again[each.key] in (each.default, [])]


def test_defaults_are_not_passed_on() -> None:
    """What was not given is not repeated."""
    assert list(options.given(parsed(VERIFY, "a:B"), PYTEST)) == [("--lstm", "a:B")]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--max-examples=0", "--max-examples must be at least 1, got 0"),
        ("--timeout=0", "--timeout must be a positive number of seconds, got 0.0"),
        ("--timeout=-1", "--timeout must be a positive number of seconds, got -1.0"),
        ("--timeout=nan", "--timeout must be a positive number of seconds, got nan"),
        ("--timeout=inf", "--timeout must be a positive number of seconds, got inf"),
        ("--time-limit=0", "--time-limit must be a positive number of seconds, got 0.0"),
        ("--timeout=1e300", "--timeout must be at most 1e+06 seconds, got 1e+300"),
        ("--time-limit=1e7", "--time-limit must be at most 1e+06 seconds, got 10000000.0"),
        ("--time-budget=0m", "--time-budget must be a positive number of seconds, got 0.0"),
        ("--shard=0/2", "--shard must be a shard such as 2/5, got '0/2'"),
        ("--shard=3/2", "--shard must be a shard such as 2/5, got '3/2'"),
        ("--shard=2", "--shard must be a shard such as 2/5, got '2'"),
        ("--shard=1/999999", "--shard must be a shard such as 2/5, got '1/999999'"),
        ("--floor=", "--floor must not be empty"),
        ("--expectations=", "--expectations must not be empty"),
        ("--requirement=", "--requirement must not be empty"),
        ("--command=", "--command must not be empty"),
        ("--database=http://x", "--database must be a folder, or begin with redis:// or rediss://"),
        ("--floor=dtpye=1", "--floor is not a floor: unknown axis 'dtpye': choose among cases, dt"),
        ("--memory=-1", "--memory must be at least 0.5 GiB, got -1.0"),
        ("--memory=0.01", "--memory must be at least 0.5 GiB, got 0.01"),
        ("--memory=nan", "--memory must be at least 0.5 GiB, got nan"),
        ("--memory=inf", "--memory must be at most 1e+09 GiB, got inf"),
        (f"--max-examples={10**400}", "--max-examples must be at most 1e+09, got 1000"),
        ("-n=99999", "-n must be at most 1024, got 99999"),
        ("--dtype=,", "--dtype must name at least one, got ','"),
        ("--dtype=", "--dtype must name at least one, got ''"),
        ("--level= , ,", "--level must name at least one, got ' , ,'"),
        ("--device=,", "--device must name at least one, got ','"),
        ("--precision=,", "--precision must name at least one, got ','"),
        ("--json=", "--json must be a writable file; "),
        ("--json=a\0b", "--json must be a path: embedded null "),
        (f"--json={'long' * 99}", "--json must be a path: File name too long"),
        ("--reproductions=", "--reproductions must be a folder, got ''"),
        ("--reproductions=a\0b", "--reproductions must be a path: embedded null "),
        (f"--reproductions={'long' * 99}/x", "--reproductions must be a path: File name too long"),
        ("-n=-1", "-n must be at least 0, got -1"),
        ("--json=no/such/x.json", "--json must be a file in an existing folder; there is no "),
        ("--json=.", "--json must be a writable file; "),
        (f"--reproductions={__file__}/x", "--reproductions must be a writable folder"),
    ],
)
def test_values_that_make_no_sense_are_refused(word: str, told: str) -> None:
    """In one line that names the option as it was spelled."""
    name, _, value = word.partition("=")
    with pytest.raises(UsageError, match=f"^{re.escape(told)}"):
        options.check(parsed(VERIFY, name + value if name == "-n" else word), VERIFY)
    if name == "-n":
        return
    with pytest.raises(UsageError, match=f"^{re.escape(told.replace('--', '--lstm-', 1))}"):
        options.check(parsed(PYTEST, word.replace("--", "--lstm-", 1)), PYTEST)


@pytest.mark.parametrize("taker", [VERIFY, INFER, REPLAY, REPORT, JUDGE, COMPARE, MATRIX, PYTEST])
def test_defaults_make_sense(taker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No check refuses a default."""
    monkeypatch.chdir(tmp_path)
    options.check(parsed(taker), taker)


def test_every_option_is_explained_in_one_line() -> None:
    """In the table of the page a line break would end the row."""
    assert all(option.help and "\n" not in option.help for option in OPTIONS)
    (level,) = (option for option in OPTIONS if option.name == "level")
    assert level.help.endswith(f": {', '.join(LEVELS)}")
