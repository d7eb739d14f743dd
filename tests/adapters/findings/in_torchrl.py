"""Findings in torchrl."""

from tests.adapters.findings.finding import Finding

FINDINGS = (
    Finding(
        "torchrl's LSTM takes states of other shapes",
        "fault",
        ("torchrl", "torchrl-cell"),
        "States of one row, of one feature, of one layer too few or without the axis of rows are "
        "broadcast or cut, which torch.nn.LSTM refuses; a cell takes one tensor for the pair.",
        """
import torch
from torchrl.modules import LSTM, LSTMCell

x, state = torch.zeros(3, 1, 1), torch.ones(1, 1, 1)
print("three rows from the states of one:", LSTM(1, 1)(x, (state, state))[0].shape)
print("and in the cell:", LSTMCell(1, 1)(x[:, 0], (state[0], state[0]))[0].shape)
""",
        "three rows from the states of one: torch.Size([3, 1, 1])\n"
        "and in the cell: torch.Size([3, 1])",
        "https://docs.pytorch.org/rl/stable/reference/generated/torchrl.modules.LSTM.html: the "
        "module behaves exactly like torch.nn.LSTM.",
        requirements=(
            "wrong_state_features_are_refused",
            "wrong_state_batch_is_refused",
            "wrong_state_layers_are_refused",
            "wrong_state_rank_is_refused",
            "single_state_tensor_is_refused",
        ),
    ),
    Finding(
        "torchrl's LSTM cell takes a hidden size of 0",
        "fault",
        ("torchrl-cell",),
        "So does torch.nn.LSTMCell, from whose base class it has its constructor; torch.nn.LSTM "
        "refuses it.",
        """
from torchrl.modules import LSTMCell

print("a cell of no hidden units:", LSTMCell(1, 0).weight_hh.shape)
""",
        "a cell of no hidden units: torch.Size([0, 0])",
        "https://github.com/pytorch/pytorch/blob/v2.13.0/torch/nn/modules/rnn.py: the constructor "
        "of torch.nn.LSTM raises ValueError, hidden_size must be greater than zero.",
        requirements=("sizes_that_are_not_positive_are_refused",),
    ),
)
