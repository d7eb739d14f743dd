"""What it takes to be put under test."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from conformance.implementations.failures import NoResult, WrongAttribute, blamed
from conformance.recording.ending import untrue
from conformance.recording.operands import Made, Origin, Text
from conformance.recording.tape import bind, note, paused
from reference import Array, Case, Precision, Result
from strategies import Support

if TYPE_CHECKING:
    from typing_extensions import TypeIs

ADAPTERS = ("conformance.implementations.pytorch.modules",)
"""Modules whose implementations note what they do themselves."""


@runtime_checkable
class Implementation(Protocol):
    """An LSTM under test: its name, what it supports, and how one case is run.

    Requirements that need what `supports` lacks are not applicable. :meth:`run` computes one
    case from scratch, in eval mode, and returns NumPy arrays of the case's dtype in PyTorch's
    shapes and order. Whatever it raises becomes a verdict.

    Optional: `precision`, a :class:`reference.Precision`, where its arithmetic is not the dtype's
    own; `version`, a text for reports; `constructed`, which says how a script makes it; and what
    :class:`Differentiable` adds.
    """

    name: str
    supports: Support

    def run(self, case: Case) -> Result:
        """The implementation's own result for `case`."""
        ...


class Differentiable(Implementation, Protocol):
    """An implementation that offers gradients; ``supports.gradients`` has to say so too."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Gradients of the sum of every result times its cotangent.

        By the names ``input``, ``h_0``, ``c_0`` and PyTorch's for the parameters, in the shapes
        and the dtype of the case's own arrays. A name that is left out is not verified.
        """
        ...


def is_differentiable(implementation: Implementation) -> TypeIs[Differentiable]:
    """Whether `implementation` has the method of :class:`Differentiable`."""
    return hasattr(implementation, "gradients")


def precision(implementation: Implementation) -> Precision:
    """What `implementation` declares of its arithmetic; by default it is the dtype's own."""
    declared: Precision = getattr(implementation, "precision", Precision())
    return declared


def run(implementation: Implementation, case: Case) -> Result:
    """As :func:`answer`, with the documented shapes and the case's dtype.

    Raises :class:`WrongAttribute` if they are not, so that a requirement can rely on them. What
    the output holds beyond a row's length is set to zero here: that it is zero already is the
    claim of one requirement, and of no other.
    """
    return without_padding(checked(answer(implementation, case), case), case)


def without_padding(result: Result, case: Case) -> Result:
    """`result` with zeros in the output, or in its cotangent, beyond the length of each row."""
    if case.lengths is None:
        return result
    beyond = ~case.valid_steps()
    output = case.time_major(result.output)
    if not output[beyond].any():
        return result
    output = output.copy()
    output[beyond] = 0
    return replace(result, output=case.user_order(output))


def answer(implementation: Implementation, case: Case) -> Result:
    """``implementation.run(case)``; its exceptions become :class:`~conformance.Misbehaviour`.

    So does an answer that is no :class:`Result` of NumPy arrays.
    """
    if type(implementation).__module__ in ADAPTERS:
        with blamed():
            return implementation.run(case)
    called = note(
        "{result} = {implementation}.run({asked})",
        new=("result",),
        case=case,
        implementation=_constructed(implementation),
        asked=case,
    )
    with blamed(), paused():
        result = implementation.run(case)
    called.gave(result)
    if not isinstance(result, Result):
        told = f"run() returned {type(result).__name__}, not a Result"
        raise NoResult(told, untrue("isinstance({it}, Result)", told, it=result))
    for name, array in result.items():
        if not isinstance(array, np.ndarray):
            kind = f"{type(array).__module__}.{type(array).__name__}".removeprefix("builtins.")
            raise NoResult(f"{name} is a {kind}, not a NumPy array")
        bind(array, result, f".{name}")
    return result


def _constructed(implementation: Implementation) -> object:
    """How a script makes the implementation: as it says itself in `constructed`, or without
    arguments; itself, which no script can make, where it takes some."""
    own = getattr(implementation, "constructed", None)
    if isinstance(own, (Text, Origin)):
        return own
    try:
        inspect.signature(type(implementation)).bind()
    except (TypeError, ValueError):
        return implementation
    return Made(Origin.of(type(implementation)))


def checked(result: Result, case: Case) -> Result:
    """`result` itself, if it has the shapes and the dtype that `case` asks for."""
    shapes = documented_shapes(case)
    for name, array in result.items():
        if array.shape != shapes[name]:
            raise WrongAttribute(name, "shape", array.shape, shapes[name], array)
        if array.dtype != case.dtype.numpy:
            raise WrongAttribute(name, "dtype", array.dtype.name, case.dtype.name, array)
    return result


def documented_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """Shapes of output, h_n and c_n as the documentation of ``torch.nn.LSTM`` gives them."""
    return {
        "output": case.output_shape(),
        "h_n": case.state_shape(case.configuration.output_size),
        "c_n": case.state_shape(case.configuration.hidden_size),
    }
