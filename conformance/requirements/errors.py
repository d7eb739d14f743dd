"""Requirements on wrong input: it is refused, and the module still works afterwards."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, answer
from conformance.implementations.torch_module import TorchModule, is_torch_module
from conformance.requirements.helpers.needs import arrays_handed_on, torch_module
from conformance.requirements.helpers.refusals import call_refused, refused, works_as_before
from conformance.requirements.helpers.torch_only import session as session_of
from reference import Case

SHAPES = "torch.nn.LSTM and torch.nn.LSTMCell documentation, 'Inputs': shapes"

SMALL_CASES: dict[str, Any] = {
    "level": "module",
    "share_of_cases": 0.2,
    "hidden_size": (2, 6),
    "input_size": (2, 6),
    "seq_len": (2, 6),
    "batch_size": (2, 5),
    "batched": True,
    "lengths": False,
}
WITH_STATES = {**SMALL_CASES, "states": True}


def _is_no_cell(implementation: Implementation) -> Implementation | str:
    if is_torch_module(implementation) and implementation.is_cell:
        return "is a cell, which takes one step at a time"
    return arrays_handed_on(implementation)


def _states(h_0: Any, c_0: Any) -> Any:
    return None if h_0 is None else (h_0, c_0)


@requirement(source=SHAPES, applies=arrays_handed_on, **SMALL_CASES, should=True)
def wrong_feature_size_is_refused(implementation: Implementation, case: Case) -> float:
    """Input with one feature too few, or with twice as many, is refused.

    This holds with and without initial states.
    """
    for states in (_states, lambda *_: None):
        call_refused(
            implementation,
            case,
            "input with one feature too few",
            lambda x, h, c, states=states: (x[..., :-1], states(h, c)),  # type: ignore[misc]
        )
    return call_refused(
        implementation,
        case,
        "input with twice the features",
        lambda x, h, c: (x[..., [*range(x.shape[-1])] * 2], _states(h, c)),
    )


@requirement(source=SHAPES, applies=torch_module, **SMALL_CASES, should=True)
def wrong_input_rank_is_refused(implementation: TorchModule, case: Case) -> float:
    """Input with one dimension more than documented is refused."""
    return call_refused(implementation, case, "4-D input", lambda x, h, c: (x[None], _states(h, c)))


@requirement(source=SHAPES, applies=arrays_handed_on, **WITH_STATES, should=True)
def wrong_state_features_are_refused(implementation: Implementation, case: Case) -> float:
    """h_0 with one feature too few is refused, and so is c_0."""
    call_refused(
        implementation, case, "h_0 with one feature too few", lambda x, h, c: (x, (h[..., :-1], c))
    )
    return call_refused(
        implementation, case, "c_0 with one feature too few", lambda x, h, c: (x, (h, c[..., :-1]))
    )


@requirement(source=SHAPES, applies=arrays_handed_on, **WITH_STATES, should=True)
def wrong_state_batch_is_refused(implementation: Implementation, case: Case) -> float:
    """Initial states for another number of rows are refused.

    This includes states of one row, which could be broadcast.
    """
    call_refused(implementation, case, "h_0 of one row", lambda x, h, c: (x, (h[:, :1], c)))
    call_refused(implementation, case, "c_0 of one row", lambda x, h, c: (x, (h, c[:, :1])))
    return call_refused(
        implementation,
        case,
        "states with one row too few",
        lambda x, h, c: (x, (h[:, 1:], c[:, 1:])),
    )


@requirement(
    source=SHAPES,
    applies=torch_module,
    **{**WITH_STATES, "num_layers": (2, 3)},
    should=True,
)
def wrong_state_layers_are_refused(implementation: TorchModule, case: Case) -> float:
    """Initial states for fewer layers than the LSTM has are refused."""
    return call_refused(
        implementation, case, "states of one layer too few", lambda x, h, c: (x, (h[1:], c[1:]))
    )


@requirement(source=SHAPES, applies=torch_module, **WITH_STATES, should=True)
def wrong_state_rank_is_refused(implementation: TorchModule, case: Case) -> float:
    """Initial states without a batch dimension are refused with batched input."""
    return call_refused(
        implementation,
        case,
        "states without a batch dimension",
        lambda x, h, c: (x, (h[:, 0], c[:, 0])),
    )


@requirement(
    source="torch.nn.LSTM documentation: for unbatched input, (h_0, c_0) are 2-D; "
    "torch.nn.LSTMCell documentation: 1-D",
    applies=torch_module,
    **{
        **WITH_STATES,
        "batched": False,
        "batch_size": (1, 5),
        "hidden_size": (1, 6),
        "input_size": (1, 6),
    },
    should=True,
)
def batched_states_with_unbatched_input_are_refused(
    implementation: TorchModule, case: Case
) -> float:
    """Initial states with a batch dimension are refused with unbatched input."""
    return call_refused(
        implementation,
        case,
        "states with a batch dimension",
        lambda x, h, c: (x, (h[:, None], c[:, None])),
    )


@requirement(
    source="torch.nn.LSTM documentation, 'Inputs': (h_0, c_0) of the input's type",
    applies=torch_module,
    **{**WITH_STATES, "dtypes": ["float32", "float64"]},
    should=True,
)
def wrong_state_dtype_is_refused(implementation: TorchModule, case: Case) -> float:
    """Initial states of another dtype than the parameters are refused."""
    import torch

    other = torch.float64 if case.dtype.name == "float32" else torch.float32
    return call_refused(
        implementation,
        case,
        "states of another dtype",
        lambda x, h, c: (x, (h.to(other), c.to(other))),
    )


@requirement(
    source="torch.nn.LSTM documentation: input and parameters have one type",
    applies=torch_module,
    **{**SMALL_CASES, "dtypes": ["float32", "float64"]},
    should=True,
)
def wrong_input_dtype_is_refused(implementation: TorchModule, case: Case) -> float:
    """Input of another dtype than the parameters is refused, integers included."""
    import torch

    other = torch.float64 if case.dtype.name == "float32" else torch.float32
    for dtype in (other, torch.int64):
        call_refused(
            implementation,
            case,
            f"input of {dtype}",
            lambda x, h, c, dtype=dtype: (x.to(dtype), _states(h, c)),  # type: ignore[misc]
        )
    return 0.0


@requirement(
    source="torch.nn.LSTM documentation: (h_0, c_0) is a pair",
    applies=torch_module,
    **WITH_STATES,
    should=True,
)
def single_state_tensor_is_refused(implementation: TorchModule, case: Case) -> float:
    """A single tensor in place of the pair of initial states is refused."""
    return call_refused(
        implementation, case, "h_0 alone in place of the pair of states", lambda x, h, _: (x, h)
    )


@requirement(
    source="torch.nn.LSTM documentation: L is the sequence length, of a sequence that has an end",
    applies=_is_no_cell,
    **SMALL_CASES,
    should=True,
)
def empty_sequence_is_refused(implementation: Implementation, case: Case) -> float:
    """Input without time steps is refused, as there is no last step to return."""
    steps = (slice(None), slice(0, 0)) if case.configuration.batch_first else slice(0, 0)
    return call_refused(
        implementation,
        case,
        "a sequence of length 0",
        lambda x, h, c: (x[steps], _states(h, c)),
    )


@requirement(
    source="torch.nn.utils.rnn.pack_padded_sequence documentation: lengths of the sequences",
    applies=torch_module,
    **{**SMALL_CASES, "lengths": True},
    should=True,
)
def impossible_lengths_are_refused(implementation: TorchModule, case: Case) -> None:
    """Lengths that are zero, negative, too many or beyond the sequence are refused."""
    assert case.lengths is not None
    session = session_of(implementation, case)
    before = session.run(case)
    for what, lengths in {
        "a length of 0": case.lengths * (np.arange(case.batch_size) > 0),
        "a negative length": np.where(np.arange(case.batch_size) == 0, -1, case.lengths),
        "one length too many": np.append(case.lengths, 1),
        "a length beyond the sequence": case.lengths + case.seq_len,
    }.items():
        spoiled = Case.unchecked(**{**vars(case), "lengths": lengths})
        refused(what, partial(answer, implementation, spoiled), case.device)
        works_as_before(session, before)
