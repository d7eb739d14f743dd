"""How the packages may depend on each other and on the outside, read from their source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT, needs_source_tree

ALLOWED = {
    "reference": {"reference"},
    "strategies": {"reference", "strategies"},
    "conformance": {"reference", "strategies", "conformance"},
    "tests": {"reference", "strategies", "conformance", "tests"},
}
"""What each package may import of ours: imports go one way."""

ROOMS = (
    "errors",
    "recording",
    "implementations",
    "checking",
    "requirements",
    "diagnosis",
    "reproductions",
    "running",
    "inference",
    "judgement",
    "cli",
)
"""The rooms of conformance/ in the order of the data's way: each may import those before it."""

BESIDE = {"__init__.py", "__main__.py", "py.typed", "DESIGN.md"}
"""What else lies at the top of conformance/."""

FORBIDDEN = {
    "reference": {"torch", "hypothesis", "pytest", "rich"},
    "strategies": {"torch", "pytest", "rich"},
}
"""What a package may not import of others."""

SHIPPED = [name for name in ALLOWED if name != "tests"]
MODULES = {
    f"{package}/{path.relative_to(folder).as_posix()}": path
    for package, folder in PACKAGES.items()
    for path in sorted(folder.rglob("*.py"))
}
SHIPPED_MODULES = [name for name in MODULES if Path(name).parts[0] in SHIPPED]


def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imported(name: str) -> Iterator[str]:
    """Top-level packages that a module imports anywhere, under TYPE_CHECKING as well."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def rooms_imported(name: str) -> Iterator[str]:
    """Rooms of conformance that a module imports anywhere, "" for the package itself."""
    for node in ast.walk(tree(name)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            names = [str(node.module)]
            if node.module == "conformance":
                names = [f"conformance.{alias.name}" for alias in node.names]
        for package, _, rest in (each.partition(".") for each in names):
            if package == "conformance":
                yield rest.partition(".")[0]


def test_modules_are_found() -> None:
    """The tests below look at every package."""
    for package in ALLOWED:
        assert f"{package}/__init__.py" in MODULES
    assert "conformance/requirements/equations.py" in SHIPPED_MODULES


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name: str) -> None:
    """reference <- strategies <- conformance <- tests, and never the other way."""
    package = Path(name).parts[0]
    ours = set(imported(name)) & set(ALLOWED)
    assert ours <= ALLOWED[package]


def test_rooms_are_all_of_conformance() -> None:
    """The top of conformance/ holds the rooms, and little beside them."""
    top = {path.name for path in PACKAGES["conformance"].iterdir() if path.name != "__pycache__"}
    assert {name.removesuffix(".py") for name in top - BESIDE} == set(ROOMS)
    assert len(top) <= 15


@needs_source_tree
def test_design_describes_the_rooms_in_their_order() -> None:
    """The page for who changes this project has a row for each room, and for nothing else."""
    page = (ROOT / "conformance" / "DESIGN.md").read_text(encoding="utf-8")
    section = page.partition("\n## The rooms of conformance/\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \[(\w+)(?:\.py)?\]", section, re.M)
    assert tuple(rows) == ROOMS


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("conformance/")])
def test_rooms_import_one_way(name: str) -> None:
    """A module imports its own room and those before it; no room imports the whole package."""
    room = Path(name).parts[1].removesuffix(".py")
    if room not in ROOMS:
        return
    before = set(ROOMS[: ROOMS.index(room) + 1])
    assert {imported for imported in rooms_imported(name) if imported not in before} == set()


@pytest.mark.parametrize("name", SHIPPED_MODULES)
def test_imports_of_others_are_few(name: str) -> None:
    """The reference needs NumPy only, and the strategies Hypothesis beside it."""
    assert not set(imported(name)) & FORBIDDEN.get(Path(name).parts[0], set())


@pytest.mark.parametrize("name", MODULES)
def test_modules_have_docstrings(name: str) -> None:
    """Each module says what lives in it, and so does each public name of those shipped."""
    module = tree(name)
    if not module.body:
        return
    assert ast.get_docstring(module), name
    if name not in SHIPPED_MODULES:
        return
    for node in module.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}: {node.name}"


@pytest.mark.parametrize("name", SHIPPED_MODULES)
def test_modules_read_no_environment_variables(name: str) -> None:
    """Options enter through the command line and the plugin.

    Two modules write variables that others read: the command for pytest, an adapter for Keras. One
    puts back what an LSTM has changed. GitHub names the file of a summary in a variable.
    """
    uses = [
        node
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]
    assert "os" not in {
        alias.name
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
    }
    if name == "conformance/checking/settings.py":
        return  # whose one use of them is to compare and restore all
    if name == "conformance/running/reporting/github.py":
        (use,) = uses
        line = MODULES[name].read_text(encoding="utf-8").splitlines()[use.lineno - 1].strip()
        assert line == 'target = os.environ.get("GITHUB_STEP_SUMMARY")'
        return
    if name not in (
        "conformance/cli/verify.py",
        "conformance/implementations/frameworks/keras_backends.py",
    ):
        assert not uses
        return
    source = MODULES[name].read_text(encoding="utf-8").splitlines()
    for use in uses:
        line = source[use.lineno - 1].strip()
        assert line.startswith(("os.environ.pop(", "os.environ[")), line
        assert ".pop(" in line or line.partition("]")[2].startswith(" = "), line


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("tests/")])
def test_no_module_imports_from_a_module_of_tests(name: str) -> None:
    """What several of them need is in a module of its own, in tests/support or beside them."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.ImportFrom):
            imported_from = (node.module or "").split(".")
            assert not any(part.startswith("test_") for part in imported_from), node.module
