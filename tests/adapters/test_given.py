"""LSTMs are found in files that frameworks write by themselves, and their results are right."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conformance.cli.command import main
from conformance.errors import CONFORMANT, NOT_CONFORMANT, USAGE, UsageError
from conformance.judgement.files.given import lstms
from reference import Array
from tests.support.kernels import made

onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="ONNX Runtime is not installed"
)
keras = pytest.mark.skipif(
    importlib.util.find_spec("keras") is None or importlib.util.find_spec("h5py") is None,
    reason="Keras or h5py is not installed",
)


@onnx
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}, {"bias": False}])
def test_onnx_nodes_are_found_and_judged(options: dict[str, Any], tmp_path: Path) -> None:
    """Each node is a layer, and nodes that feed each other are one LSTM; results are right."""
    from onnxruntime import InferenceSession

    from conformance.implementations.frameworks.onnx_models import lstm_model, model_inputs
    from conformance.requirements.parts import first_layers

    case = made((6, 8, 20, 3), scale=2.0, **options)
    path = tmp_path / "w.onnx"
    path.write_bytes(lstm_model(case).SerializeToString())
    found = lstms(path)
    layers = case.configuration.num_layers
    assert len(found) == (layers + 1 if layers > 1 else 1)
    for name, array in case.parameters.items():
        assert np.array_equal(found[0].parameters[name], array)
    outputs: dict[str, Array] = {}
    for count in range(1, layers + 1):
        cut = first_layers(case, count)
        run = InferenceSession(lstm_model(cut).SerializeToString()).run(None, model_inputs(cut))
        outputs[f"output_l{count - 1}" if count < layers else "output"] = np.asarray(run[0])
    content: dict[str, Any] = {
        **outputs,
        "h_n": np.concatenate(run[1::2]),
        "c_n": np.concatenate(run[2::2]),
    }
    np.savez(tmp_path / "results.npz", **content)
    np.save(tmp_path / "x.npy", case.input)
    words = ["judge", path, "--input", tmp_path / "x.npy"]
    words += ["--expected", tmp_path / "results.npz", "--with", "onnxruntime"]
    assert main(list(map(str, words))) == CONFORMANT
    content["output"] = outputs["output"].copy()
    content["output"][11, 2, 5] += 1e-4
    np.savez(tmp_path / "results.npz", **content)
    assert main(list(map(str, words))) == NOT_CONFORMANT


@onnx
def test_exported_module_is_found_with_weights_that_nodes_make(tmp_path: Path) -> None:
    """Weights are followed through the nodes that reorder them."""
    import onnx as package
    from onnx import helper, numpy_helper

    case = made((3, 4, 2, 1))
    p = case.parameters
    i, f, g, o = np.split(p["weight_ih_l0"], 4)
    hh = np.concatenate([np.split(p["weight_hh_l0"], 4)[nth] for nth in (0, 3, 1, 2)])
    parts = {"io": np.concatenate([i, o]), "fg": np.concatenate([f, g]), "R": hh[None]}
    initializers = [numpy_helper.from_array(array, name) for name, array in parts.items()]
    axes = numpy_helper.from_array(np.array([0]), "axes")
    nodes = [
        helper.make_node("Concat", ["io", "fg"], ["w"], axis=0),
        helper.make_node("Unsqueeze", ["w", "axes"], ["W"]),
        helper.make_node("LSTM", ["X", "W", "R"], ["Y"], name="rnn", hidden_size=4),
    ]
    kind = package.TensorProto.FLOAT
    infos = [helper.make_tensor_value_info(name, kind, None) for name in "XY"]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], [*initializers, axes])
    package.save(helper.make_model(graph), str(tmp_path / "w.onnx"))
    (found,) = lstms(tmp_path / "w.onnx")
    assert np.array_equal(found.parameters["weight_ih_l0"], p["weight_ih_l0"])
    nodes[2].attribute.append(helper.make_attribute("clip", 1.0))
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], [*initializers, axes])
    package.save(helper.make_model(graph), str(tmp_path / "w.onnx"))
    with pytest.raises(UsageError, match=r"rnn has clip=1.0"):
        lstms(tmp_path / "w.onnx")
    (tmp_path / "w.onnx").write_bytes((tmp_path / "w.onnx").read_bytes()[:60])
    with pytest.raises(UsageError, match="is damaged"):
        lstms(tmp_path / "w.onnx")


@keras
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("suffix", ["keras", "weights.h5"])
def test_keras_files_are_found_and_judged(suffix: str, tmp_path: Path) -> None:
    """Layers in one direction and in both; their results are right, in Keras' order of axes."""
    package = keras_package()
    layers = package.layers
    model = package.Sequential(
        [
            package.Input((9, 5)),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.LSTM(4, return_sequences=True),
            layers.GRU(3),
        ]
    )
    path = tmp_path / f"w.{suffix}"
    (model.save if suffix == "keras" else model.save_weights)(str(path))
    found = lstms(path)
    assert [each.configuration.bidirectional for each in found] == [True, False]
    x = np.random.default_rng(0).standard_normal((2, 9, 5)).astype(np.float32)
    output = model.layers[0](x)
    array = output.detach().numpy() if isinstance(output, torch.Tensor) else np.asarray(output)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", array)
    words = ["judge", path, "--lstm", found[0].name, "--order", "batch-first"]
    words += ["--input", tmp_path / "x.npy", "--expected", tmp_path / "y.npy"]
    assert main(list(map(str, words))) == CONFORMANT


@keras
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keras_layers_that_are_other_lstms_are_refused(tmp_path: Path) -> None:
    """One with another activation is named."""
    package = keras_package()
    model = package.Sequential([package.Input((3, 2)), package.layers.LSTM(2, activation="relu")])
    model.save(str(tmp_path / "w.keras"))
    with pytest.raises(UsageError, match=r"lstm.* has activation='relu'"):
        lstms(tmp_path / "w.keras")


def test_results_of_another_language_are_judged(tmp_path: Path) -> None:
    """Numbers that a program wrote as text, as JavaScript does, arrive with all their digits."""
    case = made((3, 4, 6, 2))
    torch.save(dict_of(case.parameters), tmp_path / "w.pt")
    output, _ = lstm_of(case.parameters)(torch.from_numpy(case.input))
    text = json.dumps(output.tolist())
    np.save(tmp_path / "y.npy", np.array(json.loads(text)))
    np.save(tmp_path / "x.npy", case.input)
    words = ["judge", tmp_path / "w.pt", "--input", tmp_path / "x.npy"]
    words += ["--expected", tmp_path / "y.npy"]
    assert main(list(map(str, words))) == CONFORMANT
    np.save(tmp_path / "y.npy", np.array(json.loads(text)) + 1e-12)
    assert main(list(map(str, words))) == USAGE


def keras_package() -> Any:
    """Keras, on a backend that is installed."""
    from conformance.implementations.frameworks.keras_backends import JaxBackend, TorchBackend

    jax = importlib.util.find_spec("jax") is not None
    return (JaxBackend if jax else TorchBackend)("this test").keras


def dict_of(parameters: Any) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in parameters.items()}


def lstm_of(parameters: Any) -> torch.nn.LSTM:
    module = torch.nn.LSTM(3, 4)
    module.load_state_dict(dict_of(parameters))
    return module.requires_grad_(False)
