"""What the command is given: an LSTM from a file, an input, states, and results of others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.layouts import Layout
from conformance.judgement.files import arrays, layouts, onnx_nodes
from conformance.judgement.files.finding import find
from conformance.judgement.files.found import Found, refuse_unfit
from conformance.recording.text import listed
from reference import RESULTS, Array, Case, DType, Result
from strategies.tensors import input_shape

STEPS, ROWS, SATURATING = 100, 4, 20.0
"""The size of an input that is drawn, and how much larger the numbers of its last row are."""


def lstms(path: Path, layout: str = "") -> list[Found]:
    """Find every LSTM in a file of weights.

    `layout` describes one that is not PyTorch's. It has the arguments of
    :class:`conformance.HandWritten` that are about parameters, such as ``weight_ih=W,weight_hh=U,
    bias=b,gates=ifog,transposed=True``, with ``+`` between two biases or several layers; or it is
    the place of such an adapter, ``file.py:mine``. Raises :class:`UsageError`.
    """
    if arrays.is_onnx(path):
        if layout:
            raise UsageError("--layout: the layout of an ONNX model is that of its operator")
        return onnx_nodes.find(path)
    content = arrays.read(path)
    if not layout:
        return find(content, None, str(path))
    described = layouts.described(layout)
    if isinstance(described, Layout):
        return find(content, described, str(path))
    return layouts.by_names(content, described, str(path))


def case_of(
    found: Found,
    dtype: DType,
    given: Mapping[str, Array],
    *,
    batch_first: bool = False,
    seed: int = 0,
) -> Case:
    """Make a case of an LSTM and what is given: ``input``, ``h_0``, ``c_0``, ``lengths``.

    Numbers are rounded to `dtype`. Without an input :data:`ROWS` rows of :data:`STEPS` steps are
    drawn: standard normal numbers, in the last row so large that gates saturate. Raises
    :class:`UsageError` where shapes do not fit.
    """
    configuration = replace(found.configuration, batch_first=batch_first)

    def cast(array: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array).astype(dtype.numpy)

    if "input" in given:
        x = given["input"]
    else:
        shape = input_shape(replace(configuration, batch_first=False), STEPS, ROWS)
        x = np.random.default_rng(seed).standard_normal(shape)
        x[:, -1] *= SATURATING
        x = x.swapaxes(0, 1) if batch_first else x
    states = {name: cast(given[name]) for name in ("h_0", "c_0") if name in given}
    try:
        return Case(
            configuration,
            {name: cast(array) for name, array in found.parameters.items()},
            cast(x),
            states.get("h_0"),
            states.get("c_0"),
            given.get("lengths"),
        )
    except ValueError as error:
        raise UsageError(f"{found.name or 'the LSTM'}: {error}") from None


STATES = ("h_0", "c_0")
INPUTS = ("input", "lengths", *STATES)
"""The names in a file of inputs."""


def inputs(path: str | None, states: str | None) -> dict[str, Array]:
    """Read ``input``, ``lengths``, ``h_0`` and ``c_0`` from one file or two, by name.

    An array alone is the input, unless it has another of these names. Raises :class:`UsageError`.
    """
    given: dict[str, Array] = {}
    if path:
        content = _content(path, "input", INPUTS)
        given = {name: content[name] for name in INPUTS if name in content}
    if states:
        content = arrays.read(Path(states))
        for name in STATES:
            if name not in content:
                raise UsageError(f"{states} has no {name}, but {listed(content)}")
            given[name] = content[name]
    for name in given:
        if name != "lengths":
            of = states if name in STATES and states else path
            refuse_unfit(f"{of}: {name}", given[name])
    return given


def _content(path: str, wanted: str, names: Collection[str]) -> dict[str, Array]:
    """Read a file that must have the array called `wanted`, which one array alone is."""
    content = arrays.read(Path(path))
    if len(content) == 1 and not set(content) & set(names):
        content = {wanted: next(iter(content.values()))}
    if wanted not in content:
        raise UsageError(f"{path} has no {wanted}, but {listed(content)}")
    return content


def results(path: str, case: Case) -> tuple[list[Result], set[str]]:
    """Read the results that some program has for `case`: of each layer, or of the top one alone.

    The names are ``output``, ``h_n`` and ``c_n``; without the last two they are not judged. Of the
    layers below the top one ``output_l0``, ``output_l1`` ... are what the next layer was given. A
    final state may lack the axis of layers, if there is one layer in one direction. The names of
    the results that are there come second.
    """
    c = case.configuration
    lower = [f"output_l{n}" for n in range(c.num_layers - 1)]
    content = _content(path, "output", (*RESULTS, *lower))
    for name in content:
        if name.startswith("output_l") and name not in lower:
            raise UsageError(
                f"{path}: {name} is not of a layer below the top one of {c.num_layers}"
            )
    given = [name for name in lower if name in content]
    if given and given != lower:
        missing = next(name for name in lower if name not in content)
        raise UsageError(f"{path} has no {missing}, but {listed(content)}")
    sizes = dict(zip(RESULTS[1:], (c.output_size, c.hidden_size), strict=True))
    h_n, c_n = (
        _fitted(path, name, content.get(name), case.state_shape(size), case)
        for name, size in sizes.items()
    )
    outputs = [
        _fitted(path, name, content[name], case.output_shape(), case) for name in (*given, "output")
    ]
    first = 1 if given else c.num_layers
    counts = (number * c.num_directions for number in range(first, c.num_layers + 1))
    found = [
        Result(output, h_n[:count], c_n[:count])
        for output, count in zip(outputs, counts, strict=True)
    ]
    return found, set(content) & set(RESULTS)


def _exchanged(array: Array, shape: tuple[int, ...], case: Case) -> str:
    """Say that steps and rows are exchanged, if the shape of a result shows that, "" otherwise."""
    first, second, features = shape if case.batched else (0, 0, 0)
    of_state = second == case.batch_size and (first, second) != (case.seq_len, case.batch_size)
    turned = (first, case.seq_len) if of_state else (second, first)
    if array.shape != (*turned, features):
        return ""
    return (
        f": with {case.seq_len} steps and {case.batch_size} rows in the input, steps and rows are "
        "exchanged; --order says which comes first"
    )


def _fitted(path: str, name: str, array: Array | None, shape: tuple[int, ...], case: Case) -> Array:
    """Give an array the shape and the dtype of the case; NaN stands for one that is missing."""
    if array is None:
        return np.full(shape, np.nan, case.dtype.numpy)
    alone = name in ("h_n", "c_n") and (1, *array.shape) == shape
    hint = _exchanged(array, shape, case)
    refuse_unfit(f"{path}: {name}", array, None if alone else shape, hint)
    with np.errstate(over="ignore"):
        kept = array.astype(case.dtype.numpy)
    if not np.array_equal(kept.astype(np.float64), array.astype(np.float64), equal_nan=True):
        raise UsageError(
            f"{path}: {name} has numbers that {case.dtype.name} does not have; choose by --dtype"
        )
    return kept.reshape(shape)
