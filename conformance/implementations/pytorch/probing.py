"""Finding out what a torch module class takes of what ``torch.nn.LSTM`` takes."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from conformance.errors import UsageError, told
from conformance.implementations.implementation import Implementation
from conformance.implementations.pytorch.modules import TorchLSTM, TorchLSTMCell, torch_devices
from reference import DTYPES, Case, Configuration
from strategies import Support

SMALL = Configuration(input_size=2, hidden_size=3)
Enter = Callable[[], contextlib.AbstractContextManager[object]]


def adapt(cls: type[Any], name: str, around: Enter = contextlib.nullcontext) -> Implementation:
    """An adapter for the torch module class `cls`, limited to what the class takes.

    A subclass of ``torch.nn.LSTM`` or ``torch.nn.LSTMCell`` promises all that its parent does.
    Of any other class each option is tried once: an option that its constructor or a call does
    not accept is declared as not supported. Raises :class:`UsageError` for what is no LSTM.
    """
    if not issubclass(cls, nn.Module):
        raise UsageError(
            f"{name!r} is neither a torch.nn.Module nor an Implementation "
            "(a class with `name`, `supports` and `run(case)`)"
        )
    devices = torch_devices()
    cell_support = Support(
        devices=devices,
        max_layers=1,
        batch_first=(False,),
        bidirectional=(False,),
        projection=False,
        dropout=False,
        lengths=False,
    )
    if issubclass(cls, nn.LSTM):
        parent: TorchLSTM = TorchLSTM(nn.LSTM, name, Support())
        return _with_dtypes(TorchLSTM(cls, name, Support(devices=devices), around=around), parent)
    if issubclass(cls, nn.LSTMCell):
        parent = TorchLSTMCell(nn.LSTMCell, name, Support())
        return _with_dtypes(TorchLSTMCell(cls, name, cell_support, around=around), parent)
    found = _parameter_shapes(cls, name, around)
    expected = SMALL.parameter_shapes()

    def has(rename: Callable[[str], str]) -> bool:
        return found == {rename(parameter): shape for parameter, shape in expected.items()}

    if has(lambda parameter: parameter.removesuffix("_l0")):
        return _probed(TorchLSTMCell(cls, name, cell_support, around=around))
    support = Support(devices=devices)
    if has(str):
        return _probed(TorchLSTM(cls, name, support, around=around))
    for rename in (cell_list_name, quantizable_name):
        if has(rename):
            return _probed(TorchLSTM(cls, name, support, rename=rename, around=around))
    infer = f"; try `lstm-conformance infer {shlex.quote(name)}`" if found else ""
    raise UsageError(
        f"{name!r} is no LSTM: its parameters are {_listed(found) or 'none'}; expected "
        f"{_listed(expected)}, or the same without _l0{infer}"
    )


def cell_list_name(name: str) -> str:
    """The name of a parameter in a list `cells` of LSTM cells: ``cells.0.weight_ih``."""
    parameter, _, layer = name.rpartition("_l")
    return f"cells.{layer}.{parameter}"


def quantizable_name(name: str) -> str:
    """The name in ``torch.ao.nn.quantizable.LSTM``: ``layers.0.layer_fw.cell.igates.weight``."""
    forward = name.removesuffix("_reverse")
    direction = "fw" if forward == name else "bw"
    kind, part, layer = forward.split("_")
    return f"layers.{layer[1:]}.layer_{direction}.cell.{part[0]}gates.{kind}"


def _parameter_shapes(cls: type[Any], name: str, around: Enter) -> dict[str, tuple[int, ...]]:
    try:
        with around():
            module = cls(SMALL.input_size, SMALL.hidden_size)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{name!r} is no LSTM: {cls.__name__}(input_size, hidden_size) raised {told(error)}"
        ) from error
    return {parameter: tuple(tensor.shape) for parameter, tensor in module.named_parameters()}


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())


def _case(configuration: Configuration, **options: Any) -> Case:
    """A case of zeros: 2 rows, 2 steps, initial states."""
    dtype = options.pop("dtype", np.float32)
    shape: tuple[int, ...] = (2, 2, configuration.input_size)
    states = configuration.num_layers * configuration.num_directions
    batch: tuple[int, ...] = (2,)
    if not options.pop("batched", True):
        shape, batch = (2, configuration.input_size), ()
    if options.pop("empty", False):
        shape, batch = (2, 0, configuration.input_size), (0,)
    if options.pop("states", True):
        options["h_0"] = np.zeros((states, *batch, configuration.output_size), dtype)
        options["c_0"] = np.zeros((states, *batch, configuration.hidden_size), dtype)
    parameters = {
        name: np.zeros(shape, dtype) for name, shape in configuration.parameter_shapes().items()
    }
    return Case(configuration, parameters, np.zeros(shape, dtype), **options)


def _takes(implementation: TorchLSTM, case: Case) -> bool:
    try:
        implementation.run(case)
    except (Exception, SystemExit):
        return False
    return True


def _probed(implementation: TorchLSTM) -> TorchLSTM:
    """`implementation`, limited to what it takes; nothing of what it computes is looked at."""
    declared = implementation.supports
    working = (
        dtype
        for dtype in (np.dtype(np.float32), *(DTYPES[name].numpy for name in declared.dtypes))
        if _takes(implementation, _case(SMALL, dtype=dtype))
    )
    case = partial(_case, dtype=next(working, np.dtype(np.float32)))

    def either(option: str, values: tuple[bool, ...]) -> tuple[bool, ...]:
        other = {"bias": False, "batch_first": True, "bidirectional": True}[option]
        if other in values and _takes(implementation, case(replace(SMALL, **{option: other}))):
            return values
        return (not other,)

    options: dict[str, Any] = {
        option: either(option, getattr(declared, option))
        for option in ("bias", "batch_first", "bidirectional")
    }
    if not _takes(implementation, case(replace(SMALL, num_layers=2))):
        options["max_layers"] = 1
    for option, value in (("projection", {"proj_size": 1}), ("dropout", {"dropout": 0.5})):
        taken = _takes(implementation, case(replace(SMALL, **value)))
        options[option] = getattr(declared, option) and taken
    ragged = case(SMALL, lengths=np.array([1, 2]))
    options["lengths"] = declared.lengths and _takes(implementation, ragged)
    options["empty_batch"] = _takes(implementation, case(SMALL, empty=True))
    options["states"] = tuple(
        given for given in (True, False) if _takes(implementation, case(SMALL, states=given))
    ) or (True,)
    options["batched"] = tuple(
        batched for batched in (True, False) if _takes(implementation, case(SMALL, batched=batched))
    ) or (True,)
    implementation.supports = replace(declared, **options)
    return _with_dtypes(implementation, implementation)


def _with_dtypes(implementation: TorchLSTM, tried: TorchLSTM) -> TorchLSTM:
    """Without the dtypes for which `tried` has no kernel ("not implemented for 'Half'")."""
    kept = []
    for name in implementation.supports.dtypes:
        try:
            tried.run(_case(SMALL, dtype=DTYPES[name].numpy))
        except (Exception, SystemExit) as error:
            if "not implemented for" in str(error):
                continue
        kept.append(name)
    if kept:
        implementation.supports = replace(implementation.supports, dtypes=tuple(kept))
    return implementation
