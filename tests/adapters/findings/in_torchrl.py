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
)
