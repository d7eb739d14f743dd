"""Findings in PyTorch's other ways to run an LSTM, and in Opacus."""

from tests.adapters.findings.finding import Finding

QUANTIZABLE = "https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantizable.LSTM.html"
BOTH = ("torch.ao.nn.quantizable.LSTM", "torch.ao.nn.quantizable.LSTM-forward")

FINDINGS = (
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
        "Opacus broadcasts an initial cell state",
        "fault",
        ("opacus",),
        "A cell state of one row is taken for all rows.",
        """
import torch
from opacus.layers import DPLSTM

output, _ = DPLSTM(1, 1)(torch.zeros(2, 3, 1), (torch.zeros(1, 3, 1), torch.ones(1, 1, 1)))
print("three rows from the cell state of one:", tuple(output.shape))
""",
        "three rows from the cell state of one: (2, 3, 1)",
        "https://opacus.ai/api/dp_rnn.html, DPLSTM: h_0 and c_0 are of shape "
        "[num_layers * num_directions, B, H].",
        requirements=("wrong_state_batch_is_refused",),
    ),
)
