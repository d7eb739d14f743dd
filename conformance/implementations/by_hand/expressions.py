"""How something is called, and what comes back, each as one Python expression.

``input, (h_0[0], c_0[0])`` is a call with the input and a tuple of two states without their first
axis; ``output, (h_n, c_n)`` is an answer like that of ``torch.nn.LSTM``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.errors import UsageError
from conformance.implementations.failures import NoResult

GIVEN = ("input", "h_0", "c_0")
"""Names in a call; all others are parameters."""

RETURNED = ("output", "h_n", "c_n", "c_all", "_")
"""Names in an answer: c_all has the cell state of every step, and ``_`` is ignored."""


def _parsed(text: str, what: str) -> ast.Call:
    try:
        tree = ast.parse(f"_({text})", mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"{what}={text!r} is no expression: {error.msg}") from error
    if not isinstance(tree, ast.Call):
        raise UsageError(f"{what}={text!r} is not a list of arguments")
    return tree


def _is_first(node: ast.AST) -> bool:
    """Whether `node` is an index ``[0]``."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == 0
    )


class Call:
    """The arguments of a call, such as ``input, (h_0, c_0)`` or ``x=input, W=W, b=b``.

    Tuples, lists, dicts, constants and the index ``[0]`` are understood; names are those of
    :data:`GIVEN` and of parameters. Raises :class:`UsageError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = _parsed(text, "call")
        nodes = [*self._tree.args, *(keyword.value for keyword in self._tree.keywords)]
        for node in nodes:
            self._check(node)
        self.names = [
            each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)
        ]
        if "input" not in self.names:
            raise UsageError(f"call={text!r} does not mention input")

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, (ast.Tuple, ast.List)):
            for each in node.elts:
                self._check(each)
        elif isinstance(node, ast.Dict):
            for each in node.values:
                self._check(each)
        elif _is_first(node):
            assert isinstance(node, ast.Subscript)
            self._check(node.value)
        elif not isinstance(node, (ast.Name, ast.Constant)):
            raise UsageError(f"call={self.text!r}: cannot give {ast.unparse(node)!r}")

    @property
    def takes_states(self) -> bool:
        """Whether initial states are among the arguments."""
        return "h_0" in self.names or "c_0" in self.names

    def arguments(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments; those with a name that has no value are left out."""

        def value(node: ast.AST) -> Any:
            if isinstance(node, ast.Name):
                return values[node.id]
            if isinstance(node, ast.Constant):
                return node.value
            if isinstance(node, ast.Dict):
                keys = (None if key is None else value(key) for key in node.keys)
                return dict(zip(keys, map(value, node.values), strict=True))
            if isinstance(node, ast.Subscript):
                return value(node.value)[0]
            assert isinstance(node, (ast.Tuple, ast.List))
            return (tuple if isinstance(node, ast.Tuple) else list)(map(value, node.elts))

        def known(node: ast.AST) -> bool:
            return all(each.id in values for each in ast.walk(node) if isinstance(each, ast.Name))

        given = [value(node) for node in self._tree.args if known(node)]
        named = {str(k.arg): value(k.value) for k in self._tree.keywords if known(k.value)}
        return given, named


class Answer:
    """What comes back, such as ``output, (h_n, c_n)``, ``h_n[0], c_n[0]`` or ``fc(h_n[0])``.

    Names are those of :data:`RETURNED`; ``[0]`` says that the first axis of a state is missing,
    and ``fc(...)`` that the submodule ``fc`` comes last, whose input is taken instead of what it
    returns. Raises :class:`UsageError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tree = _parsed(text, "returns")
        if tree.keywords or not tree.args:
            raise UsageError(f"returns={text!r} must list what comes back")
        several = len(tree.args) > 1 or text.rstrip().endswith(",")
        self._tree: ast.expr = ast.Tuple(tree.args) if several else tree.args[0]
        self._leaves = list(self._found(self._tree))
        self.names = {name for name, _, _ in self._leaves if name != "_"}
        self.hooked = [module for _, _, module in self._leaves if module]
        if not self.names & {"output", "h_n"}:
            raise UsageError(f"returns={text!r} has neither output nor h_n")

    def _found(self, node: ast.AST, module: str = "") -> Iterator[tuple[str, bool, str]]:
        """Name, whether the first axis is missing, and the module whose input it is."""
        if isinstance(node, (ast.Tuple, ast.List)):
            for each in node.elts:
                yield from self._found(each, module)
        elif isinstance(node, ast.Dict):
            for each in node.values:
                yield from self._found(each, module)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not module:
            yield from self._found(node.args[0], ast.unparse(node.func))
        elif _is_first(node):
            assert isinstance(node, ast.Subscript)
            for name, _, inner in self._found(node.value, module):
                yield name, True, inner
        elif isinstance(node, ast.Name) and node.id in RETURNED:
            yield node.id, False, module
        else:
            raise UsageError(
                f"returns={self.text!r}: {ast.unparse(node)!r} is none of {', '.join(RETURNED)}"
            )

    def read(
        self, answer: Any, inputs: Mapping[str, Any], lengthened: Callable[[Any], Any]
    ) -> dict[str, Any]:
        """What came back, by name; `inputs` has those of submodules by name.

        `lengthened` adds the first axis where it is missing. Raises :class:`NoResult` when the
        answer does not have this form.
        """
        values = list(self._values(self._tree, answer, inputs))
        read: dict[str, Any] = {}
        for (name, first, _), value in zip(self._leaves, values, strict=True):
            if name != "_":
                read[name] = lengthened(value) if first else value
        return read

    def _values(self, node: ast.AST, answer: Any, inputs: Mapping[str, Any]) -> Iterator[Any]:
        if isinstance(node, (ast.Tuple, ast.List)):
            count = len(node.elts)
            if not isinstance(answer, (tuple, list)):
                raise NoResult(f"returned a {type(answer).__name__}, not {count} parts")
            if len(answer) != count:
                raise NoResult(f"returned {len(answer)} parts, not {count}")
            for each, part in zip(node.elts, answer, strict=True):
                yield from self._values(each, part, inputs)
        elif isinstance(node, ast.Dict):
            for key, each in zip(node.keys, node.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) else None
                if not isinstance(answer, Mapping) or name not in answer:
                    raise NoResult(f"returned {type(answer).__name__} without {name!r}")
                yield from self._values(each, answer[name], inputs)
        elif isinstance(node, ast.Call):
            module = ast.unparse(node.func)
            if module not in inputs:
                raise NoResult(f"the submodule {module!r} was not called")
            yield from self._values(node.args[0], inputs[module], inputs)
        else:
            yield answer
