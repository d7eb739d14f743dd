"""What a function takes out of an argument that holds all its parameters, as its source shows."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


def contents(function: Callable[..., Any], argument: str) -> tuple[str, list[str]] | None:
    """Return an expression for `argument`, a dict or a list, and the names of the arrays in it.

    Keys of a dict are those that this function, or another one of its module with an argument of
    this name, asks for. A list has the names to which it is unpacked. None if neither is found.
    """
    module = inspect.getmodule(function)
    trees = [*_trees(function), *(_trees(module) if module else ())]
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and _takes(node, argument):
                found = _dict(trees, argument) or _list(node, argument)
                if found:
                    return found
    return None


def attributes(function: Callable[..., Any], argument: str) -> list[str]:
    """List the attributes of `argument` that the source of a function reads."""
    found = (
        node.attr
        for tree in _trees(function)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == argument
    )
    return list(dict.fromkeys(found))


def _trees(what: Callable[..., Any] | ModuleType) -> Iterator[ast.AST]:
    try:
        yield ast.parse(textwrap.dedent(inspect.getsource(what)))
    except (OSError, TypeError, SyntaxError):
        return


def _takes(node: ast.FunctionDef, argument: str) -> bool:
    return any(each.arg == argument for each in node.args.args)


def _dict(trees: list[ast.AST], argument: str) -> tuple[str, list[str]] | None:
    keys = dict.fromkeys(
        node.slice.value
        for tree in trees
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and _takes(function, argument)
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == argument
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )
    named = [key for key in keys if key.isidentifier()]
    if not named:
        return None
    return f"{{{', '.join(f'{key!r}: {key}' for key in named)}}}", named


def _list(function: ast.FunctionDef, argument: str) -> tuple[str, list[str]] | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            target = node.targets[0]
            if node.value.id == argument and isinstance(target, (ast.Tuple, ast.List)):
                names = [each.id for each in target.elts if isinstance(each, ast.Name)]
                if len(names) == len(target.elts) > 1:
                    return f"[{', '.join(names)}]", names
    return None
