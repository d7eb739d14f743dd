"""Packages of the same names as ours: neither side shadows the other."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reference
import strategies
from conformance.implementations.own_imports import OURS, Packages
from tests.support.processes import command
from tests.support.processes import pytest as run_pytest

INSTALLED = str(Path(reference.__file__).parents[1])
FILES = {
    "strategies/__init__.py": "WHOSE = 'theirs'\n",
    "strategies/later.py": "from strategies import WHOSE\n",
    "reference/of_a_folder_without_init.py": "WHOSE = 'theirs'\n",
    "tests/__init__.py": "WHOSE = 'theirs'\n",
    "tests/later.py": "from tests import WHOSE\n",
    "beside.py": "WHOSE = 'theirs'\n",
    "tests/my_lstm.py": """
import strategies, tests
import reference.of_a_folder_without_init as theirs
from torch import nn
assert strategies.WHOSE == tests.WHOSE == theirs.WHOSE == "theirs"

class MyLSTM(nn.LSTM):
    def forward(self, *arguments):
        import beside, strategies.later, tests.later
        import reference.of_a_folder_without_init as theirs
        assert strategies.later.WHOSE == tests.later.WHOSE == theirs.WHOSE == "theirs"
        return super().forward(*arguments)
""",
    "test_their_own.py": """
import strategies

def test_that_imports_late():
    import strategies.later, tests.later
    assert strategies.later.WHOSE == tests.later.WHOSE == "theirs"

def test_that_uses_ours():
    import conformance
    verdict = conformance.check(
        conformance.REQUIREMENTS["dtypes_follow_input"],
        conformance.load("torch.nn.LSTM"),
        budget=conformance.Budget(3),
    )
    assert isinstance(verdict, conformance.Passed)
    test_that_imports_late()
""",
}
FEW = ["results_match_reference", "hand_stacked_cells_equal_lstm"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project with packages named as ours are, and an LSTM that uses them."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "my_lstm.py").write_text(FILES["tests/my_lstm.py"])
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "variables"), [(0, {}), (1, {"PYTHONPATH": os.pathsep.join([".", INSTALLED])})]
)
def test_command_leaves_packages_of_the_same_names_alone(
    project: Path, workers: int, variables: dict[str, str]
) -> None:
    """By file and by module, an LSTM sees its own packages, at import and inside forward."""
    only = [word for name in FEW for word in ("--requirement", name)]
    run = command(
        *("verify", "my_lstm.py:MyLSTM", "tests.my_lstm:MyLSTM", *only, "-n", workers),
        *("--max-examples", 4, "--device", "cpu"),
        folder=project,
        **variables,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "4 passed" in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_pytest_leaves_packages_of_the_same_names_alone(project: Path, workers: int) -> None:
    """In one session their tests see their packages, before and after ours have run."""
    only = [word for name in FEW for word in ("--lstm-requirement", name)]
    run = run_pytest(
        *("--pyargs", "conformance", "test_their_own.py", "-n", workers),
        *("--lstm", "my_lstm.py:MyLSTM", "--lstm", "tests.my_lstm:MyLSTM", *only),
        *("--lstm-max-examples", 4, "--lstm-device", "cpu"),
        folder=project,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 passed" in run.stdout


def write_package(folder: Path, name: str, whose: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(f"WHOSE = {whose!r}\n")
    (folder / name / "part.py").write_text(f"WHOSE = {whose!r}\n")
    return folder


@pytest.fixture
def _untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules and paths are as before after the test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", sys.modules)
    before = dict(sys.modules)
    yield
    for name in set(sys.modules) - set(before):
        if name.partition(".")[0] in ("reference", "strategies", "tests"):
            del sys.modules[name]
    sys.modules.update(before)


@pytest.mark.usefixtures("_untouched")
def test_packages_switch_and_switch_back(tmp_path: Path) -> None:
    """Inside the block the name is the folder's, outside it is what it was, each time the same."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    assert theirs.names == ("strategies",)
    with theirs:
        from strategies.part import WHOSE  # type: ignore[import-not-found]

        import strategies as first

        assert vars(first)["WHOSE"] == WHOSE == "theirs"
        assert sys.path[0] == str(tmp_path)
        assert sys.modules["reference"] is reference
    assert sys.modules["strategies"] is strategies
    assert "strategies.part" not in sys.modules
    assert str(tmp_path) not in sys.path
    with theirs:
        assert sys.modules["strategies"] is first
        assert sys.modules["strategies.part"].WHOSE == "theirs"


@pytest.mark.usefixtures("_untouched")
def test_packages_nest(tmp_path: Path) -> None:
    """Ours within theirs within ours: each block sees its own."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    with OURS:
        assert sys.modules["strategies"] is strategies
        with theirs:
            import strategies as other

            assert vars(other)["WHOSE"] == "theirs"
            with OURS:
                assert sys.modules["strategies"] is strategies
            assert sys.modules["strategies"] is other
        assert sys.modules["strategies"] is strategies
    assert sys.modules["strategies"] is strategies


@pytest.mark.usefixtures("_untouched")
def test_packages_switch_back_after_an_exception(tmp_path: Path) -> None:
    """A block that is left by an exception leaves nothing behind."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    path, finders = list(sys.path), list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), theirs:
        raise ZeroDivisionError
    assert sys.modules["strategies"] is strategies
    assert (sys.path, sys.meta_path) == (path, finders)


@pytest.mark.usefixtures("_untouched")
def test_packages_leave_only_what_a_plain_import_would_find(tmp_path: Path) -> None:
    """What is imported first inside a block stays after it if its folder is on the path."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if name == "strategies"}
    with theirs:
        import strategies as first  # noqa: F401
    assert "strategies" not in sys.modules
    sys.path.insert(0, str(tmp_path))
    with theirs:
        import strategies as second
    assert sys.modules["strategies"] is second
    sys.modules.update(ours)


@pytest.mark.usefixtures("_untouched")
def test_packages_of_a_folder_without_init_win(tmp_path: Path) -> None:
    """A plain folder of modules is found although a regular package of the name exists."""
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "part.py").write_text("WHOSE = 'theirs'\n")
    with Packages(tmp_path):
        from reference.part import WHOSE  # type: ignore[import-not-found]

        assert WHOSE == "theirs"
    assert sys.modules["reference"] is reference


@pytest.mark.usefixtures("_untouched")
def test_packages_may_be_modules(tmp_path: Path) -> None:
    """A file of the name counts as a package of it does; other names are not touched."""
    (tmp_path / "strategies.py").write_text("WHOSE = 'theirs'\n")
    (tmp_path / "json.py").write_text("")
    theirs = Packages(tmp_path)
    assert theirs.names == ("strategies",)
    with theirs:
        from strategies import WHOSE  # type: ignore[attr-defined]

        assert WHOSE == "theirs"


def test_packages_keep_quiet_where_nothing_clashes(tmp_path: Path) -> None:
    """A folder without such packages is put on the path, and no module is taken out."""
    before = dict(sys.modules)
    with Packages(tmp_path) as plain:
        assert plain.names == ()
        assert sys.path[0] == str(tmp_path)
        assert dict(sys.modules) == before
    assert str(tmp_path) not in sys.path


@pytest.mark.usefixtures("_untouched")
def test_packages_within_themselves_stay(tmp_path: Path) -> None:
    """A block within one of the same folder changes nothing; what it imports is there after it."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    with theirs:
        import strategies as first

        path, finders = list(sys.path), list(sys.meta_path)
        with theirs:
            assert sys.modules["strategies"] is first
            assert (sys.path, sys.meta_path) == (path, finders)
            from strategies.part import WHOSE  # type: ignore[import-not-found]

            assert WHOSE == "theirs"
        assert sys.modules["strategies"] is first
        assert "strategies.part" in sys.modules
        assert (sys.path, sys.meta_path) == (path, finders)
    assert sys.modules["strategies"] is strategies
    assert "strategies.part" not in sys.modules


@pytest.mark.usefixtures("_untouched")
def test_packages_within_themselves_come_first_again(tmp_path: Path) -> None:
    """Though the code within has put another folder before theirs on the path."""
    theirs = Packages(write_package(tmp_path, "strategies", "theirs"))
    with theirs:
        sys.path.insert(0, str(tmp_path / "other"))
        with theirs:
            assert sys.path[0] == str(tmp_path)
        assert sys.path[:2] == [str(tmp_path / "other"), str(tmp_path)]
        sys.path.pop(0)
    assert sys.modules["strategies"] is strategies
