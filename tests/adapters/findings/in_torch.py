"""Findings in PyTorch's other ways to run an LSTM, and in Opacus."""

from tests.adapters.findings.finding import Finding

QUANTIZABLE = "https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantizable.LSTM.html"
OPACUS = "https://opacus.ai/api/dp_rnn.html, DPLSTM"
BOTH = ("torch.ao.nn.quantizable.LSTM", "torch.ao.nn.quantizable.LSTM-forward")

FINDINGS = (
    Finding(
        "torch.compile leaves an LSTM as it is, and does not say so",
        "avoided",
        ("torch.compile",),
        "Dynamo breaks its graph at the module and runs it eagerly. The adapter sets "
        "`torch._dynamo.config.allow_rnn` and asks for one graph.",
        """
import torch

module = torch.nn.Sequential(torch.nn.LSTM(1, 1))
print("graphs:", torch._dynamo.explain(module)(torch.zeros(1, 1, 1)).graph_count)
""",
        "graphs: 0",
        "https://docs.pytorch.org/docs/stable/generated/torch.compile.html: optimizes given "
        "model/function using TorchDynamo and specified backend.",
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM cannot be bidirectional in several layers",
        "fault",
        BOTH[:1],
        "Its upper layers are made for the output of one direction, and given that of both.",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(2, 2, num_layers=2, bidirectional=True)
try:
    lstm(torch.zeros(1, 1, 2))
except RuntimeError as error:
    print(error)
""",
        "mat1 and mat2 shapes cannot be multiplied",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM.",
        saying=("size mismatch for layers.1",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM starts from float32 states in any dtype",
        "fault",
        BOTH,
        "Without initial states it makes zeros in float32, which a module in another dtype does "
        "not take.",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(1, 1).double()
try:
    lstm(torch.zeros(1, 1, 1, dtype=torch.float64))
except RuntimeError as error:
    print(error)
""",
        "must have the same dtype",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM.",
        saying=("to have the same dtype", "must have the same dtype"),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM has parameters of its own, in an order of its own",
        "declared",
        BOTH,
        "Weight and bias of the input's part of each cell come before those of the state's.",
        """
import torch

print(*list(torch.ao.nn.quantizable.LSTM(1, 1).state_dict())[:2])
""",
        "layers.0.layer_fw.cell.igates.weight layers.0.layer_fw.cell.igates.bias",
        f"{QUANTIZABLE}, variables: layers, instances of the _LSTMLayer.",
        requirements=("state_dict_is_as_documented",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM is initialised as Linear is",
        "fault",
        BOTH,
        "The weights of the input's part are uniform within 1 / sqrt(input_size), not "
        "1 / sqrt(hidden_size).",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(10000, 1)
weight = lstm.state_dict()["layers.0.layer_fw.cell.igates.weight"]
print("largest weight below 1 / 100:", bool(weight.abs().max() <= 0.01))
""",
        "largest weight below 1 / 100: True",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM, whose "
        "weights are uniform within 1 / sqrt(hidden_size).",
        requirements=("initial_parameters_are_uniform",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM accepts sizes that are not positive",
        "undocumented",
        BOTH,
        "As torch.nn.LSTMCell does, and torch.nn.LSTM does not.",
        """
import torch

print("accepted: hidden_size", torch.ao.nn.quantizable.LSTM(1, 0).hidden_size)
""",
        "accepted: hidden_size 0",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM, which "
        "refuses them.",
        requirements=("sizes_that_are_not_positive_are_refused",),
    ),
    Finding(
        "Opacus returns float32 states for packed input of any dtype",
        "fault",
        ("opacus",),
        "The final states of a packed batch are copied into tensors of the default dtype.",
        """
import torch
from opacus.layers import DPLSTM
from torch.nn.utils.rnn import pack_sequence

packed = pack_sequence([torch.zeros(1, 1, dtype=torch.float64)])
_, (h_n, c_n) = DPLSTM(1, 1).double()(packed)
print("float64 gives", h_n.dtype, c_n.dtype)
""",
        "float64 gives torch.float32 torch.float32",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        saying=("n.dtype = float32",),
    ),
    Finding(
        "Opacus broadcasts initial states, and takes them without their batch dimension",
        "fault",
        ("opacus",),
        "A cell state of one row is taken for all rows, one of one unit for all units.",
        """
import torch
from opacus.layers import DPLSTM

output, _ = DPLSTM(1, 1)(torch.zeros(2, 3, 1), (torch.zeros(1, 3, 1), torch.ones(1, 1, 1)))
print("three rows from the cell state of one:", tuple(output.shape))
""",
        "three rows from the cell state of one: (2, 3, 1)",
        f"{OPACUS}, forward: initial states are of shape [L*P, B, H].",
        requirements=(
            "wrong_state_batch_is_refused",
            "wrong_state_features_are_refused",
            "wrong_state_rank_is_refused",
        ),
    ),
    Finding(
        "Opacus applies dropout within the recurrence, and to the last layer",
        "fault",
        ("opacus",),
        "The hidden state of every layer is dropped from at every step, before the next step "
        "starts from it; so is that of a single layer.",
        """
import torch
from opacus.layers import DPLSTM

output, _ = DPLSTM(1, 100, dropout=0.5).train()(torch.ones(1, 1, 1))
print("of a single layer some are dropped:", bool((output == 0).any()))
""",
        "of a single layer some are dropped: True",
        f"{OPACUS}, dropout; the module's own warning says that it adds dropout after all but the "
        "last recurrent layer.",
        requirements=(
            "dropout_spares_a_single_layer",
            "full_dropout_cuts_layers_apart",
            "survivors_are_scaled",
            "dropout_rate_is_p",
        ),
    ),
    Finding(
        "Opacus orders its parameters otherwise",
        "undocumented",
        ("opacus",),
        "In its state_dict each bias follows its weight, where PyTorch has the weights first; the "
        "names are PyTorch's.",
        """
from opacus.layers import DPLSTM

print(*DPLSTM(1, 1).state_dict())
""",
        "weight_ih_l0 bias_ih_l0 weight_hh_l0 bias_hh_l0",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        requirements=("state_dict_is_as_documented",),
    ),
    Finding(
        "Opacus accepts num_layers=0",
        "undocumented",
        ("opacus",),
        "As it does other sizes that are not positive.",
        """
from opacus.layers import DPLSTM

print("accepted: num_layers", DPLSTM(1, 1, num_layers=0).num_layers)
""",
        "accepted: num_layers 0",
        f"{OPACUS}, num_layers: number of recurrent layers.",
        requirements=("sizes_that_are_not_positive_are_refused",),
    ),
)
