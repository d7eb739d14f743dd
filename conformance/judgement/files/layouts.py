"""What ``--layout`` describes: how an LSTM that is not PyTorch's stores its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.errors import UsageError, unknown
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.layouts import Layout
from conformance.implementations.loading import load
from conformance.judgement.files.found import Found, from_stored
from conformance.recording.text import listed
from reference import Array

FLAGS = ("transposed", "bidirectional", "interleaved")
KNOWN = ("weight_ih", "weight_hh", "weight_xh", "weight_hx", "bias", "gates", "layers", *FLAGS)


def described(layout: str) -> Layout | HandWritten:
    """Make a layout, or, where names are given, an adapter by those names."""
    if ":" in layout:
        adapter = load(layout)
        if not isinstance(adapter, HandWritten):
            raise UsageError(f"--layout: {layout} is not a conformance.HandWritten")
        return adapter
    values: dict[str, Any] = {}
    for part in _split(layout):
        name, _, text = part.partition("=")
        if name not in (*KNOWN, "forget_bias", "biases"):
            raise unknown("--layout", name, (*KNOWN, "forget_bias", "biases"))
        values[name] = text.strip("\"'")
    try:
        forget_bias = float(values.pop("forget_bias", 0))
        biases = int(values.pop("biases", 2))
    except ValueError:
        raise UsageError("--layout: forget_bias and biases must be numbers") from None
    gates = values.pop("gates", "ifgo")
    rest: dict[str, Any] = {name: _flag(values.pop(name, "False")) for name in FLAGS}
    rest |= {name: _named(values.pop(name, "")) for name in ("bias", "layers")}
    try:
        if not values:
            return Layout(gates, bool(rest["transposed"]), biases, forget_bias)
        return HandWritten(dict, **values, **rest, gates=gates, forget_bias=forget_bias)
    except ValueError as error:
        raise UsageError(f"--layout: {error}") from None


def _flag(text: str) -> bool | str:
    return {"": False, "False": False, "True": True}.get(text, text)


def _named(text: str) -> tuple[str, ...]:
    """Read a tuple of names, or names with ``+`` between them."""
    names = re.split("[+,]", text.strip("()"))
    return tuple(name.strip("\"'") for name in names if name)


def _split(text: str) -> list[str]:
    """Split a list at its commas, but not within braces or parentheses."""
    parts, depth = [""], 0
    for letter in text.replace(" ", ""):
        depth += {"{": 1, "}": -1, "(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def by_names(content: Mapping[str, Array], adapter: HandWritten, where: str) -> list[Found]:
    """Find the LSTMs whose parameters have the names in `adapter`, in all its layers.

    Raises :class:`UsageError` for names or shapes that do not fit.
    """
    parameters = adapter.parameters
    wanted = parameters.of(adapter.small_case())
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
            weights = _weights(own, adapter)
            configuration = replace(
                adapter.small,
                input_size=weights["weight_ih_l0"].shape[1],
                hidden_size=weights["weight_hh_l0"].shape[1],
                batch_first=False,
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


def _weights(own: Mapping[str, Array], adapter: HandWritten) -> dict[str, Array]:
    """Convert the parameters in `own` to PyTorch's; biases beyond the second are added to it."""
    weights: dict[str, Array] = {}
    parameters = adapter.parameters
    for layer, suffix in zip(parameters.layers, adapter.small.suffixes(), strict=True):
        weights |= from_stored(parameters.stored(own, layer), parameters.layout, suffix)
        for each in parameters.biases[2:]:
            alone = replace(parameters, biases=(each,)).stored(own, layer)
            more = from_stored(alone, replace(parameters.layout, forget_bias=0.0), suffix)
            weights[f"bias_hh{suffix}"] = weights[f"bias_hh{suffix}"] + more[f"bias_ih{suffix}"]
    return weights
