"""What the command is given: an LSTM from a file, an input, states, and results of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.errors import UsageError, unknown
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.parameters import Parameters
from conformance.implementations.layouts import Layout
from conformance.implementations.loading import load
from conformance.judgement.files import arrays, onnx_nodes
from conformance.judgement.files.damaged import listed
from conformance.judgement.files.finding import find
from conformance.judgement.files.found import Found, from_stored
from reference import DTYPES, Array, Case, Configuration, DType, Result
from strategies.tensors import input_shape

STEPS, ROWS, SATURATING = 100, 4, 20.0
"""The size of an input that is drawn, and how much larger the numbers of its last row are."""


def lstms(path: Path, layout: str = "") -> list[Found]:
    """Find every LSTM in a file of weights.

    `layout` describes one that is not PyTorch's. It has the arguments of
    :class:`conformance.HandWritten` that are about parameters, such as ``weight_ih=W,weight_hh=U,
    bias=b,gates=ifog,transposed=True``, with ``+`` between two biases; or it is the place of such
    an adapter, ``file.py:mine``. Raises :class:`UsageError`.
    """
    if arrays.is_onnx(path):
        if layout:
            raise UsageError("--layout: the layout of an ONNX model is that of its operator")
        return onnx_nodes.find(path)
    content = arrays.read(path)
    if not layout:
        return find(content, None, str(path))
    described = _described(layout)
    if isinstance(described, Layout):
        return find(content, described, str(path))
    return _by_names(content, described, str(path))


def _described(layout: str) -> Layout | Parameters:
    """Make a layout, or, where names are given, parameters by those names."""
    if ":" in layout:
        adapter = load(layout)
        if not isinstance(adapter, HandWritten):
            raise UsageError(f"--layout: {layout} is not a conformance.HandWritten")
        return adapter.parameters
    values: dict[str, Any] = {}
    known = ("weight_ih", "weight_hh", "weight_xh", "weight_hx", "bias", "gates", "transposed")
    for part in _split(layout):
        name, _, text = part.partition("=")
        if name not in (*known, "forget_bias", "biases"):
            raise unknown("--layout", name, (*known, "forget_bias", "biases"))
        values[name] = text.strip("\"'")
    try:
        forget_bias = float(values.pop("forget_bias", 0))
        biases = int(values.pop("biases", 2))
    except ValueError:
        raise UsageError("--layout: forget_bias and biases must be numbers") from None
    turned = values.pop("transposed", "")
    gates = values.pop("gates", "ifgo")
    bias = tuple(filter(None, values.pop("bias", "").strip("()").split("+")))
    try:
        if not values:
            return Layout(gates, turned not in ("", "False"), biases, forget_bias)
        mine = HandWritten(
            dict,
            **values,
            bias=bias,
            gates=gates,
            transposed={"": False, "False": False, "True": True}.get(turned, turned),
            forget_bias=forget_bias,
        )
    except ValueError as error:
        raise UsageError(f"--layout: {error}") from None
    return mine.parameters


def _split(text: str) -> list[str]:
    """Split a list at its commas, but not within braces."""
    parts, depth = [""], 0
    for letter in text.replace(" ", ""):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _by_names(content: Mapping[str, Array], parameters: Parameters, where: str) -> list[Found]:
    """Find the LSTMs of one layer whose parameters have the names in `parameters`."""
    wanted = parameters.of(_like(parameters))
    first = next(iter(wanted))
    prefixes = [name.removesuffix(first) for name in content if name.endswith(first)]
    if not prefixes:
        raise UsageError(f"{where} has no {first}, but {listed(content)}")
    found = []
    for prefix in prefixes:
        own: dict[str, Array] = {}
        for name in wanted:
            if prefix + name not in content:
                raise UsageError(f"{where} has no {prefix}{name}")
            own[name] = content[prefix + name]
        try:
            weights = from_stored(parameters.stored(own), parameters.layout)
            configuration = Configuration(
                weights["weight_ih_l0"].shape[1],
                weights["weight_hh_l0"].shape[1],
                bias=bool(parameters.biases),
            )
            shapes = configuration.parameter_shapes()
            strange = [name for name in shapes if weights[name].shape != shapes[name]]
        except (ValueError, KeyError, IndexError):
            strange = [first]
        if strange:
            shown = ", ".join(f"{prefix}{name} {array.shape}" for name, array in own.items())
            raise UsageError(f"{where}: shapes do not fit the layout: {shown}")
        found.append(Found(prefix.rstrip("."), configuration, {n: weights[n] for n in shapes}))
    return found


def _like(parameters: Parameters) -> Case:
    """Make a small case, to learn the names in `parameters`."""
    configuration = Configuration(1, 1, bias=bool(parameters.biases))
    shapes = configuration.parameter_shapes()
    return Case(configuration, {n: np.zeros(s) for n, s in shapes.items()}, np.zeros((1, 1, 1)))


def case_of(
    found: Found,
    dtype: DType,
    given: Mapping[str, Array],
    *,
    batch_first: bool = False,
    device: str = "cpu",
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
            lengths=given.get("lengths"),
            device=device,
            **states,
        )
    except ValueError as error:
        raise UsageError(f"{found.name or 'the LSTM'}: {error}") from None


def inputs(path: str | None, states: str | None) -> dict[str, Array]:
    """Read ``input``, ``lengths``, ``h_0`` and ``c_0`` from one file or two, by name.

    An array alone is the input, whatever its name. Raises :class:`UsageError`.
    """
    given: dict[str, Array] = {}
    if path:
        content = arrays.read(Path(path))
        if len(content) == 1:
            content = {"input": next(iter(content.values()))}
        if "input" not in content:
            raise UsageError(f"{path} has no input, but {listed(content)}")
        given = {n: content[n] for n in ("input", "lengths", "h_0", "c_0") if n in content}
        if given["input"].dtype.kind not in "fV" or given["input"].dtype.name not in DTYPES:
            raise UsageError(f"{path}: input has dtype {given['input'].dtype}")
    if states:
        content = arrays.read(Path(states))
        for name in ("h_0", "c_0"):
            if name not in content:
                raise UsageError(f"{states} has no {name}, but {listed(content)}")
            given[name] = content[name]
    return given


def results(path: str, case: Case) -> list[Result]:
    """Read the results that some program has for `case`: of each layer, or of the top one alone.

    The names are ``output``, ``h_n`` and ``c_n``; without the last two they are not judged. Of the
    layers below the top one ``output_l0``, ``output_l1`` ... are what the next layer was given. A
    final state may lack the axis of layers, if there is one layer in one direction.
    """
    content = arrays.read(Path(path))
    if list(content) == [""] or len(content) == 1:
        content = {"output": next(iter(content.values()))}
    if "output" not in content:
        raise UsageError(f"{path} has no output, but {listed(content)}")
    c = case.configuration
    directions, features = c.num_directions, (c.output_size, c.hidden_size)
    outputs = [content.get(f"output_l{n}") for n in range(c.num_layers - 1)]
    shapes = [case.state_shape(size) for size in features]
    states = [
        _fitted(path, name, content.get(name), shape, case)
        for name, shape in zip(("h_n", "c_n"), shapes, strict=True)
    ]
    top = _fitted(path, "output", content["output"], case.output_shape(), case)
    found = []
    if all(each is not None for each in outputs):
        for n, each in enumerate(outputs):
            output = _fitted(path, f"output_l{n}", each, case.output_shape(), case)
            h_n, c_n = (state[: (n + 1) * directions] for state in states)
            found.append(Result(output, h_n, c_n))
    return [*found, Result(top, states[0], states[1])]


def _fitted(path: str, name: str, array: Array | None, shape: tuple[int, ...], case: Case) -> Array:
    """Give an array the shape and the dtype of the case; NaN stands for one that is missing."""
    if array is None:
        return np.full(shape, np.nan, case.dtype.numpy)
    if array.shape != shape and (
        name not in ("h_n", "c_n") or array.shape != shape[1:] or shape[0] != 1
    ):
        raise UsageError(f"{path}: {name} has shape {array.shape}, should have {shape}")
    with np.errstate(over="ignore"):
        kept = array.astype(case.dtype.numpy)
    if not np.array_equal(kept.astype(np.float64), array.astype(np.float64), equal_nan=True):
        raise UsageError(
            f"{path}: {name} has numbers that {case.dtype.name} does not have; choose by --dtype"
        )
    return kept.reshape(shape)
