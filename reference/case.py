"""The question to an LSTM (:class:`Case`), and its answer (:class:`Result`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference.configuration import Configuration
from reference.dtypes import DTYPES, DType

Array = np.ndarray[Any, np.dtype[Any]]

RESULTS = ("output", "h_n", "c_n")
"""The names of the results of an LSTM, in PyTorch's order."""

TOP = "top_h_n"
"""The name of the part of h_n that is of the top layer, where no other part comes back."""


@dataclass(frozen=True, eq=False)
class Case:
    """One call of one LSTM: its configuration, parameters, input and initial states.

    With T time steps, N rows, D directions, L layers, features R = `proj_size` or `hidden_size`:

    - `parameters`: by PyTorch's names, in PyTorch's layout (gates stacked i, f, g, o);
    - `input`: (T, N, input_size), (N, T, input_size) with `batch_first`, (T, input_size) unbatched;
    - `h_0`, `c_0`: (D * L, N, R) and (D * L, N, hidden_size), without N if unbatched; ``None`` for
      both stands for zeros that the implementation has to supply itself;
    - `lengths`: the number of valid steps of each row, (N,), integers in [1, T], or ``None`` if all
      are T. The largest is T; what `input` holds beyond a row's length is padding;
    - `device`: PyTorch's name of the device to compute on;
    - `dtype`: the type of all arrays, derived from `input`.

    Raises :class:`ValueError` if shapes or types do not agree with the configuration.
    """

    configuration: Configuration
    parameters: Mapping[str, Array]
    input: Array
    h_0: Array | None = None
    c_0: Array | None = None
    lengths: Array | None = None
    device: str = "cpu"
    dtype: DType = field(init=False)

    def __post_init__(self) -> None:
        name = self.input.dtype.name
        if name not in DTYPES:
            raise ValueError(f"input has dtype {name}, must be one of {', '.join(DTYPES)}")
        object.__setattr__(self, "dtype", DTYPES[name])
        if self.input.ndim not in (2, 3):
            raise ValueError(f"input must have 2 or 3 dimensions, has shape {self.input.shape}")
        if (self.h_0 is None) != (self.c_0 is None):
            raise ValueError("give both of h_0 and c_0 or neither")
        if self.lengths is not None and not self.batched:
            raise ValueError("lengths need a batched input")
        for what, shape, array in self._expected():
            if array.shape != shape:
                raise ValueError(f"{what} must have shape {shape}, has {array.shape}")
            if array.dtype != self.input.dtype:
                raise ValueError(f"{what} has dtype {array.dtype}, the input {self.input.dtype}")
        if set(self.parameters) != set(self.configuration.parameter_shapes()):
            raise ValueError(
                f"parameters are {sorted(self.parameters)}, the configuration has "
                f"{sorted(self.configuration.parameter_shapes())}"
            )
        if self.seq_len < 1:
            raise ValueError(
                f"input must have at least one time step, has shape {self.input.shape}"
            )
        if self.lengths is not None and (
            not isinstance(self.lengths, np.ndarray)
            or self.lengths.dtype.kind not in "iu"
            or self.lengths.shape != (self.batch_size,)
            or not ((self.lengths >= 1) & (self.lengths <= self.seq_len)).all()
            or self.lengths.max(initial=0) != self.seq_len
        ):
            raise ValueError(
                f"lengths must be {self.batch_size} integers in [1, {self.seq_len}] of which one "
                f"is {self.seq_len}, got {np.asarray(self.lengths).tolist()}"
            )

    @classmethod
    def unchecked(
        cls, configuration: Configuration, parameters: Mapping[str, Array], **parts: Any
    ) -> Case:
        """Make a case of parts that need not fit together, for an LSTM to refuse.

        `parts` are `input` and other fields by name; `dtype` is by default that of `input`. A case
        whose shapes do not fit has no true result.
        """
        case = object.__new__(cls)
        vars(case).update(configuration=configuration, parameters=parameters, **parts)
        if "dtype" not in parts:
            vars(case)["dtype"] = DTYPES[case.input.dtype.name]
        return case

    def _expected(self) -> Iterator[tuple[str, tuple[int, ...], Array]]:
        for name, shape in self.configuration.parameter_shapes().items():
            if name in self.parameters:
                yield name, shape, self.parameters[name]
        yield "input", (*self.input.shape[:-1], self.configuration.input_size), self.input
        if self.h_0 is not None and self.c_0 is not None:
            yield "h_0", self.state_shape(self.configuration.output_size), self.h_0
            yield "c_0", self.state_shape(self.configuration.hidden_size), self.c_0

    @property
    def batched(self) -> bool:
        """Whether the input has a batch dimension."""
        return self.input.ndim == 3

    @property
    def seq_len(self) -> int:
        """T, the number of time steps."""
        return int(self.input.shape[1 if self.batched and self.configuration.batch_first else 0])

    @property
    def batch_size(self) -> int:
        """N, the number of rows; 1 for an unbatched input."""
        if not self.batched:
            return 1
        return int(self.input.shape[0 if self.configuration.batch_first else 1])

    def state_shape(self, features: int) -> tuple[int, ...]:
        """Give the shape of an initial or final state with this number of features."""
        count = self.configuration.num_layers * self.configuration.num_directions
        return (count, self.batch_size, features) if self.batched else (count, features)

    def output_shape(self) -> tuple[int, ...]:
        """Give the shape of the output: that of the input, with D * R features."""
        features = self.configuration.num_directions * self.configuration.output_size
        return (*self.input.shape[:-1], features)

    def valid_steps(self) -> Array:
        """Make a mask (T, N) of the steps within the length of their row."""
        whole = np.full(self.batch_size, self.seq_len)
        within: Array = np.arange(self.seq_len)[:, None] < (
            whole if self.lengths is None else self.lengths
        )
        return within

    def time_major(self, array: Array) -> Array:
        """Reorder an input or output from the case's order of axes to (T, N, features)."""
        if not self.batched:
            return array[:, None]
        return array.swapaxes(0, 1) if self.configuration.batch_first else array

    def user_order(self, array: Array) -> Array:
        """Reorder from (T, N, features) to the case's order, the inverse of :meth:`time_major`."""
        if not self.batched:
            return array[:, 0]
        return array.swapaxes(0, 1) if self.configuration.batch_first else array

    def arguments(self) -> dict[str, Array]:
        """Give the arrays of the call by name: `input` and, if there are any, `h_0` and `c_0`."""
        arrays = {"input": self.input, "h_0": self.h_0, "c_0": self.c_0}
        return {name: array for name, array in arrays.items() if array is not None}

    def initial_states(self) -> tuple[Array, Array]:
        """Give h_0 (D * L, N, R) and c_0 (D * L, N, hidden_size), zeros if the case has none."""
        states = []
        for given, features in (
            (self.h_0, self.configuration.output_size),
            (self.c_0, self.configuration.hidden_size),
        ):
            shape = self.state_shape(features)
            state = np.zeros(shape, self.dtype.numpy) if given is None else given
            states.append(state if self.batched else state[:, None])
        return states[0], states[1]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print a case in short form where Hypothesis would print every field."""
        printer.text(repr(self))

    def __repr__(self) -> str:
        c = self.configuration
        options = [f"{c.input_size}->{c.hidden_size}"]
        options += [f"num_layers={c.num_layers}"] if c.num_layers > 1 else []
        options += [name for name in ("batch_first", "bidirectional") if getattr(c, name)]
        options += [f"proj_size={c.proj_size}"] if c.proj_size else []
        options += [f"dropout={c.dropout}"] if c.dropout else []
        options += [] if c.bias else ["bias=False"]
        options += [f"seq_len={self.seq_len}"]
        options += [f"batch_size={self.batch_size}"] if self.batched else ["unbatched"]
        options += [f"lengths={self.lengths.tolist()}"] if self.lengths is not None else []
        options += [] if self.h_0 is not None else ["no initial state"]
        return f"<LSTM {' '.join(options)} {self.dtype.name} on {self.device}>"


@dataclass(frozen=True, eq=False)
class Result:
    """The results of an LSTM, ``output, (h_n, c_n)``, in PyTorch's shapes and order.

    - `output`: (T, N, D * R), (N, T, D * R) with `batch_first`, (T, D * R) unbatched; zero beyond
      a row's length;
    - `h_n`, `c_n`: (D * L, N, R) and (D * L, N, hidden_size), layer-major, without N if unbatched;
    - `devices`: the device of each of the three, by name, if the implementation reports it.

    A bound on a Result is a Result too: how far each element can be from the true value.
    """

    output: Array
    h_n: Array
    c_n: Array
    devices: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, arrays: Iterable[Array]) -> Result:
        """Make a result of output, h_n and c_n, in this order."""
        output, h_n, c_n = arrays
        return cls(output, h_n, c_n)

    def items(self) -> Iterator[tuple[str, Array]]:
        """Yield the names and the arrays."""
        yield from zip(RESULTS, (self.output, self.h_n, self.c_n), strict=True)

    @property
    def top_h_n(self) -> Array:
        """The states in `h_n` of the top layer, (D, N, R)."""
        directions = self.output.shape[-1] // self.h_n.shape[-1]
        return self.h_n[-directions:]

    def only(self, names: Collection[str], other: float) -> Result:
        """Give the results called `names`, of which :data:`TOP` may be one, and else `other`."""
        kept = Result.of(a if name in names else np.full_like(a, other) for name, a in self.items())
        if TOP in names:
            kept.top_h_n[:] = self.top_h_n
        return kept
