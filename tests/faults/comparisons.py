"""Three other ways of testing an LSTM, each a function that raises where the class fails.

They take a class with the constructor and the call of ``torch.nn.LSTM``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

DRAWS = 100
"""How many random cases are compared: as many as Hypothesis, which Opacus draws with, does."""


def module_info_samples(cls: type[Any]) -> None:
    """The samples that PyTorch ships for ``torch.nn.LSTM``, checked as its own tests check them.

    Of ``test/test_modules.py``, in train and in eval mode, on the 32 samples of
    ``module_inputs_torch_nn_LSTM``: *test_forward* in float32 and float64 (the results against the
    sample's ``reference_fn``, which is the module itself on a batch of one),
    *test_non_contiguous_tensors* in float32 (results and gradients against those of contiguous
    input) and *test_grad* in float64 (gradcheck of the results by input, states and all
    parameters; the same by one parameter at a time is left out). Assertions, tolerances and
    gradcheck are those of ``torch.testing._internal``, which needs the package expecttest.
    """
    from torch.testing._internal.common_modules import module_db

    (info,) = (each for each in module_db if each.module_cls is nn.LSTM)
    for training in (True, False):
        for dtype in (torch.float32, torch.float64):
            for sample in _samples(info, dtype, training, requires_grad=False):
                _check_forward(cls, sample, dtype, training)
        for sample in _samples(info, torch.float32, training, requires_grad=True):
            _check_non_contiguous(cls, sample, torch.float32, training)
        for sample in _samples(info, torch.float64, training, requires_grad=True):
            _check_gradients(cls, sample, torch.float64, training)


def _samples(info: Any, dtype: torch.dtype, training: bool, requires_grad: bool) -> list[Any]:
    torch.manual_seed(0)
    options = {"device": "cpu", "dtype": dtype, "training": training}
    samples: list[Any] = info.module_inputs_func(info, requires_grad=requires_grad, **options)
    return samples


def _built(cls: type[Any], sample: Any, dtype: torch.dtype, training: bool) -> Any:
    torch.manual_seed(1)
    made = sample.constructor_input
    return cls(*made.args, **made.kwargs).to("cpu").to(dtype).train(training)


def _assert_equal() -> Callable[..., None]:
    """That of the class in which the tests are."""
    from torch.testing._internal.common_utils import TestCase

    class Asserting(TestCase):
        precision = 1e-5
        rel_tol = 1e-5

    same: Callable[..., None] = Asserting().assertEqual
    return same


def _flat(nested: Any) -> list[Any]:
    if isinstance(nested, (tuple, list)):
        return [tensor for each in nested for tensor in _flat(each)]
    return [nested]


def _check_forward(cls: type[Any], sample: Any, dtype: torch.dtype, training: bool) -> None:
    module = _built(cls, sample, dtype, training)
    arguments = sample.forward_input.args
    same = _assert_equal()
    same(module(*arguments), sample.reference_fn(module, *arguments))


def _check_non_contiguous(cls: type[Any], sample: Any, dtype: torch.dtype, training: bool) -> None:
    def strided(nested: Any) -> Any:
        if isinstance(nested, tuple):
            return tuple(strided(each) for each in nested)
        spread = torch.repeat_interleave(nested, 2, dim=-1)[..., ::2].detach()
        return spread.requires_grad_(nested.requires_grad)

    same, module = _assert_equal(), _built(cls, sample, dtype, training)
    plain = sample.forward_input.args
    weights = [torch.randn_like(each) for each in _flat(module(*plain))]

    def measured(arguments: Any, cotangents: list[Tensor]) -> tuple[Any, list[Any], list[Any]]:
        leaves = [*_flat(arguments), *module.parameters()]
        for leaf in leaves:
            leaf.grad = None
        results = module(*arguments)
        for result, cotangent in zip(_flat(results), cotangents, strict=True):
            result.backward(cotangent, retain_graph=True)
        given = len(_flat(arguments))
        gradients = [None if leaf.grad is None else leaf.grad.clone() for leaf in leaves]
        return results, gradients[:given], gradients[given:]

    results, by_arguments, by_parameters = measured(plain, weights)
    for arguments in (plain, strided(plain)):
        for cotangents in (weights, [strided(each) for each in weights]):
            again = measured(arguments, cotangents)
            same(again[0], results)
            same(again[1], by_arguments, atol=1e-4, rtol=0)
            same(again[2], by_parameters)


def _check_gradients(cls: type[Any], sample: Any, dtype: torch.dtype, training: bool) -> None:
    from torch.testing._internal.common_utils import freeze_rng_state, gradcheck

    module = _built(cls, sample, dtype, training)
    x, *states = sample.forward_input.args
    leaves = [x, *_flat(states), *module.parameters()]

    def results(x: Tensor, *rest: Tensor) -> list[Any]:
        with freeze_rng_state():
            return _flat(module(x, (rest[0], rest[1])) if states else module(x))

    assert gradcheck(results, leaves)


def random_normal_inputs(cls: type[Any], draws: int = DRAWS) -> None:
    """Comparison with ``torch.nn.LSTM`` on random normal numbers, by assert_close's defaults.

    Over what Opacus draws for its DPLSTM: 1 to 5 rows, 1 to 6 steps, 5 to 10 features, 3 to 7
    hidden units, 1 to 3 layers, one or both directions, biases, batch_first, initial states of
    zeros or not, and rows that are full, packed in order or packed in any order. Compared in
    float32 are output, h_n, c_n and, of all three weighted at random, the gradients by input,
    initial states and every parameter; weights are as ``torch.nn.LSTM`` initialises them.
    """
    rng = np.random.default_rng(0)
    for _ in range(draws):
        torch.manual_seed(int(rng.integers(2**31)))
        sizes = {
            "input_size": int(rng.integers(5, 11)),
            "hidden_size": int(rng.integers(3, 8)),
            "num_layers": int(rng.integers(1, 4)),
        }
        flags = {name: bool(rng.integers(2)) for name in ("bidirectional", "bias", "batch_first")}
        right = nn.LSTM(**sizes, **flags)
        other = cls(**sizes, **flags)
        other.load_state_dict(copy.deepcopy(right.state_dict()))
        rows, steps = int(rng.integers(1, 6)), int(rng.integers(1, 7))
        shape = (rows, steps) if flags["batch_first"] else (steps, rows)
        x = torch.randn(*shape, sizes["input_size"])
        states = torch.randn(
            2, sizes["num_layers"] * (1 + flags["bidirectional"]), rows, sizes["hidden_size"]
        ) * int(rng.integers(2))
        packing = int(rng.integers(3))
        lengths = torch.from_numpy(rng.integers(1, steps + 1, rows))
        lengths[0] = steps
        if packing == 1:
            lengths = lengths.sort(descending=True).values
        seed = int(rng.integers(2**31))
        got, expected = (
            _differentiated(module, x, states, lengths if packing else None, packing == 1, seed)
            for module in (other, right)
        )
        torch.testing.assert_close(got, expected)


def _differentiated(
    module: Any, x: Tensor, states: Tensor, lengths: Tensor | None, ordered: bool, seed: int
) -> list[Tensor]:
    """Results and gradients of a module, in one order."""
    leaves = [each.clone().requires_grad_() for each in (x, *states)]
    sequence: Any = leaves[0]
    if lengths is not None:
        batch_first = module.batch_first
        sequence = pack_padded_sequence(sequence, lengths, batch_first, enforce_sorted=ordered)
    output, (h_n, c_n) = module(sequence, (leaves[1], leaves[2]))
    results = [output.data if isinstance(output, PackedSequence) else output, h_n, c_n]
    generator = torch.Generator().manual_seed(seed)
    weighted = [(each * torch.randn(each.shape, generator=generator)).sum() for each in results]
    torch.stack(weighted).sum().backward()
    gradients = [leaf.grad for leaf in (*leaves, *module.parameters())]
    return [*results, *gradients]


class Node(NamedTuple):
    """One of ONNX's tests of its LSTM operator: constant weights, and input that counts from 1.

    `shape` is (T, N, features), `scales` the weight of each direction, `results` what is compared.
    """

    shape: tuple[int, int, int]
    hidden_size: int
    results: tuple[str, ...]
    scales: tuple[float, ...] = (0.1,)
    bias: float = 0.0
    batch_first: bool = False
    states: bool = False
    reverse: bool = False


NODES = {
    "defaults": Node((1, 3, 2), 3, ("h_n",)),
    "with_initial_bias": Node((1, 3, 3), 4, ("h_n",), bias=0.1),
    "with_peepholes": Node((1, 2, 4), 3, ("h_n",), states=True),
    "batchwise": Node((1, 3, 2), 7, ("output", "h_n"), scales=(0.3,), batch_first=True),
    "reverse": Node((3, 1, 2), 3, ("h_n", "c_n"), reverse=True),
    "bidirectional": Node((3, 1, 2), 3, ("h_n", "c_n"), scales=(0.5, 2.0)),
}


def onnx_node_settings(cls: type[Any]) -> None:
    """The settings of ONNX's six node tests of LSTM, with the tolerance of its runner.

    Since ``torch.nn.LSTM`` has neither, the peepholes of one are zero, and the one in reverse reads
    that half of both directions. Expected is what ``torch.nn.LSTM`` gives.
    """
    for node in NODES.values():
        got, expected = (list(_of_node(each, node)) for each in (cls, nn.LSTM))
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-7)


def _of_node(cls: type[Any], node: Node) -> Iterator[Any]:
    steps, rows, features = node.shape
    scales = node.scales * 2 if node.reverse else node.scales
    both = len(scales) == 2
    x = torch.arange(1.0, 1 + steps * rows * features).reshape(node.shape)
    module = cls(features, node.hidden_size, bidirectional=both, batch_first=node.batch_first)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            scale = scales[name.endswith("_reverse")]
            bias = node.bias if name.startswith("bias_ih") else 0.0
            parameter.fill_(scale if name.startswith("weight") else bias)
        zeros = torch.zeros(len(scales), rows, node.hidden_size)
        x = x.transpose(0, 1) if node.batch_first else x
        output, (h_n, c_n) = module(x, (zeros, zeros)) if node.states else module(x)
    for name in node.results:
        result = {"output": output, "h_n": h_n, "c_n": c_n}[name]
        yield (result[1:] if node.reverse else result).detach().numpy()
