"""The implementations known by name: where they are, and what is said if one is missing."""

import ast
import importlib.util
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from conformance import UsageError, load
from conformance.implementations.shipped import SHIPPED
from tests.support.sources import PACKAGES, ROOT, needs_source_tree

ADAPTERS = sorted((PACKAGES["conformance"] / "implementations" / "frameworks").glob("*.py"))
OURS = [name for name, shipped in SHIPPED.items() if shipped.place.startswith("conformance.")]
OTHERS = [name for name, shipped in SHIPPED.items() if shipped.needs]
"""Those that need another framework."""


def classes(path: Path) -> dict[str, ast.ClassDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("name", OURS)
def test_place_of_an_adapter_has_its_class(name: str) -> None:
    """Each place in this project names a class that is there, with the name it is known by."""
    module, _, attribute = SHIPPED[name].place.partition(":")
    path = PACKAGES["conformance"].joinpath(*module.split(".")[1:]).with_suffix(".py")
    found = classes(path)
    assert attribute in found
    if module.startswith("conformance.implementations.frameworks.") and "Forward" not in attribute:
        assert f'"{name}"' in ast.unparse(found[attribute]).replace("'", '"')


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_adapter_is_small(path: Path) -> None:
    """No class of an adapter has more than 40 lines of code, its documentation aside."""
    assert ADAPTERS
    for node in classes(path).values():
        for inner in ast.walk(node):
            if isinstance(inner, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(inner):
                inner.body = inner.body[1:] or [ast.Pass()]
        assert len(ast.unparse(node).splitlines()) <= 40, node.name


@pytest.mark.parametrize("name", OTHERS)
def test_missing_framework_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a framework is missing, what is needed and how to install it is said."""
    shipped = SHIPPED[name]
    here = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda module: None if module in shipped.needs else here(module),
    )
    with pytest.raises(UsageError) as caught:
        load(name)
    needs = " and ".join(shipped.needs)
    assert (
        str(caught.value)
        == f'{name} needs {needs}: pip install "lstm-conformance[{shipped.extra}]"'
    )


def test_missing_framework_is_told_by_its_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line as it is documented."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"^keras-jax needs keras and jax: pip install "):
        load("keras-jax")


@needs_source_tree
def test_every_extra_is_declared_and_has_an_environment() -> None:
    """Each extra is one of pyproject.toml, and tox verifies all that it installs."""
    extras = {shipped.extra for shipped in SHIPPED.values() if shipped.extra}
    declared = re.search(
        r"^\[project.optional-dependencies\]\n(.*?)^\[",
        (ROOT / "pyproject.toml").read_text(),
        re.M | re.S,
    )
    assert declared
    tox = ConfigParser()
    tox.read(ROOT / "tox.ini")
    (frameworks,) = (each for each in tox.sections() if each.startswith("testenv:{equinox,"))
    places = {
        "[project.optional-dependencies] of pyproject.toml": re.findall(
            r"^([\w-]+) = \[", declared[1], re.M
        ),
        "env_list of tox.ini": tox["tox"]["env_list"].split(),
        "the heading [testenv:{equinox,...}] of tox.ini": re.findall(r"[\w-]+", frameworks),
    }
    for place, names in places.items():
        assert not extras - set(names), f"{place} lacks {', '.join(sorted(extras - set(names)))}"
    lines = tox.get(frameworks, "commands", raw=True).splitlines()
    for name, shipped in SHIPPED.items():
        begins = f"{shipped.extra}: -"
        mine = [line.split() for line in lines if line.startswith(begins)]
        verified = not shipped.extra or any(name in words for words in mine)
        assert verified, f"in [{frameworks}] of tox.ini no command `{begins}` has {name}"
