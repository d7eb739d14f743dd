"""Requirements on results: they are those of the equations."""

from __future__ import annotations

from functools import cache

from conformance.checking.activations import loosen
from conformance.checking.comparison import against_reference, agree, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import paused
from conformance.requirements.helpers.needs import torch_module
from reference import Case

EQUATIONS = "torch.nn.LSTM documentation, equations for i_t, f_t, g_t, o_t, c_t and h_t"


@requirement(
    source=EQUATIONS,
    level="core",
    num_layers=(1, 1),
    seq_len=(1, 1),
    bidirectional=False,
    lengths=False,
)
def cell_matches_equations(implementation: Implementation, case: Case) -> float:
    """One step of one cell gives h_t and c_t of the equations, within the rounding bound."""
    return against_reference(implementation, case)


@requirement(source=EQUATIONS, level="core")
def results_match_reference(implementation: Implementation, case: Case) -> float:
    """Output, h_n and c_n are those of the equations applied over time, layers and directions.

    Every element lies within the rounding-error bound of the true value.
    """
    return against_reference(implementation, case)


@requirement(
    source="torch.nn.LSTM documentation, proj_size: h_t = W_hr h_t, and proj_size features "
    "wherever h occurs",
    level="core",
    share_of_cases=0.5,
    projection=True,
)
def projection_multiplies_h(implementation: Implementation, case: Case) -> float:
    """With a projection, each h is W_hr times the full h, and c keeps hidden_size features."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="core",
    share_of_cases=0.5,
    input_size=(2, 2),
    hidden_size=(2, 2),
    seq_len=(2, 2),
    batch_size=(2, 2),
    projection=False,
)
def equal_sizes_are_told_apart(implementation: Implementation, case: Case) -> float:
    """With as many features as hidden units, rows and steps, no axis is mistaken for another."""
    return against_reference(implementation, case)


@requirement(
    source=EQUATIONS,
    level="sequence",
    share_of_cases=0.8,
    seq_len=(9, 64),
    hidden_size=(1, 8),
    input_size=(1, 8),
    batch_size=(1, 6),
    num_layers=(1, 2),
)
def long_sequences_match_reference(implementation: Implementation, case: Case) -> float:
    """In sequences of 9 to 64 steps the equations hold at every step, in both directions."""
    return against_reference(implementation, case)


@requirement(
    source="torch.nn.LSTM documentation: in a multilayer LSTM, the input of layer l is the hidden "
    "state of the previous layer",
    level="core",
    applies=torch_module,
    bidirectional=False,
    projection=False,
    lengths=False,
    batched=True,
)
def hand_stacked_cells_equal_lstm(implementation: TorchModule, case: Case) -> float:
    """Stacking torch.nn.LSTMCell by hand gives the same output and final states of every layer.

    The difference is at most the sum of both rounding bounds. Where the hand-stacked cells
    themselves are verified, they are compared with torch.nn.LSTM.
    """
    hand_stacked = implementation.name == "stacked-cells"
    with paused():
        other = _loaded("torch.nn.LSTM" if hand_stacked else "stacked-cells")
        loosen(other, case.dtype, case.device)  # which is not what is under test
    bound = plus(truth(case, implementation).bound, truth(case, other).bound)
    return agree(run(implementation, case), run(other, case), bound)


@cache
def _loaded(name: str) -> Implementation:
    from conformance.implementations.loading import load

    return load(name)
