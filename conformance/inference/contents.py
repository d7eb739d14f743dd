"""What a function takes out of an argument that holds all its parameters, as its source shows."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from conformance.implementations.by_hand.expressions import NAMESPACE
from conformance.inference.names import named_state


def contents(function: Callable[..., Any], argument: str) -> tuple[str, list[str]] | None:
    """Return an expression for `argument`, and the names of the arrays in it.

    The argument is a dict, an object or a list. Keys of a dict, and attributes, are those that this
    function asks for, or else others of its module with an argument of this name. A list has the
    names to which it is unpacked. None if nothing is found.
    """
    module = inspect.getmodule(function)
    own, others = [*_trees(function)], [*(_trees(module) if module else ())]
    inside = (node for tree in own for node in ast.walk(tree))
    called = {ast.unparse(node.func) for node in inside if isinstance(node, ast.Call)}
    own += [
        node
        for tree in others
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in called
    ]
    for trees in (own, others):
        takes = [
            node
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and _takes(node, argument)
        ]
        lists = (_list(each, argument) for each in takes)
        found = _dict(takes, argument) or next(filter(None, lists), None)
        if found := found or _object(takes, argument):
            return found
    return None


def attributes(function: Callable[..., Any], argument: str) -> list[str]:
    """List the attributes of `argument` that the source of a function or a class reads."""
    return list(dict.fromkeys(key for tree in _trees(function) for key in _read(tree, argument)))


def keys(function: Callable[..., Any], argument: str) -> list[str]:
    """List the keys of `argument`, a dict, that the source of a function or a class reads."""
    return list(dict.fromkeys(key for tree in _trees(function) for key in _keys(tree, argument)))


def states_held(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """List expressions for an argument that holds both states, as the sources of `functions` show.

    Where ``state.h`` and ``state.c`` are read, that is ``namespace(h=h_0, c=c_0)``, an object such
    as a named tuple; where ``state["h"]`` and ``state["c"]`` are, a dict.
    """
    found: dict[str, None] = {}
    for tree in (tree for function in functions for tree in _trees(function)):
        names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for name in dict.fromkeys(names):
            for form, read in HOLDING.items():
                of = {named_state(key): key for key in reversed(read(tree, name))}
                if name != "self" and {"h", "c"} <= of.keys():
                    found[form.format(**of)] = None
    return [*found]


def mentions(function: Callable[..., Any], word: str) -> bool:
    """Return whether the source of a function or a class has a name or an attribute `word`."""
    nodes = (node for tree in _trees(function) for node in ast.walk(tree))
    return any(word in (getattr(node, "id", ""), getattr(node, "attr", "")) for node in nodes)


def _read(tree: ast.AST, argument: str) -> list[str]:
    """List the attributes of `argument` that are read, but those that are called, in order."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [
        (node.lineno, node.col_offset, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _is(node.value, argument) and id(node) not in called
    ]
    return [name for *_, name in sorted(found)]


def _keys(tree: ast.AST, argument: str) -> list[str]:
    """List the names by which `argument` is subscripted, in order."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is(node.value, argument):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(key, str) and key.isidentifier():
                found.append((node.lineno, node.col_offset, key))
    return [name for *_, name in sorted(found)]


HOLDING = {f"{NAMESPACE}({{h}}=h_0, {{c}}=c_0)": _read, "{{{h!r}: h_0, {c!r}: c_0}}": _keys}
"""Forms of what holds both states, and how their names are read in a source."""


def _is(node: ast.AST, argument: str) -> bool:
    """Return whether this is an argument, or the attribute of self in which it is kept."""
    if isinstance(node, ast.Attribute):
        return node.attr == argument and _is(node.value, "self")
    return isinstance(node, ast.Name) and node.id == argument


def _trees(what: Callable[..., Any] | ModuleType) -> Iterator[ast.AST]:
    try:
        yield ast.parse(textwrap.dedent(inspect.getsource(what)))
    except (OSError, TypeError, SyntaxError):
        return


def _takes(node: ast.FunctionDef, argument: str) -> bool:
    return any(each.arg == argument for each in node.args.args)


def _dict(functions: list[ast.FunctionDef], argument: str) -> tuple[str, list[str]] | None:
    found = list(dict.fromkeys(key for each in functions for key in _keys(each, argument)))
    return (f"{{{', '.join(f'{key!r}: {key}' for key in found)}}}", found) if found else None


def _object(functions: list[ast.FunctionDef], argument: str) -> tuple[str, list[str]] | None:
    found = list(dict.fromkeys(key for each in functions for key in _read(each, argument)))
    return (f"{NAMESPACE}({', '.join(f'{key}={key}' for key in found)})", found) if found else None


def _list(function: ast.FunctionDef, argument: str) -> tuple[str, list[str]] | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            target = node.targets[0]
            if node.value.id == argument and isinstance(target, (ast.Tuple, ast.List)):
                names = [each.id for each in target.elts if isinstance(each, ast.Name)]
                if len(names) == len(target.elts) > 1:
                    return f"[{', '.join(names)}]", names
    return None
