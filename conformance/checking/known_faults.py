"""Known faults of PyTorch: where each occurs, how it shows, and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.implementations.failures import Accepted, Died, Failure, Raised

Version = tuple[int, ...]


@dataclass(frozen=True)
class Expectation:
    """A requirement that some implementations are known not to meet.

    It holds for the `devices` named (``cuda`` for each), for torch versions from `since` up to,
    not including, `until`, and in the `dtypes` named, all if empty. It is a `failure` of that kind
    and about `what`, if that is given; `message` is part of what the framework then says.
    `reproduction` is a script that shows it. One that is not `certain`, such as a read beyond an
    array, need not occur in every run.
    """

    requirement: str
    implementations: tuple[str, ...]
    reason: str
    failure: type[Failure]
    reproduction: str
    what: str = ""
    message: str = ""
    since: Version = (0,)
    until: Version = (10**6,)
    devices: tuple[str, ...] = ("cpu", "cuda")
    dtypes: tuple[str, ...] = ()
    certain: bool = True


CELLS = ("torch.nn.LSTMCell", "stacked-cells")

KNOWN: tuple[Expectation, ...] = (
    Expectation(
        "vmap_over_rows_is_a_batch",
        ("torch.nn.LSTM",),
        "torch has no batching rule for aten::lstm",
        Raised,
        "m = torch.nn.LSTM(1, 1); torch.func.vmap(lambda x: m(x)[0], 1, 1)(torch.zeros(1, 1, 1))",
        message="Batching rule not implemented for aten::lstm",
    ),
    Expectation(
        "vmap_over_rows_is_a_batch",
        CELLS,
        "torch has no batching rule for aten::lstm_cell",
        Raised,
        "m = torch.nn.LSTMCell(1, 1); torch.func.vmap(lambda x: m(x)[0])(torch.zeros(1, 1))",
        message="Batching rule not implemented for aten::lstm_cell",
    ),
    Expectation(
        "sizes_that_are_not_positive_are_refused",
        CELLS,
        "LSTMCell accepts hidden_size=0, which LSTM refuses",
        Accepted,
        "torch.nn.LSTMCell(1, 0)",
        what="hidden_size=0",
    ),
    Expectation(
        "batched_states_with_unbatched_input_are_refused",
        CELLS,
        "LSTMCell reads beyond its states where they have a batch dimension and the input has none",
        Died,
        "s = torch.zeros(1, 1); torch.nn.LSTMCell(1, 1)(torch.zeros(1), (s, s))",
        certain=False,
    ),
    Expectation(
        "empty_batch_gives_empty_results",
        ("torch.nn.LSTM",),
        "oneDNN's bfloat16 LSTM divides by the number of rows",
        Died,
        "m = torch.nn.LSTM(1, 1).bfloat16(); m(torch.zeros(1, 0, 1).bfloat16())",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("bfloat16",),
    ),
    Expectation(
        "float32_has_second_derivatives",
        ("torch.nn.LSTM",),
        "torch has no second derivative of oneDNN's LSTM",
        Raised,
        "x = torch.zeros(1, 1, 1, requires_grad=True); y = torch.nn.LSTM(1, 1)(x)[0].sum(); "
        "torch.autograd.grad(y, x, create_graph=True)[0].sum().backward()",
        message="derivative for mkldnn_rnn_layer_backward is not implemented",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("float32",),
    ),
    Expectation(
        "empty_sequence_is_refused",
        ("torch.nn.LSTM",),
        "oneDNN's LSTM accepts a sequence of length 0, which the other dtypes' refuses",
        Accepted,
        "torch.nn.LSTM(1, 1)(torch.zeros(0, 1, 1))",
        what="a sequence of length 0",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("float32", "bfloat16"),
    ),
    Expectation(
        "wrong_state_batch_is_refused_when_packed",
        ("torch.nn.LSTM",),
        "torch checks no shapes of packed input's initial states: it broadcasts a c_0 of one row, "
        "and reads beyond it where all rows have the same length",
        Accepted,
        "p = torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(2, 2, 1), [2, 1]); "
        "torch.nn.LSTM(1, 1)(p, (torch.zeros(1, 2, 1), torch.zeros(1, 1, 1)))",
        what="c_0 of one row with packed input",
        since=(2, 1),
        devices=("cpu",),
    ),
)
