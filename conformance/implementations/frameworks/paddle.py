"""PaddlePaddle: ``paddle.nn.LSTM``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import paddle

from conformance.implementations.implementation import without_padding
from reference import Array, Case, Result
from strategies import Support


class PaddleLSTM:
    """``paddle.nn.LSTM`` on the CPU with biases.

    Its parameters are in PyTorch's layout and order, except that a projection is transposed.
    """

    name = "paddle"
    supports = Support(
        dtypes=("float64", "float32"),
        bias=(True,),
        batched=(True,),
        dropout=False,
        hands_on_arrays=True,
    )

    def run(self, case: Case) -> Result:
        """Compute `case`."""
        leaves = {name: paddle.to_tensor(array) for name, array in case.arguments().items()}
        with paddle.no_grad():
            return Result.of(each.numpy() for each in call(case, network(case), leaves))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent."""
        leaves = {
            name: paddle.to_tensor(array, stop_gradient=False)
            for name, array in case.arguments().items()
        }
        lstm = network(case)
        lstm.train()
        results = call(case, lstm, leaves)
        weights = [paddle.to_tensor(a) for _, a in without_padding(cotangents, case).items()]
        leaves.update(zip(case.parameters, trained(lstm), strict=True))
        found = paddle.grad(results, list(leaves.values()), weights)
        gradients = {name: each.numpy() for name, each in zip(leaves, found, strict=True)}
        return {n: a.T if n.startswith("weight_hr") else a for n, a in gradients.items()}


class PaddleWithoutBias(PaddleLSTM):
    """:class:`PaddleLSTM` with ``bias_ih_attr=False`` and ``bias_hh_attr=False``."""

    name = "paddle-without-bias"
    supports = replace(PaddleLSTM.supports, bias=(False,))


def network(case: Case) -> Any:
    """Build a layer with the case's configuration and parameters, in eval mode."""
    c = case.configuration
    bias = None if c.bias else False
    paddle.set_default_dtype(case.dtype.name)
    lstm = paddle.nn.LSTM(
        c.input_size,
        c.hidden_size,
        c.num_layers,
        direction="bidirect" if c.bidirectional else "forward",
        time_major=not c.batch_first,
        bias_ih_attr=bias,
        bias_hh_attr=bias,
        proj_size=c.proj_size,
    )
    for (name, array), own in zip(case.parameters.items(), trained(lstm), strict=True):
        own.set_value(array.T if name.startswith("weight_hr") else array)
    lstm.eval()
    return lstm


def trained(lstm: Any) -> list[Any]:
    """List the layer's trainable parameters in the order of the case's parameters.

    A layer without biases has biases that are zero and not trainable.
    """
    return [parameter for parameter in lstm.parameters() if not parameter.stop_gradient]


def call(case: Case, lstm: Any, leaves: Mapping[str, Any]) -> list[Any]:
    """Call the layer with `leaves`, input and states; returns output, h_n and c_n."""
    states = (leaves["h_0"], leaves["c_0"]) if "h_0" in leaves else None
    lengths = None if case.lengths is None else paddle.to_tensor(case.lengths)
    output, (h_n, c_n) = lstm(leaves["input"], states, lengths)
    return [output, h_n, c_n]
