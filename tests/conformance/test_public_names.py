"""The public names of the package: loaded lazily, listed, and known to type checkers."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import conformance

if TYPE_CHECKING:
    from typing_extensions import assert_type

    assert_type(conformance.load(""), conformance.Implementation)
    assert_type(conformance.verify(""), conformance.Report)
    assert_type(conformance.verify("").conformant, bool)
    assert_type(conformance.check("", ""), conformance.Verdict)
    assert_type(conformance.Budget().seed, int)
    assert_type(conformance.REQUIREMENTS[""], conformance.Requirement)
    assert_type(conformance.__version__, str)


def test_public_names_are_imported_for_type_checkers_from_where_they_are_loaded() -> None:
    """The imports under TYPE_CHECKING and the homes of the lazily loaded names are the same."""
    module = ast.parse(Path(conformance.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for block in module.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert imported == conformance._HOMES


def test_public_names_are_listed_and_there() -> None:
    """``dir()`` has each of them, and each can be loaded."""
    assert set(conformance.__all__) <= set(dir(conformance))
    for name in conformance.__all__:
        assert getattr(conformance, name) is not None
    assert not hasattr(conformance, "no_such_name")


def test_version_is_that_of_the_distribution() -> None:
    """``__version__`` is listed, and is that of what is installed."""
    assert "__version__" in dir(conformance)
    assert conformance.__version__ == version("lstm-conformance")


def test_importing_the_package_loads_nothing_else() -> None:
    """Pytest imports it in every project."""
    code = (
        "import sys, conformance; dir(conformance); "
        "heavy = {'numpy', 'torch', 'hypothesis', 'importlib.metadata'} & set(sys.modules); "
        "print(sorted(heavy), [name for name in sys.modules if name.startswith('conformance.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"
