"""The description of an answer by one Python expression, such as ``output, (h_n, c_n)``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.errors import UsageError
from conformance.implementations.by_hand.expressions import indexed, joined, parsed, parts_of
from conformance.implementations.failures import NoResult
from reference import RESULTS, TOP

RETURNED = (*RESULTS, "c_all", "_")
"""The names in an answer: ``c_all`` is the cell state of every step, and ``_`` is ignored."""


@dataclass(frozen=True)
class Part:
    """One part of an answer.

    - `name`: one of :data:`RETURNED`
    - `index`: the index of the layer and direction of a state, None for all of them
    - `module`: the submodule whose input the part is; empty for the answer itself
    - `flat`: whether the axes of steps and rows are one axis
    - `sliced`: whether a state with an index has an axis of layers all the same
    """

    name: str
    index: int | None = None
    module: str = ""
    flat: bool = False
    sliced: bool = False


class Answer:
    """The form of an answer, such as ``output, (h_n, c_n)``, ``h_n[0], c_n[0]`` or ``fc(h_n[0])``.

    Names are those in :data:`RETURNED`. ``h_n[0]`` is the state of one layer and direction, which
    lacks the first axis, ``h_n[0:1]`` the same with it; ``h_n[-1]`` that of the top layer.
    ``fc(h_n)`` means that the submodule ``fc`` is applied to the state before the answer: then the
    input of ``fc`` is read, not the answer. A submodule may be a numbered one, such as ``fc.1``.
    ``cat(h_n, c_n)`` and ``stack(h_n, c_n)`` are two states in one array, and ``flat(output)`` has
    one axis for steps and rows. ``{'h': h_n}`` reads a dict, or the attributes of an object. Raises
    :class:`UsageError` for anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tree = parsed(text, "returns")
        if tree.keywords or not tree.args:
            raise UsageError(f"returns={text!r} must list the results")
        # one part is the whole answer, unless a comma makes it a tuple of one
        several = len(tree.args) > 1 or text.rstrip().endswith(",")
        self._tree: ast.expr = ast.Tuple(tree.args) if several else tree.args[0]
        self.parts = list(self._found(self._tree))
        self.names = {part.name for part in self.parts if part.name != "_"}
        self.hooked = [part.module for part in self.parts if part.module]
        if not self.names & {"output", "h_n"}:
            raise UsageError(f"returns={text!r} has neither output nor h_n")

    def _found(self, node: ast.AST, module: str = "") -> Iterator[Part]:
        """Yield each part of the answer."""
        inner = indexed(node)
        if isinstance(node, (ast.Tuple, ast.List, ast.Dict)) or joined(node):
            for each in parts_of(node):
                yield from self._found(each, module)
        elif isinstance(node, ast.Call) and ast.unparse(node) == "flat(output)":
            yield Part("output", None, module, True)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not module:
            yield from self._found(node.args[0], _module(node))
        elif inner is not None:
            for part in self._found(inner[0], module):
                place = inner[1]
                if isinstance(place, slice):
                    yield replace(part, index=place.start, sliced=True)
                else:
                    yield replace(part, index=place)
        elif isinstance(node, ast.Name) and node.id in RETURNED:
            yield Part(node.id, None, module)
        else:
            raise UsageError(
                f"returns={self.text!r}: {ast.unparse(node)!r} is none of {', '.join(RETURNED)}"
            )

    @property
    def keyed(self) -> dict[str, str]:
        """What is in dicts and objects, by key: the name of each result that is alone there."""
        dicts = (node for node in ast.walk(self._tree) if isinstance(node, ast.Dict))
        found: dict[str, str] = {}
        for node in dicts:
            for key, value in zip(node.keys, node.values, strict=True):
                names = {part.name for part in self._found(value)}
                if isinstance(key, ast.Constant) and len(names) == 1:
                    found[str(key.value)] = names.pop()
        return found

    def results(self, layers: int, directions: int) -> tuple[str, ...]:
        """List the results that the answer has, or that can be put together from it.

        From the top states of several layers in both directions there is no output: in a shorter
        call, the layers below see less of the input.
        """
        count = layers * directions

        def indices(name: str) -> set[int]:
            found = {part.index for part in self.parts if part.name == name}
            every = range(count) if None in found else ()
            return {index % count for index in found if index is not None} | {*every}

        top = {*range(count - directions, count)} <= indices("h_n")
        has = {
            "output": "output" in self.names or (top and (directions == 1 or count == 2)),
            "h_n": len(indices("h_n")) == count or count == 1,
            "c_n": len(indices("c_n")) == count or ("c_all" in self.names and count == 1),
        }
        has[TOP] = top and not has["h_n"] and ("output" in self.names or not has["output"])
        return tuple(name for name in has if has[name])

    def enough(self, layers: int, directions: int) -> tuple[str, ...]:
        """List the :meth:`results`; raises :class:`UsageError` if there are none."""
        found = self.results(layers, directions)
        if found:
            return found
        of = f"{layers} layer{'s' * (layers > 1)}{' and two directions' * (directions - 1)}"
        top = "the top of h_n"
        if directions == 2:
            top = "of h_n the last states of both directions, h_n[-2] and h_n[-1]"
        raise UsageError(
            f"returns={self.text!r} has too little of an LSTM of {of}: output is needed, or "
            f"{top}; return one of them as well, as from a subclass"
        )

    def read(self, answer: Any, inputs: Mapping[str, Any]) -> dict[Part, Any]:
        """Read the parts out of `answer`; `inputs` are those of the hooked submodules, by name.

        Raises :class:`NoResult` if the answer does not have this form.
        """
        values = list(self._values(self._tree, answer, inputs))
        pairs = zip(self.parts, values, strict=True)
        return {part: value for part, value in pairs if part.name != "_"}

    def _values(self, node: ast.AST, answer: Any, inputs: Mapping[str, Any]) -> Iterator[Any]:
        """Yield what `answer` has in the places of the names, in the order of :meth:`_found`."""
        if joined(node):
            parts = parts_of(node)
            size = answer.shape[-1] // len(parts)
            for n, each in enumerate(parts):
                cut = answer[n] if joined(node) == "stack" else answer[..., n * size :][..., :size]
                yield from self._values(each, cut, inputs)
        elif isinstance(node, (ast.Tuple, ast.List)):
            count = len(node.elts)
            if not isinstance(answer, (tuple, list)):
                raise NoResult(f"returned a {type(answer).__name__}, not {count} parts")
            if len(answer) != count:
                raise NoResult(f"returned {len(answer)} parts, not {count}")
            for each, part in zip(node.elts, answer, strict=True):
                yield from self._values(each, part, inputs)
        elif isinstance(node, ast.Dict):
            for key, each in zip(node.keys, node.values, strict=True):
                name: Any = key.value if isinstance(key, ast.Constant) else None
                values = answer if isinstance(answer, Mapping) else attributes(answer)
                if name not in values:
                    raise NoResult(f"returned {type(answer).__name__} without {name!r}")
                yield from self._values(each, values[name], inputs)
        elif isinstance(node, ast.Call) and ast.unparse(node) != "flat(output)":
            module = _module(node)
            if module not in inputs:
                raise NoResult(f"the submodule {module!r} was not called")
            yield from self._values(node.args[0], inputs[module], inputs)
        else:
            yield answer


def _module(node: ast.Call) -> str:
    """Return the name of the submodule that is called, such as ``fc.1``."""
    return re.sub(r"\[(\d+)\]", r".\1", ast.unparse(node.func))


def attributes(answer: Any) -> Mapping[str, Any]:
    """Return the public attributes of an object such as a dataclass; none of an array.

    Those of a named tuple are its fields.
    """
    if hasattr(answer, "shape"):
        return {}
    if hasattr(answer, "_fields"):
        return dict(zip(answer._fields, answer, strict=True))
    slots = {name: getattr(answer, name) for name in getattr(answer, "__dataclass_fields__", ())}
    return slots or dict(getattr(answer, "__dict__", {}))
