"""What ``--layout`` describes: how an LSTM that is not PyTorch's stores its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.errors import UsageError, unknown
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.parameters import Parameters
from conformance.implementations.layouts import Layout
from conformance.implementations.loading import load
from conformance.judgement.files.damaged import listed
from conformance.judgement.files.found import Found, from_stored
from reference import Array, Case, Configuration


def described(layout: str) -> Layout | Parameters:
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


def by_names(content: Mapping[str, Array], parameters: Parameters, where: str) -> list[Found]:
    """Find the LSTMs of one layer whose parameters have the names in `parameters`.

    Raises :class:`UsageError` for `parameters` of several layers, and for names or shapes that do
    not fit.
    """
    if len(parameters.layers) > 1:
        several = "--layout is of one layer and direction, and this adapter of several"
        raise UsageError(
            f"{several}: name the parameters of one, such as weight_ih=...,weight_hh=..."
        )
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
