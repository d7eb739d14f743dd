"""Choice of an adapter for a torch module class, and trial runs that show what the class takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from conformance.errors import Unlike
from conformance.implementations.failures import Failure, NoResult, blamed
from conformance.implementations.implementation import Implementation
from conformance.implementations.probing import SMALL, dtypes_taken, small_case, takes, tried
from conformance.implementations.pytorch.modules import (
    TorchLSTM,
    TorchLSTMCell,
    cell_name,
    torch_devices,
)
from conformance.recording.text import listed, named, one_line
from strategies import ONE_LAYER, Support

Enter = Callable[[], contextlib.AbstractContextManager[object]]


def adapt(cls: type[Any], name: str, around: Enter = contextlib.nullcontext) -> Implementation:
    """Make an adapter for the torch module class `cls`, limited to what the class takes.

    A subclass of ``torch.nn.LSTM`` or ``torch.nn.LSTMCell`` must take all that its parent takes, in
    the dtypes in which it runs at all. For any other class each option is tried once: an option
    that the constructor or a call does not accept is declared as not supported. A class can carry a
    :class:`Support` in its attribute `supports`, which takes more away. Raises :class:`UsageError`
    if `cls` is not an LSTM.
    """
    adapter = _adapter(cls, name, around)
    declared = getattr(cls, "supports", None)
    if isinstance(declared, Support):
        adapter.supports = adapter.supports.within(declared)
    return adapter


def _adapter(cls: type[Any], name: str, around: Enter) -> TorchLSTM:
    if not issubclass(cls, nn.Module):
        raise Unlike(
            name,
            f"{name!r} is neither a torch.nn.Module nor an Implementation "
            "(a class with `name`, `supports` and `run(case)`)",
        )
    support = Support(devices=torch_devices())
    cell_support = replace(ONE_LAYER, devices=support.devices, batch_first=(False,))
    if issubclass(cls, nn.LSTM):
        dtypes = dtypes_taken(TorchLSTM(nn.LSTM, name, support), support.dtypes)
        own = TorchLSTM(cls, name, replace(support, dtypes=dtypes), around=around)
        return _in_its_dtypes(own)
    if issubclass(cls, nn.LSTMCell):
        dtypes = dtypes_taken(TorchLSTMCell(nn.LSTMCell, name, cell_support), support.dtypes)
        cell = TorchLSTMCell(cls, name, replace(cell_support, dtypes=dtypes), around=around)
        return _in_its_dtypes(cell)
    found = _parameter_shapes(cls, name, around)
    expected = SMALL.parameter_shapes()

    def has(rename: Callable[[str], str]) -> bool:
        return found == {rename(parameter): shape for parameter, shape in expected.items()}

    if has(cell_name):
        return _probed(TorchLSTMCell(cls, name, cell_support, around=around))
    for rename in RENAMES:
        if has(rename):
            return _probed(TorchLSTM(cls, name, support, rename=rename, around=around))
    raise Unlike(
        name,
        f"{name!r} is not an LSTM: its parameters are {_shapes(found)}; expected "
        f"{_shapes(expected)}, or the same without _l0",
    )


def cell_list_name(name: str) -> str:
    """Rename a parameter for a list `cells` of LSTM cells: ``cells.0.weight_ih``."""
    parameter, _, layer = name.rpartition("_l")
    return f"cells.{layer}.{parameter}"


def quantizable_name(name: str) -> str:
    """Rename it for ``torch.ao.nn.quantizable.LSTM``: ``layers.0.layer_fw.cell.igates.weight``."""
    forward = name.removesuffix("_reverse")
    direction = "fw" if forward == name else "bw"
    kind, part, layer = forward.split("_")
    return f"layers.{layer[1:]}.layer_{direction}.cell.{part[0]}gates.{kind}"


RENAMES: tuple[Callable[[str], str], ...] = (str, cell_list_name, quantizable_name)


def _parameter_shapes(cls: type[Any], name: str, around: Enter) -> dict[str, tuple[int, ...]]:
    try:
        with blamed(), around():
            module = cls(SMALL.input_size, SMALL.hidden_size)
            found = [(str(key), tuple(each.shape)) for key, each in module.named_parameters()]
    except Failure as failure:
        made = f"{named(cls)}(input_size, hidden_size)"
        raise Unlike(name, f"{name!r} is not an LSTM: {made} {one_line(str(failure))}") from failure
    return dict(found)


def _shapes(parameters: dict[str, tuple[int, ...]]) -> str:
    return listed(f"{name} {shape}" for name, shape in parameters.items()) if parameters else "none"


def _check_form(implementation: TorchLSTM) -> None:
    forms = []
    for given in (True, False):
        try:
            with blamed():
                implementation.run(small_case(states=given))
            return
        except NoResult as failure:
            forms.append(str(failure))
        except Failure:
            continue
    if forms:
        name = implementation.name
        adapter = "conformance.HandWritten(..., returns=...) describes such an answer"
        raise Unlike(name, f"{name!r}: {forms[0]}, as that of PyTorch; {adapter}")


def _in_its_dtypes(implementation: TorchLSTM) -> TorchLSTM:
    """Limit `implementation` to the dtypes in which it runs, in one form of call at least.

    Where another form of call raises, that is for the requirements to show.
    """
    declared = implementation.supports

    def runs(dtype: str) -> bool:
        forms = (small_case(dtype=dtype, states=given) for given in (True, False))
        return any(takes(implementation, form) for form in forms)

    dtypes = tuple(filter(runs, declared.dtypes)) or declared.dtypes
    implementation.supports = replace(declared, dtypes=dtypes)
    return implementation


def _probed(implementation: TorchLSTM) -> TorchLSTM:
    """Limit `implementation` to the cases that it takes, whatever it computes for them.

    Raises :class:`UsageError` if its answers have another form than PyTorch's.
    """
    _check_form(implementation)
    declared = _in_its_dtypes(implementation).supports
    dtypes = declared.dtypes
    # most LSTMs support most options in float32
    dtype = "float32" if "float32" in dtypes else dtypes[0]

    def taken(configuration: Mapping[str, Any] = {}, **form: Any) -> bool:
        return takes(implementation, small_case(replace(SMALL, **configuration), dtype, **form))

    def either(option: str) -> tuple[bool, ...]:
        # the first value is the default, which the trials of all other options need anyway
        first, *others = getattr(declared, option)
        return (first, *(value for value in others if taken({option: value})))

    states = tuple(given for given in (True, False) if taken(states=given)) or (True,)

    def axes(batched: bool) -> bool:
        # what broadcasts by accident has an output of another size, in one form of call at least
        cases = [small_case(dtype=dtype, states=s, batched=batched, steps=4) for s in states]
        found = [(tried(implementation, case), np.prod(case.output_shape())) for case in cases]
        # the axes may be others: to leave a batch axis where the input has none is a fault
        sizes = [result.output.size == size for result, size in found if result is not None]
        return bool(sizes) and all(sizes)

    implementation.supports = replace(
        declared,
        dtypes=dtypes,
        bias=either("bias"),
        batch_first=either("batch_first"),
        bidirectional=either("bidirectional"),
        max_layers=declared.max_layers if taken({"num_layers": 2}) else 1,
        projection=declared.projection and taken({"proj_size": 1}),
        dropout=declared.dropout and taken({"dropout": 0.5}),
        lengths=declared.lengths and taken(lengths=np.array([1, 2])),
        states=states,
        batched=tuple(filter(axes, (True, False))) or (True,),
        empty_batch=taken(rows=0),
    )
    return implementation
