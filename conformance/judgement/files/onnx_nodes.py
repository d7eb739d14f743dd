"""The LSTM nodes of an ONNX model, at any depth, with the weights that the model itself has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from conformance.errors import UsageError, require
from conformance.implementations.layouts import Layout, Stored
from conformance.judgement.files.arrays import refused
from conformance.judgement.files.found import Found, from_stored, refuse_unfit, stacked
from reference import Array, Configuration

LAYOUT = Layout(gates="iofg")
"""The layout of the LSTM operator: https://onnx.ai/onnx/operators/onnx__LSTM.html."""

FOLDED = {"Identity", "Unsqueeze", "Squeeze", "Concat", "Slice", "Transpose", "Reshape", "Cast"}
"""The operators through which weights are followed to where a node takes them."""

REORDERING = {"Identity", "Unsqueeze", "Squeeze", "Transpose", "Reshape", "Dropout"}
"""The operators that leave the numbers of an output as they are."""

ACTIVATIONS = ["Sigmoid", "Tanh", "Tanh"]


def find(path: Path) -> list[Found]:
    """Find every LSTM node of a model whose weights are initializers or constants.

    Each node is a layer, called by its name, or by its first output. Nodes that only reorder the
    output between two of them make these the layers of one LSTM as well, which is called by the
    first and the last. Raises :class:`UsageError` if
    onnx is missing, if the file is damaged, or if a node is not the LSTM, as with peepholes.
    """
    require(str(path), "onnx", "onnx")
    import onnx

    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    with refused(path):
        model = onnx.load(str(path))
        nodes = list(_of_graph(model.graph, {}, list(model.opset_import), str(path)))
    return [*_chains(nodes), *(node.found for node in nodes)]


class Node(NamedTuple):
    """An LSTM node: what was found, and that whose output is its input, if any."""

    found: Found
    below: Found | None


def _of_graph(
    graph: Any, outer: Mapping[str, Array], opsets: list[Any], where: str
) -> Iterator[Node]:
    """Yield the LSTMs of a graph and of the graphs in its nodes, which see what it knows."""
    from onnx import numpy_helper

    known = dict(outer)
    known |= {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    origin: dict[str, Found] = {}
    for node in graph.node:
        if node.op_type == "Constant":
            values = [each.t for each in node.attribute if each.name == "value"]
            known[node.output[0]] = numpy_helper.to_array(values[0]) if values else np.array(0)
        elif node.op_type in FOLDED and all(name in known for name in node.input if name):
            known |= _folded(node, known, opsets)
        elif node.op_type == "LSTM":
            found = _of_node(node, known, where)
            if found is not None:
                yield Node(found, origin.get(node.input[0]))
                origin[node.output[0]] = found
        elif node.op_type in REORDERING and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _of_graph(attribute.g, known, opsets, where)


def _chains(nodes: list[Node]) -> Iterator[Found]:
    """Yield the LSTMs whose layers are nodes that feed each other."""
    above = {id(node.below): node for node in nodes if node.below is not None}
    for lowest in nodes:
        chain, node = [lowest.found], above.get(id(lowest.found))
        while lowest.below is None and node is not None:
            chain.append(node.found)
            node = above.get(id(node.found))
        whole = stacked(f"{chain[0].name}..{chain[-1].name}", chain)
        if whole is not None:
            yield whole


def _folded(node: Any, known: Mapping[str, Array], opsets: list[Any]) -> dict[str, Array]:
    """Compute a node of which every input is known, by ONNX's own evaluator."""
    import onnx
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    given = {name: known[name] for name in node.input if name}
    kinds = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in given.items()}
    inputs = [helper.make_tensor_value_info(name, kind, None) for name, kind in kinds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "folded", inputs, outputs)
    model = helper.make_model(graph, opset_imports=opsets)
    results = ReferenceEvaluator(model).run(None, given)
    return dict(zip(node.output, map(np.asarray, results), strict=True))


def _of_node(node: Any, known: Mapping[str, Array], where: str) -> Found | None:
    """Make an LSTM of a node; None if its weights come from elsewhere."""
    from onnx import helper

    name = node.name or node.output[0]
    given = [*node.input, *[""] * (8 - len(node.input))]
    if given[1] not in known or given[2] not in known:
        return None
    options = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    direction = options.get("direction", b"forward").decode()
    directions = 2 if direction == "bidirectional" else 1
    peepholes = known.get(given[7])
    used = [each.decode() for each in options.get("activations", [])]
    strange = [
        text
        for text, true in (
            (f"activations {used}", used not in ([], ACTIVATIONS * directions)),
            (f"clip={options.get('clip')}", bool(options.get("clip"))),
            ("input_forget=1", bool(options.get("input_forget"))),
            ("peepholes", bool(given[7]) and (peepholes is None or bool(peepholes.any()))),
            (f"direction={direction} alone", direction not in ("forward", "bidirectional")),
        )
        if true
    ]
    if strange:
        raise UsageError(f"{where}: {name} has {strange[0]}, which is not the LSTM judged here")
    w, r = known[given[1]], known[given[2]]
    if given[3] and given[3] not in known:
        raise UsageError(f"{where}: {name} takes B, {given[3]}, from outside the file")
    b = known.get(given[3])
    hidden = int(options.get("hidden_size", r.shape[-1]))
    shapes: dict[str, tuple[Array, tuple[int, ...]]] = {
        "W": (w, (directions, 4 * hidden, w.shape[-1])),
        "R": (r, (directions, 4 * hidden, hidden)),
    }
    if b is not None:
        shapes["B"] = b, (directions, 8 * hidden)
    for which, (array, shape) in shapes.items():
        refuse_unfit(f"{where}: {which} of {name}", array, shape)
    configuration = Configuration(
        w.shape[-1], hidden, bias=b is not None, bidirectional=directions == 2
    )
    parameters: dict[str, Array] = {}
    for at, suffix in enumerate(configuration.suffixes()):
        biases = () if b is None else tuple(np.split(b[at], 2))
        parameters |= from_stored(Stored(w[at], r[at], biases), LAYOUT, suffix)
    return Found(
        name, configuration, {key: parameters[key] for key in configuration.parameter_shapes()}
    )
