"""What it takes to be put under test."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from conformance.failures import Misbehaviour, Mismatch, blamed
from reference import Case, Result
from strategies import Support


@runtime_checkable
class Implementation(Protocol):
    """An LSTM under test: its name, what it supports, and how one case is run.

    Requirements that need what `supports` lacks are not applicable. :meth:`run` computes one
    case from scratch, in eval mode, and returns NumPy arrays of the case's dtype in PyTorch's
    shapes and order. Whatever it raises becomes a verdict.
    """

    name: str
    supports: Support

    def run(self, case: Case) -> Result:
        """The implementation's own result for `case`."""
        ...


def run(implementation: Implementation, case: Case) -> Result:
    """``implementation.run(case)``; its exceptions become :class:`Misbehaviour`.

    Raises :class:`Mismatch` if a shape or dtype is not the documented one, so that a requirement
    can rely on them. What the output holds beyond a row's length is set to zero here: that it is
    zero already is a claim of one requirement, and of no other.
    """
    with blamed(case):
        result = implementation.run(case)
    return without_padding(checked(result, case), case)


def without_padding(result: Result, case: Case) -> Result:
    """`result` with zeros in the output, or in its cotangent, beyond the length of each row."""
    if case.lengths is None:
        return result
    output = case.time_major(result.output).copy()
    output[np.arange(case.seq_len)[:, None] >= case.lengths] = 0
    return replace(result, output=case.user_order(output))


def checked(result: Result, case: Case) -> Result:
    """`result` itself, if it is one and has the shapes and the dtype that `case` asks for."""
    if not isinstance(result, Result):
        raise Misbehaviour(f"run() returned {type(result).__name__}, not a Result", case)
    shapes = documented_shapes(case)
    for name, array in result.items():
        if array.shape != shapes[name]:
            raise Mismatch(f"{name}.shape", "", str(array.shape), str(shapes[name]))
        if array.dtype != case.dtype.numpy:
            raise Mismatch(f"{name}.dtype", "", array.dtype.name, case.dtype.name)
    return result


def documented_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """Shapes of output, h_n and c_n as the documentation of ``torch.nn.LSTM`` gives them."""
    return {
        "output": case.output_shape(),
        "h_n": case.state_shape(case.configuration.output_size),
        "c_n": case.state_shape(case.configuration.hidden_size),
    }
