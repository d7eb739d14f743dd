"""The LSTM layers of Keras among named arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from conformance.errors import UsageError
from conformance.implementations.layouts import Layout, Stored
from conformance.judgement.files.found import Found, from_stored, refuse_unfit
from reference import Array, Configuration

LAYOUT = Layout(transposed=True, biases=1)
"""The layout of Keras."""
KERAS = re.compile(
    r"(?P<prefix>.*?)(?P<way>|forward_layer\.|backward_layer\.)cell\.vars\.(?P<nth>\d)"
)
"""The names in a Keras 3 file."""
KERNELS = re.compile(r"(?P<prefix>.*?)(?P<role>recurrent_kernel|kernel|bias)(?::0)?")
"""The names of Keras' variables, as elsewhere in files of arrays."""


def find(arrays: Mapping[str, Array], layout: Layout, where: str) -> Iterator[Found]:
    """Yield the LSTM layers of Keras, which have a kernel, a recurrent kernel and a bias."""
    layers: dict[str, dict[str, dict[str, Array]]] = {}
    for name, array in arrays.items():
        in_file, named = KERAS.fullmatch(name), KERNELS.fullmatch(name)
        if in_file is not None and int(in_file["nth"]) < 3:
            role = ("kernel", "recurrent_kernel", "bias")[int(in_file["nth"])]
            way = in_file["way"]
            layers.setdefault(in_file["prefix"], {}).setdefault(way, {})[role] = array
        elif named is not None:
            layers.setdefault(named["prefix"], {}).setdefault("", {})[named["role"]] = array
    for prefix, ways in layers.items():
        found = [
            each
            for way in sorted(ways, reverse=True)  # forward before backward
            if (each := _direction(ways[way], layout, f"{where}: {prefix}{way}", way)) is not None
        ]
        if len(found) < len(ways):
            continue
        features, size = (found[0][f"weight_{x}_l0"].shape[1] for x in ("ih", "hh"))
        biased = "bias_ih_l0" in found[0]
        configuration = Configuration(features, size, bias=biased, bidirectional=len(ways) == 2)
        parameters = {name: array for each in found for name, array in each.items()}
        names = configuration.parameter_shapes()
        if set(names) == set(parameters):
            ordered = {name: parameters[name] for name in names}
            yield Found(prefix.rstrip("."), configuration, ordered)


def _direction(
    own: Mapping[str, Array], layout: Layout, where: str, way: str
) -> dict[str, Array] | None:
    """Convert the arrays of one direction; None if they are not those of an LSTM."""
    kernel, recurrent = own.get("kernel"), own.get("recurrent_kernel")
    if kernel is None or recurrent is None or kernel.ndim != 2 or recurrent.ndim != 2:
        return None
    turned = layout.transposed
    size = recurrent.shape[0 if turned else 1]
    if sorted(recurrent.shape) != sorted((size, 4 * size)):
        return None  # a GRU, or another layer
    if kernel.shape[1 if turned else 0] != 4 * size:
        raise UsageError(
            f"{where}kernel has shape {kernel.shape}, recurrent_kernel {recurrent.shape}"
        )
    biases = (own["bias"],) if "bias" in own else ()
    if biases:
        refuse_unfit(f"{where}bias", biases[0], (4 * size,))
    suffix = "_l0_reverse" if way.startswith("backward") else "_l0"
    return from_stored(Stored(kernel, recurrent, biases), layout, suffix)
