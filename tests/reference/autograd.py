"""Gradients by torch.autograd: of ``torch.nn.LSTM``, and of cells stacked by hand."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from reference import Array, Case, Result


def random_cotangents(case: Case, names: Sequence[str] = ("output", "h_n", "c_n")) -> Result:
    """Normal cotangents in the case's dtype, always the same ones, zero but for `names`."""
    c, rng = case.configuration, np.random.default_rng(0)
    shapes = {
        "output": case.output_shape(),
        "h_n": case.state_shape(c.output_size),
        "c_n": case.state_shape(c.hidden_size),
    }
    normal = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return Result.of((normal[n] * (n in names)).astype(case.dtype.numpy) for n in shapes)


def tensor(array: Array, case: Case) -> torch.Tensor:
    """A tensor of the case's dtype, exactly: by way of float64, for torch takes no bfloat16."""
    return torch.tensor(array.astype(np.float64)).to(getattr(torch, case.dtype.name))


def leaves(case: Case) -> dict[str, torch.Tensor]:
    """Everything that gradients are asked of, by name."""
    arrays = {"input": case.input, **case.parameters}
    if case.h_0 is not None and case.c_0 is not None:
        arrays |= {"h_0": case.h_0, "c_0": case.c_0}
    return {name: tensor(array, case).requires_grad_() for name, array in arrays.items()}


def gradients(
    case: Case, of: Mapping[str, torch.Tensor], results: Sequence[torch.Tensor], cotangents: Result
) -> dict[str, Array]:
    """Gradients by `of` in float64, zero where the results do not depend on one."""
    given = [tensor(cotangent, case) for _, cotangent in cotangents.items()]
    found = torch.autograd.grad(results, list(of.values()), given, allow_unused=True)
    return {
        name: np.zeros(tuple(leaf.shape)) if grad is None else grad.double().numpy()
        for (name, leaf), grad in zip(of.items(), found, strict=True)
    }


def of_module(case: Case, cotangents: Result) -> dict[str, Array]:
    """Gradients of ``torch.nn.LSTM``, with packing where the case has lengths."""
    c, of = case.configuration, leaves(case)
    module = torch.nn.LSTM(
        c.input_size,
        c.hidden_size,
        c.num_layers,
        bias=c.bias,
        batch_first=c.batch_first,
        bidirectional=c.bidirectional,
        proj_size=c.proj_size,
        dtype=getattr(torch, case.dtype.name),
    )
    x: torch.Tensor | PackedSequence = of["input"]
    if case.lengths is not None:
        lengths = torch.tensor(case.lengths)
        x = pack_padded_sequence(of["input"], lengths, c.batch_first, enforce_sorted=False)
    state = (of["h_0"], of["c_0"]) if "h_0" in of else None
    parameters = {name: of[name] for name in case.parameters}
    output, (h_n, c_n) = torch.func.functional_call(module, parameters, (x, state))
    if case.lengths is not None:
        output, _ = pad_packed_sequence(output, c.batch_first)
    return gradients(case, of, (output, h_n, c_n), cotangents)


def of_cells(
    case: Case, cotangents: Result, masks: Sequence[Array] | None = None
) -> dict[str, Array]:
    """Gradients of cells in a loop over time, each weight used and summed up once per step."""
    c, of = case.configuration, leaves(case)
    x = of["input"]
    if not case.batched:
        x = x[:, None]
    elif c.batch_first:
        x = x.transpose(0, 1)
    steps, rows = x.shape[:2]
    lengths = torch.full((rows,), steps) if case.lengths is None else torch.tensor(case.lengths)
    finals_h, finals_c = [], []
    outputs: list[torch.Tensor] = []
    for position, suffix in enumerate(c.suffixes()):
        if len(outputs) == c.num_directions:
            x, outputs = torch.cat(outputs, -1), []
            if masks is not None:
                x = x * tensor(masks[position // c.num_directions - 1], case)
        if "h_0" in of:
            h, state = of["h_0"][position], of["c_0"][position]
            h, state = (h, state) if case.batched else (h[None], state[None])
        else:
            h, state = x.new_zeros(rows, c.output_size), x.new_zeros(rows, c.hidden_size)
        shown = [x.new_zeros(0)] * steps
        for t in range(steps)[:: -1 if suffix.endswith("_reverse") else 1]:
            running = (t < lengths)[:, None]
            new_h, new_c = cell(of, suffix, x[t], h, state)
            shown[t] = torch.where(running, new_h, 0)
            h, state = torch.where(running, new_h, h), torch.where(running, new_c, state)
        outputs.append(torch.stack(shown))
        finals_h.append(h)
        finals_c.append(state)
    output, h_n, c_n = torch.cat(outputs, -1), torch.stack(finals_h), torch.stack(finals_c)
    if not case.batched:
        output, h_n, c_n = output[:, 0], h_n[:, 0], c_n[:, 0]
    elif c.batch_first:
        output = output.transpose(0, 1)
    return gradients(case, of, (output, h_n, c_n), cotangents)


def cell(
    of: Mapping[str, torch.Tensor], suffix: str, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What ``torch.nn.LSTMCell`` calls, or the equations themselves where there is a projection."""
    w_ih, w_hh = of["weight_ih" + suffix], of["weight_hh" + suffix]
    biases = of.get("bias_ih" + suffix), of.get("bias_hh" + suffix)
    if "weight_hr" + suffix not in of:
        return torch.lstm_cell(x, (h, c), w_ih, w_hh, *biases)
    linear = torch.nn.functional.linear
    a_i, a_f, a_g, a_o = (linear(x, w_ih, biases[0]) + linear(h, w_hh, biases[1])).chunk(4, -1)
    c = a_f.sigmoid() * c + a_i.sigmoid() * a_g.tanh()
    return linear(a_o.sigmoid() * c.tanh(), of["weight_hr" + suffix]), c
