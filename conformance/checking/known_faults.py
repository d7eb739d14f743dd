"""Known faults of PyTorch: where each occurs, how it shows, and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.implementations.failures import (
    Accepted,
    Died,
    Failure,
    LostDevice,
    Raised,
    WrongElement,
)

Version = tuple[int, ...]


@dataclass(frozen=True)
class Expectation:
    """A requirement that some implementations are known not to meet.

    It holds for the `devices` named (``cuda`` for each), for torch versions from `since` up to,
    not including, `until`, and in the `dtypes` named, all if empty. It is a `failure` of that kind
    and about `what`, if that is given; `message` is part of what the framework then says.
    `reproduction` is a script that shows it. One that is not `certain`, such as a read beyond an
    array, need not occur in every run. One of `cudnn` holds where that is in use, from the version
    `cudnn_since` as PyTorch numbers it.
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
    cudnn: bool = False
    cudnn_since: int = 0


LSTM = ("torch.nn.LSTM",)
LSTMS = (*LSTM, "torch.nn.LSTM-without-cudnn")
CELLS = ("torch.nn.LSTMCell", "stacked-cells")

KNOWN: tuple[Expectation, ...] = (
    Expectation(
        "vmap_over_rows_is_a_batch",
        LSTMS,
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
        until=(2, 15),
        certain=False,
    ),
    Expectation(
        "empty_batch_gives_empty_results",
        LSTMS,
        "oneDNN's bfloat16 LSTM divides by the number of rows",
        Died,
        "m = torch.nn.LSTM(1, 1).bfloat16(); m(torch.zeros(1, 0, 1).bfloat16())",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("bfloat16",),
    ),
    Expectation(
        "float32_has_second_derivatives",
        LSTMS,
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
        LSTMS,
        "oneDNN's LSTM accepts a sequence of length 0, which LSTMs of other dtypes refuse",
        Accepted,
        "torch.nn.LSTM(1, 1)(torch.zeros(0, 1, 1))",
        what="a sequence of length 0",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("float32", "bfloat16"),
    ),
    Expectation(
        "sums_of_gradients_are_accumulated_in_float32",
        CELLS,
        "the CPU's bfloat16 product of a gradient with weights is added up in bfloat16",
        WrongElement,
        "m = torch.nn.LSTMCell(1, 6).bfloat16(); "
        "[torch.nn.init.zeros_(p) for p in m.parameters()]; m.bias_ih.data[:6] = 64; "
        "m.weight_ih.data[12:18, 0] = torch.tensor([256., 1, 1, 1, 1, -256]); "
        "x = torch.zeros(1, 1).bfloat16().requires_grad_(); m(x)[1].sum().backward(); "
        "print(x.grad)",
        message="gradient of",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("bfloat16",),
    ),
    Expectation(
        "sums_of_gradients_are_accumulated_in_float32",
        LSTMS,
        "the CPU's bfloat16 product of a gradient with weights is added up in bfloat16; "
        "oneDNN's, for an LSTM without projection, is not",
        WrongElement,
        "m = torch.nn.LSTM(1, 6, proj_size=1).bfloat16(); "
        "[torch.nn.init.zeros_(p) for p in m.parameters()]; m.bias_ih_l0.data[:6] = 64; "
        "m.weight_ih_l0.data[12:18, 0] = torch.tensor([256., 1, 1, 1, 1, -256]); "
        "x = torch.zeros(1, 1).bfloat16().requires_grad_(); m(x)[1][1].sum().backward(); "
        "print(x.grad)",
        message="gradient of",
        until=(2, 1),
        devices=("cpu",),
        dtypes=("bfloat16",),
        certain=False,
    ),
    Expectation(
        "wrong_state_batch_is_refused_when_packed",
        LSTMS,
        "torch checks no shapes of packed input's initial states: it broadcasts a c_0 of one row, "
        "and reads beyond it where all rows have the same length",
        Accepted,
        "p = torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(2, 2, 1), [2, 1]); "
        "torch.nn.LSTM(1, 1)(p, (torch.zeros(1, 2, 1), torch.zeros(1, 1, 1)))",
        what="c_0 of one row with packed input",
        since=(2, 1),
        devices=("cpu",),
    ),
    Expectation(
        "impossible_lengths_are_refused",
        LSTMS,
        "lengths are not checked on CUDA: with one too many an assertion fails on the device, "
        "which is unusable for the whole process from then on",
        LostDevice,
        "torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(2, 2, 1, device='cuda'), "
        "torch.tensor([2, 2, 1]), enforce_sorted=False); torch.cuda.synchronize()",
        devices=("cuda",),
    ),
    Expectation(
        "activations_are_accurate",
        LSTM,
        "cuDNN's float32 tanh is off by up to 124 units of 2^-24",
        WrongElement,
        "m = torch.nn.LSTM(1, 1, bias=False, device='cuda'); m.weight_ih_l0.data[:, 0] = "
        "torch.tensor([-64., 64., 0., 64.]); x = torch.ones(1, 1, 1, device='cuda'); "
        "c = -1.09 * x; print(m(x, (0 * x, c))[1][0].double() - c.double().tanh())",
        message="tanh of the c",
        devices=("cuda",),
        dtypes=("float32",),
        cudnn=True,
        cudnn_since=91900,
    ),
    *(
        Expectation(
            requirement,
            LSTM,
            "cuDNN's LSTM takes no strided initial states, which the CPU's takes",
            Raised,
            "s = torch.zeros(1, 1, 4, device='cuda')[..., ::2]; "
            "torch.nn.LSTM(1, 2, device='cuda')(torch.zeros(1, 1, 1, device='cuda'), (s, s))",
            message="not contiguous",
            devices=("cuda",),
            cudnn=True,
        )
        for requirement in ("memory_layout_does_not_matter", "hidden_units_can_be_permuted")
    ),
    Expectation(
        "gradients_are_the_same_in_eval",
        LSTM,
        "cuDNN's LSTM has gradients in train mode only",
        Raised,
        "m = torch.nn.LSTM(1, 1, device='cuda').eval(); "
        "m(torch.zeros(1, 1, 1, device='cuda'))[0].sum().backward()",
        message="training mode",
        devices=("cuda",),
        cudnn=True,
    ),
    *(
        Expectation(
            requirement,
            LSTM,
            "cuDNN's LSTM has no second derivatives",
            Raised,
            "x = torch.zeros(1, 1, 1, device='cuda', requires_grad=True); "
            "y = torch.nn.LSTM(1, 1, device='cuda')(x)[0].sum(); "
            "torch.autograd.grad(y, x, create_graph=True)[0].sum().backward()",
            message="_cudnn_rnn_backward",
            devices=("cuda",),
            cudnn=True,
        )
        for requirement in ("second_derivatives_are_right", "float32_has_second_derivatives")
    ),
    *(
        Expectation(
            requirement,
            LSTM,
            "cuDNN's dropout scales float64 by 1 / (1 - p) rounded to float32, if that is inexact",
            WrongElement,
            "m = torch.nn.LSTM(1, 1, 2, dropout=0.1, device='cuda').double(); "
            "[torch.nn.init.zeros_(p) for p in m.parameters()]; "
            "m.bias_ih_l0.data[:] = torch.tensor([50., -50., 0.5, 50.]); "
            "m.bias_ih_l1.data[:] = torch.tensor([50., -50., 0.0, 50.]); "
            "m.weight_ih_l1.data[2] = 1; "
            "y = m(torch.ones(1, 9, 1, device='cuda').double())[0].detach(); "
            "print(y.atanh().atanh() / torch.tensor(0.5).double().tanh().tanh())",
            devices=("cuda",),
            dtypes=("float64",),
            cudnn=True,
            certain=False,
        )
        for requirement in ("survivors_are_scaled", "gradients_have_the_mask_of_the_results")
    ),
)
