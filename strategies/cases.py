"""Strategies for cases, which hold everything that one call of an LSTM needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import DrawFn, SearchStrategy

from reference import DTYPES, Array, Case, Configuration
from strategies.configurations import configurations
from strategies.lengths import lengths as row_lengths
from strategies.options import Bounds, at_least, bounds, choices, flags, one_of
from strategies.recipes import DATA, NAMES, Recipe, recipes
from strategies.sizes import (
    BATCH_SIZES,
    REAL,
    STEPS,
    affordable,
    affordable_rows,
    apart,
    sizes,
)
from strategies.support import EVERYTHING, Support
from strategies.tame import GRADIENTS, RESULTS, TAME, Limits
from strategies.tensors import PARAMETERS, fill, input_shape, kind, seeds, state_shapes


def lstm_cases(
    support: Support = EVERYTHING,
    *,
    dtypes: Collection[str] | str | None = None,
    devices: Collection[str] | str | None = None,
    bias: bool | None = None,
    batch_first: bool | None = None,
    bidirectional: bool | None = None,
    projection: bool | None = None,
    dropout: bool | None = False,
    states: bool | None = None,
    lengths: bool | None = None,
    batched: bool | None = None,
    input_size: Bounds = (1, 33),
    hidden_size: Bounds = (1, 33),
    num_layers: Bounds = (1, 5),
    seq_len: Bounds = (1, 64),
    batch_size: Bounds = (1, 33),
    weights: Collection[str] = NAMES,
    gradients: bool = False,
    work: int | None = None,
) -> SearchStrategy[Case]:
    """Draw cases that `support` allows.

    - `dtypes`, `devices`: one name or several; by default all that `support` has;
    - `bias`, `batch_first`, `bidirectional`, `projection`, `dropout`: see
      :func:`~strategies.configurations.configurations`;
    - `states`: whether there are initial states;
    - `lengths`: whether rows have different lengths;
    - `batched`: whether the input has a batch dimension;
    - `input_size`, `hidden_size`, `num_layers`, `seq_len`, `batch_size`: the bounds (min, max) of
      each size. A `batch_size` from 0 allows empty batches, if `support` has them;
    - `weights`: the names, in :data:`strategies.recipes.NAMES`, of the recipes for weights and
      biases: ``["saturating"]`` for flat gates, ``["small", "default"]`` for tame ones;
    - `gradients`: whether gradients will be compared, whose bounds grow faster than those of
      results. In dtypes of 16 bits, cases are within :mod:`strategies.tame`;
    - `work`: how many multiplications the products may take. Where it is given, sizes are those of
      networks that are really used, :data:`strategies.sizes.REAL`, and there are fewer steps and
      rows, down to the least that is asked for, where sizes are large.

    An option that is None is drawn, and one that is True or False is fixed. Sizes are usually
    distinct and at most 8, but sometimes one at which kernels switch paths. Tensors are usually
    dense, and initial states are usually not zero. Arrays hold values of the case's dtype and share
    one buffer: copy an array before you write to it.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=10, database=None)
    ... @given(lstm_cases(dtypes="float32", bidirectional=True, num_layers=(2, 3)))
    ... def test_both_directions_have_parameters(case):
    ...     assert "weight_hh_l1_reverse" in case.parameters
    >>> test_both_directions_have_parameters()

    Cases shrink towards sizes of 1, towards tensors that are zero, have few non-zero elements or
    simple numbers, and towards the first of the values that `support` lists. Raises
    :class:`InvalidArgument` if the options cannot be met.
    """
    if 0 in bounds("batch_size", batch_size, least=0) and not support.empty_batch:
        raise InvalidArgument(f"{batch_size=} needs support.empty_batch")
    bounds("seq_len", seq_len)
    ragged = choices("lengths", (False, True)[: 1 + support.lengths], lengths)
    batching = choices("batched", support.batched, batched)
    if ragged == (True,):
        batch_size = at_least("batch_size", batch_size, 1, "lengths=True")
    if ragged == (True,) or 1 not in range(batch_size[0], batch_size[1] + 1):
        reason = "lengths=True" if ragged == (True,) else f"{batch_size=}"
        if True not in batching:
            raise InvalidArgument(f"{reason} needs a batched input, which is not supported")
        batching = (True,)
    return _lstm_cases(
        one_of(
            "dtype and device",
            [
                (dtype, device)
                for device in choices("devices", support.devices, devices)
                for dtype in choices("dtypes", support.dtypes, dtypes)
            ],
        ),
        configurations(
            support,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=batch_first,
            bidirectional=bidirectional,
            projection=projection,
            dropout=dropout,
            real=work is not None,
        ),
        _Rows(
            seq_len,
            batch_size,
            sizes("seq_len", STEPS if work is None else REAL, seq_len),
            sizes("batch_size", BATCH_SIZES if work is None else REAL, batch_size),
            one_of("rows", _rows(batching, ragged)),
            flags("distinct rows", (False, True), often=(1, 3)),
            work,
        ),
        flags("states", choices("states", support.states, states), often=(4, 1)),
        _styles(weights),
        _styles([name for name in weights if name in TAME] or weights),
        {} if work is not None else GRADIENTS if gradients else RESULTS,
        max(num_layers[0], support.min_layers, 2 * (dropout is True)),
        seeds(),
    )


def _styles(weights: Collection[str]) -> dict[str, SearchStrategy[Recipe]]:
    """Strategies for the recipes of all kinds of tensors, those of parameters among `weights`."""
    return {
        **{name: recipes(name, names=DATA) for name in ("input", "h_0", "c_0")},
        **{name: recipes(name, names=weights) for name in PARAMETERS},
    }


@dataclass(frozen=True)
class _Rows:
    """The strategies for numbers of steps and rows, and their bounds."""

    steps_bounds: Bounds
    batch_bounds: Bounds
    steps: SearchStrategy[int]
    batch_sizes: SearchStrategy[int]
    kinds: SearchStrategy[str]
    distinct: SearchStrategy[bool]
    work: int | None

    def draw(
        self, draw: DrawFn, configuration: Configuration, limits: Limits | None
    ) -> tuple[int, int | None, bool]:
        """Draw the number of steps, of rows (None if unbatched), and whether rows are ragged."""
        hidden_size = configuration.hidden_size
        kind_of_rows, distinct = draw(self.kinds), draw(self.distinct)
        seq_len = draw(self.steps)
        batch_size = None if kind_of_rows == "unbatched" else draw(self.batch_sizes)
        if self.work is not None:
            least = self.steps_bounds[0], self.batch_bounds[0]
            steps, rows = affordable_rows(configuration, seq_len, batch_size or 1, self.work, least)
            return steps, batch_size and rows, kind_of_rows == "ragged" and bool(batch_size)
        if limits is not None:
            seq_len = limits.few(seq_len, configuration.num_layers, self.steps_bounds)
            if batch_size:
                batch_size = max(self.batch_bounds[0], min(batch_size, limits.rows))
        taken = {configuration.input_size, hidden_size}
        if distinct:
            seq_len = apart(seq_len, taken, self.steps_bounds)
        seq_len = affordable(seq_len, hidden_size, self.steps_bounds)
        if batch_size:
            if distinct:
                batch_size = apart(batch_size, taken | {seq_len}, self.batch_bounds)
            batch_size = affordable(batch_size, hidden_size, self.batch_bounds)
        return seq_len, batch_size, kind_of_rows == "ragged" and bool(batch_size)


def _rows(batched: tuple[bool, ...], ragged: tuple[bool, ...]) -> list[str]:
    """List the kinds of rows, each as often as it is drawn, the preferred ones first."""
    full = ["full"] * 9 * (False in ragged) + ["ragged"] * 7 * (True in ragged)
    without = ["unbatched"] * 2
    return [row for value in batched for row in (full if value else without)]


@st.composite
def _lstm_cases(
    draw: DrawFn,
    places: SearchStrategy[tuple[str, str]],
    configurations: SearchStrategy[Configuration],
    rows: _Rows,
    states: SearchStrategy[bool],
    styles: Mapping[str, SearchStrategy[Recipe]],
    tame: Mapping[str, SearchStrategy[Recipe]],
    limits_by_dtype: Mapping[str, Limits],
    least_layers: int,
    all_seeds: SearchStrategy[int],
) -> Case:
    dtype, device = draw(places)
    configuration = draw(configurations)
    limits = limits_by_dtype.get(dtype)
    if limits is not None and limits.concern(configuration):
        configuration, styles = limits.shallow(configuration, least_layers), tame
    else:
        limits = None
    seq_len, batch_size, ragged = rows.draw(draw, configuration, limits)
    shapes = configuration.parameter_shapes()
    names = list(shapes)
    shapes["input"] = input_shape(configuration, seq_len, batch_size)
    if draw(states):
        shapes |= state_shapes(configuration, batch_size)
    drawn = {name: draw(styles[name]) for name in dict.fromkeys(map(kind, shapes))}
    arrays = fill(
        shapes,
        drawn,
        hidden_size=configuration.hidden_size,
        seed=draw(all_seeds),
        dtype=DTYPES[dtype],
    )
    valid: Array | None = None
    if ragged and batch_size:
        valid = draw(row_lengths(seq_len=seq_len, batch_size=batch_size))
    return Case(
        configuration,
        {name: arrays[name] for name in names},
        arrays["input"],
        arrays.get("h_0"),
        arrays.get("c_0"),
        valid,
        device,
    )
