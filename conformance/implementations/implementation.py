"""The protocol of an implementation under test, and how its answer to a case is checked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from conformance.implementations.failures import WrongAttribute, blamed
from conformance.implementations.handing import handed
from conformance.implementations.plain import dtype_of, gradients_of, result_of
from conformance.recording.noting import note, paused
from conformance.recording.operands import Made, Origin, Text
from reference import Array, Case, Precision, Result
from strategies import Support

if TYPE_CHECKING:
    from typing_extensions import TypeIs

ADAPTERS = ("conformance.implementations.pytorch.modules",)
"""Modules whose implementations record by themselves what they do."""


@runtime_checkable
class Implementation(Protocol):
    """An LSTM under test: its name, what it supports, and how one case is run.

    A requirement that needs what `supports` lacks is not applicable. An exception that :meth:`run`
    raises becomes a verdict. Further attributes are optional:

    - `precision`: a :class:`reference.Precision`, if the arithmetic is not the dtype's own;
    - `version`: a text for reports;
    - `constructed`: an operand that makes the implementation in a script;
    - `gradients`: the method of :class:`Differentiable`.
    """

    name: str
    supports: Support

    def run(self, case: Case) -> Result:
        """Compute `case` from scratch, in eval mode.

        Returns NumPy arrays of the case's dtype, in PyTorch's shapes and order. They are copied at
        once. The arrays of the case must hold the same numbers as before.
        """


class Differentiable(Implementation, Protocol):
    """An implementation with gradients; ``supports.gradients`` must be True as well."""

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent.

        The names are ``input``, ``h_0``, ``c_0`` and PyTorch's names of the parameters; shapes and
        dtype are those of the case's arrays. A gradient that is left out is not verified.
        """


def is_differentiable(implementation: Implementation) -> TypeIs[Differentiable]:
    """Return whether `implementation` has the method of :class:`Differentiable`."""
    return hasattr(implementation, "gradients")


def precision(implementation: Implementation) -> Precision:
    """Return the arithmetic that `implementation` declares, by default the dtype's own."""
    declared: Precision = getattr(implementation, "precision", Precision())
    return declared


def run(implementation: Implementation, case: Case) -> Result:
    """Run `case` and check that the result has the documented shapes and the case's dtype.

    Raises :class:`Misbehaviour` if there is no result, and :class:`WrongAttribute` for a wrong
    shape or dtype. The output beyond each row's length is set to zero: one requirement alone claims
    that it is zero already, and the others must not fail for that.
    """
    return without_padding(checked(answer(implementation, case), case), case)


def without_padding(result: Result, case: Case) -> Result:
    """Set the output of `result`, or its cotangent, to zero beyond the length of each row."""
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
    """Call ``implementation.run(case)``, and take the result as plain arrays.

    Raises :class:`~conformance.Misbehaviour` if the call raises an exception, or returns something
    else than a :class:`Result` of NumPy arrays.
    """
    if type(implementation).__module__ in ADAPTERS:
        with blamed():
            return implementation.run(case)
    called = note(
        "{result} = {implementation}.run({asked})",
        new=("result",),
        case=case,
        implementation=operand(implementation) or implementation,
        asked=case,
    )
    with blamed():
        with paused(), handed(case) as given:
            result = implementation.run(given)
        called.gave(result)
        plain = result_of(result)
        called.gave(plain)
        return plain


def offered_gradients(
    implementation: Differentiable, case: Case, cotangents: Result
) -> dict[str, Array]:
    """Call ``implementation.gradients``, and take what it returns as plain arrays by name.

    Raises :class:`~conformance.Misbehaviour` if the call raises an exception or returns something
    else, and :class:`WrongAttribute` for a gradient with a wrong shape or dtype.
    """
    with blamed():
        with handed(case, cotangents) as given:
            found = implementation.gradients(given, cotangents)
        return gradients_of(found, case)


def operand(implementation: Implementation) -> object:
    """Find an operand that makes the implementation in a script.

    It is the attribute `constructed`, or a call of the class without arguments. If the class needs
    arguments there is none.
    """
    own = getattr(implementation, "constructed", None)
    if isinstance(own, (Text, Origin, Made)):
        return own
    try:
        inspect.signature(type(implementation)).bind()
    except (TypeError, ValueError):
        return None
    return Made(Origin.of(type(implementation)))


def checked(result: Result, case: Case) -> Result:
    """Return `result`; raise :class:`WrongAttribute` if a shape or dtype does not fit `case`."""
    shapes = documented_shapes(case)
    for name, array in result.items():
        if array.shape != shapes[name]:
            raise WrongAttribute(name, "shape", array.shape, shapes[name], array)
        if array.dtype != case.dtype.numpy:
            raise WrongAttribute(name, "dtype", dtype_of(array), case.dtype.name, array)
    return result


def documented_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """Give the shapes of output, h_n and c_n from the documentation of ``torch.nn.LSTM``."""
    return {
        "output": case.output_shape(),
        "h_n": case.state_shape(case.configuration.output_size),
        "c_n": case.state_shape(case.configuration.hidden_size),
    }
