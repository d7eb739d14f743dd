"""The oracle is itself compared with ``torch.nn.LSTM``, in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import Case
from tests.reference import oracle
from tests.reference.cases import KINDS, lstm_cases

WITHOUT_DROPOUT = [kind for kind in KINDS if kind != "dropout_masks"]


def torch_lstm(case: Case) -> list[np.ndarray]:
    """Output, h_n and c_n of ``torch.nn.LSTM`` for a float64 case."""
    c = case.configuration
    module = torch.nn.LSTM(
        c.input_size,
        c.hidden_size,
        c.num_layers,
        bias=c.bias,
        batch_first=c.batch_first,
        bidirectional=c.bidirectional,
        proj_size=c.proj_size,
        dtype=torch.float64,
    )
    module.load_state_dict({name: torch.tensor(p) for name, p in case.parameters.items()})
    x: Any = torch.tensor(case.input)
    if case.lengths is not None:
        x = torch.nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(case.lengths), c.batch_first, enforce_sorted=False
        )
    state = None if case.h_0 is None else (torch.tensor(case.h_0), torch.tensor(case.c_0))
    with torch.no_grad():
        output, (h_n, c_n) = module(x, state)
    if case.lengths is not None:
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, c.batch_first)
    return [output.numpy(), h_n.numpy(), c_n.numpy()]


@pytest.mark.parametrize("kind", WITHOUT_DROPOUT)
@given(data=st.data())
@settings(max_examples=5)
def test_oracle_agrees_with_torch_in_float64(kind: str, data: st.DataObject) -> None:
    """To 13 decimals the oracle and ``torch.nn.LSTM`` give the same output, h_n and c_n."""
    case = data.draw(lstm_cases(dtypes=("float64",), scales=(1.0, 3.0), **KINDS[kind]))
    for ours, theirs in zip(oracle.lstm(case), torch_lstm(case), strict=True):
        np.testing.assert_allclose(np.array(ours, float), theirs, rtol=0, atol=1e-13)
