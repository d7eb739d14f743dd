"""Descriptions of a call, and what those of an answer share, by one Python expression each.

``input, (h_0[0], c_0[0])`` describes a call with the input and a tuple of two states without their
first axis; ``output, (h_n, c_n)`` describes an answer like that of ``torch.nn.LSTM``. Python's own
parser reads the expressions, and nothing in them is evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from conformance.errors import UsageError

GIVEN = ("input", "h_0", "c_0")
"""The names in a call that stand for arrays of the case; all other names are parameters."""

MADE = ("eye", "zeros")
"""The names in a call that stand for a unit matrix and a vector of zeros of the hidden size."""

LENGTHS = "lengths"
"""The name in a call that stands for the number of steps of each row, integers (N,)."""

JOINED = ("cat", "stack")
"""What makes one array of two: along the last axis, or along a new first one."""

NAMESPACE = "namespace"
"""What makes an object with attributes, as ``namespace(W=W, b=b)``."""


def parsed(text: str, what: str) -> ast.Call:
    """Parse `text` as the arguments of a call; `what` names the option in a message.

    A numbered submodule, as in ``fc.1(h_n)``, becomes ``fc[1](h_n)``, which is Python.
    """
    python = re.sub(r"\.(\d+)(?=[.(])", r"[\1]", text)
    try:
        tree = ast.parse(f"_({python})", mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"{what}={text!r} is not an expression: {error.msg}") from error
    if not isinstance(tree, ast.Call):  # the parentheses around the text were closed within it
        raise UsageError(f"{what}={text!r} is not a list of arguments")
    return tree


def parts_of(node: ast.AST) -> list[ast.expr]:
    """List the parts of a tuple, list, dict or joined array; none for any other expression."""
    if isinstance(node, (ast.Tuple, ast.List)):
        return node.elts
    if joined(node):
        assert isinstance(node, ast.Call)
        return node.args
    if fields := fields_of(node):
        return [*fields.values()]
    return node.values if isinstance(node, ast.Dict) else []


def joined(node: ast.AST) -> str:
    """Return which of :data:`JOINED` the expression is, "" if none."""
    if isinstance(node, ast.Call) and len(node.args) > 1 and not node.keywords:
        name = ast.unparse(node.func)
        return name if name in JOINED else ""
    return ""


def fields_of(node: ast.AST) -> dict[str, ast.expr]:
    """Return the attributes of a :data:`NAMESPACE`, by name; none of any other expression."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == NAMESPACE and not node.args:
        return {str(each.arg): each.value for each in node.keywords}
    return {}


def indexed(node: ast.AST) -> tuple[ast.expr, int | slice] | None:
    """Return the expression before an index, and the index; None if `node` is something else.

    An index is a number, or a slice of one layer such as ``[1:2]`` or ``[-1:]``.
    """
    if not isinstance(node, ast.Subscript):
        return None
    ends = [node.slice.lower, node.slice.upper] if isinstance(node.slice, ast.Slice) else []
    try:
        first, end = [each and ast.literal_eval(each) for each in ends or [node.slice, None]]
    except ValueError:
        return None
    if type(first) is not int:
        return None
    if not ends:
        return node.value, first
    after = None if first == -1 else first + 1
    return (node.value, slice(first, after)) if end == after else None


def _names(node: ast.AST) -> list[str]:
    found = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    return [name for name in found if name not in (*JOINED, NAMESPACE)]


class Call:
    """The arguments of a call, such as ``input, (h_0, c_0)`` or ``x=input, W=W, b=b``.

    An expression may hold tuples, lists, dicts, constants, an index such as ``[0]``, the names in
    :data:`GIVEN` and :data:`MADE`, :data:`LENGTHS`, names of parameters, ``namespace(W=W, b=b)``
    for an object with attributes, and ``cat(h_0, c_0)`` or ``stack(h_0, c_0)`` for two states in
    one array. Raises :class:`UsageError` for anything else.
    """

    def __init__(self, text: str, what: str = "call") -> None:
        self.text = text
        self.what = what
        self._tree = parsed(text, what)
        nodes = [*self._tree.args, *(keyword.value for keyword in self._tree.keywords)]
        for node in nodes:
            self._check(node)
        self.names = [name for node in nodes for name in _names(node)]
        if "input" not in self.names and what == "call":
            raise UsageError(f"call={text!r} does not mention input")

    def _check(self, node: ast.AST) -> None:
        inner = indexed(node)
        plain = isinstance(node, (ast.Tuple, ast.List, ast.Dict, ast.Name, ast.Constant))
        if inner is None and not plain and not joined(node) and not fields_of(node):
            raise UsageError(f"{self.what}={self.text!r}: cannot pass {ast.unparse(node)!r}")
        for each in parts_of(node) if inner is None else [inner[0]]:
            self._check(each)

    @property
    def takes_states(self) -> bool:
        """Whether both initial states are among the arguments."""
        return "h_0" in self.names and "c_0" in self.names

    @property
    def starts_at_zero(self) -> bool:
        """Whether only one initial state is among the arguments, so that the other is zero."""
        return ("h_0" in self.names) != ("c_0" in self.names)

    @property
    def keeps_axes(self) -> bool:
        """Whether the states of one layer are given with their axis of layers, as ``h_0[0:1]``."""
        return "_0[0:1]" in self.text

    @property
    def form(self) -> tuple[list[str], dict[str, str]]:
        """The positional and the keyword arguments as source."""
        named = {str(k.arg): ast.unparse(k.value) for k in self._tree.keywords}
        return [*map(ast.unparse, self._tree.args)], named

    def arguments(
        self,
        values: Mapping[str, Any],
        arrays: Any = None,
    ) -> tuple[list[Any], dict[str, Any]]:
        """Make the positional and the keyword arguments of a call from `values`, by name.

        An argument with a name that has no value, as an initial state may, is left out. `arrays`
        has a method for each of :data:`JOINED`.
        """

        def value(node: ast.AST) -> Any:
            if isinstance(node, ast.Name):
                return values[node.id]
            if isinstance(node, ast.Constant):
                return node.value
            if isinstance(node, ast.Dict):
                keys = (None if key is None else value(key) for key in node.keys)
                return dict(zip(keys, map(value, node.values), strict=True))
            inner = indexed(node)
            if inner is not None:
                return value(inner[0])[inner[1]]
            if fields := fields_of(node):
                return SimpleNamespace(**{key: value(each) for key, each in fields.items()})
            if joined(node):
                return getattr(arrays, joined(node))(list(map(value, parts_of(node))))
            assert isinstance(node, (ast.Tuple, ast.List))
            return (tuple if isinstance(node, ast.Tuple) else list)(map(value, node.elts))

        def known(node: ast.AST) -> bool:
            return set(_names(node)) <= values.keys()

        given = [value(node) for node in self._tree.args if known(node)]
        named = {str(k.arg): value(k.value) for k in self._tree.keywords if known(k.value)}
        return given, named
