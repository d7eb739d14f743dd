"""Descriptions of a call and of its answer, each by one Python expression.

``input, (h_0[0], c_0[0])`` describes a call with the input and a tuple of two states without their
first axis; ``output, (h_n, c_n)`` describes an answer like that of ``torch.nn.LSTM``. Python's own
parser reads the expressions, and nothing in them is evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.errors import UsageError
from conformance.implementations.failures import NoResult
from reference import RESULTS

GIVEN = ("input", "h_0", "c_0")
"""The names in a call that stand for arrays of the case; all other names are parameters."""

RETURNED = (*RESULTS, "c_all", "_")
"""The names in an answer: ``c_all`` is the cell state of every step, and ``_`` is ignored."""


def _parsed(text: str, what: str) -> ast.Call:
    """Parse `text` as the arguments of a call; `what` names the option in a message."""
    try:
        tree = ast.parse(f"_({text})", mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"{what}={text!r} is not an expression: {error.msg}") from error
    if not isinstance(tree, ast.Call):  # the parentheses around the text were closed within it
        raise UsageError(f"{what}={text!r} is not a list of arguments")
    return tree


def _parts(node: ast.AST) -> list[ast.expr]:
    """List the parts of a tuple, list or dict; none for any other expression."""
    if isinstance(node, (ast.Tuple, ast.List)):
        return node.elts
    return node.values if isinstance(node, ast.Dict) else []


def _indexed(node: ast.AST) -> ast.expr | None:
    """Return the expression before an index ``[0]``; None if `node` is something else."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
        return None
    return node.value if node.slice.value == 0 else None


def _names(node: ast.AST) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


class Call:
    """The arguments of a call, such as ``input, (h_0, c_0)`` or ``x=input, W=W, b=b``.

    An expression may hold tuples, lists, dicts, constants, the index ``[0]``, the names in
    :data:`GIVEN` and names of parameters. Raises :class:`UsageError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = _parsed(text, "call")
        nodes = [*self._tree.args, *(keyword.value for keyword in self._tree.keywords)]
        for node in nodes:
            self._check(node)
        self.names = [name for node in nodes for name in _names(node)]
        if "input" not in self.names:
            raise UsageError(f"call={text!r} does not mention input")

    def _check(self, node: ast.AST) -> None:
        inner = _indexed(node)
        if inner is None and not isinstance(
            node, (ast.Tuple, ast.List, ast.Dict, ast.Name, ast.Constant)
        ):
            raise UsageError(f"call={self.text!r}: cannot pass {ast.unparse(node)!r}")
        for each in _parts(node) if inner is None else [inner]:
            self._check(each)

    @property
    def takes_states(self) -> bool:
        """Whether initial states are among the arguments."""
        return "h_0" in self.names or "c_0" in self.names

    def arguments(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Make the positional and the keyword arguments of a call from `values`, by name.

        An argument with a name that has no value, as an initial state may, is left out.
        """

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
            return set(_names(node)) <= values.keys()

        given = [value(node) for node in self._tree.args if known(node)]
        named = {str(k.arg): value(k.value) for k in self._tree.keywords if known(k.value)}
        return given, named


class Answer:
    """The form of an answer, such as ``output, (h_n, c_n)``, ``h_n[0], c_n[0]`` or ``fc(h_n[0])``.

    Names are those in :data:`RETURNED`. ``h_n[0]`` means that the state lacks its first axis, and
    ``fc(h_n)`` that the submodule ``fc`` is applied to the state before the answer: then the input
    of ``fc`` is read, not the answer. Raises :class:`UsageError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tree = _parsed(text, "returns")
        if tree.keywords or not tree.args:
            raise UsageError(f"returns={text!r} must list the results")
        # one part is the whole answer, unless a comma makes it a tuple of one
        several = len(tree.args) > 1 or text.rstrip().endswith(",")
        self._tree: ast.expr = ast.Tuple(tree.args) if several else tree.args[0]
        self._leaves = list(self._found(self._tree))
        self.names = {name for name, _, _ in self._leaves if name != "_"}
        self.hooked = [module for _, _, module in self._leaves if module]
        if not self.names & {"output", "h_n"}:
            raise UsageError(f"returns={text!r} has neither output nor h_n")

    def _found(self, node: ast.AST, module: str = "") -> Iterator[tuple[str, bool, str]]:
        """Yield each name, whether it lacks its first axis, and the submodule whose input it is."""
        inner = _indexed(node)
        if isinstance(node, (ast.Tuple, ast.List, ast.Dict)):
            for each in _parts(node):
                yield from self._found(each, module)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not module:
            yield from self._found(node.args[0], ast.unparse(node.func))
        elif inner is not None:
            for name, _, hooked in self._found(inner, module):
                yield name, True, hooked
        elif isinstance(node, ast.Name) and node.id in RETURNED:
            yield node.id, False, module
        else:
            raise UsageError(
                f"returns={self.text!r}: {ast.unparse(node)!r} is none of {', '.join(RETURNED)}"
            )

    def read(
        self, answer: Any, inputs: Mapping[str, Any], lengthened: Callable[[Any], Any]
    ) -> dict[str, Any]:
        """Read the results out of `answer`, by name.

        - `inputs`: the inputs of the hooked submodules, by the names of the submodules;
        - `lengthened`: adds the first axis to a state that lacks it.

        Raises :class:`NoResult` if the answer does not have this form.
        """
        values = list(self._values(self._tree, answer, inputs))
        return {
            name: lengthened(value) if first else value
            for (name, first, _), value in zip(self._leaves, values, strict=True)
            if name != "_"
        }

    def _values(self, node: ast.AST, answer: Any, inputs: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what `answer` has in the places of the names, in the order of :meth:`_found`."""
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
