"""Requirements on torch modules: as constructed, converted, in train mode and under vmap."""

from __future__ import annotations

import copy
import math
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, Quantity, WrongAttribute, blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import Ending, ending, unequal
from conformance.recording.noting import bind, note, paused
from conformance.recording.operands import keyword_arguments, part
from conformance.recording.text import shown
from conformance.requirements.helpers.needs import and_also, offering, torch_module, unbatched
from conformance.requirements.helpers.randomness import FALSE_ALARM, seeded
from conformance.requirements.helpers.torch_only import to_result, to_tensor
from conformance.requirements.parts import without_batch
from reference import DTYPES, Case

_MODULES = 16
"""How many new modules the distribution of initial parameters is estimated from."""
_CASES: dict[str, Any] = {"level": "module", "share_of_cases": 0.3}


@requirement(
    source="torch.nn.LSTM documentation: all weights and biases are initialized from U(-sqrt(k), "
    "sqrt(k)) with k = 1 / hidden_size",
    applies=torch_module,
    **_CASES,
    hidden_size=(1, 16),
    should=True,
)
def initial_parameters_are_uniform(implementation: TorchModule, case: Case) -> None:
    """Initial parameters are uniform in (-1/sqrt(hidden_size), 1/sqrt(hidden_size)).

    No value is outside. By the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart the largest
    distance between the empirical distribution of n values and the uniform one exceeds sqrt(ln(2 /
    a) / 2n) with a probability of at most a = 1e-15 for each parameter.
    """
    with seeded(case):
        made = note(
            f"{{modules}} = [{{cls}}({{arguments}}) for _ in range({_MODULES})]",
            new=("modules",),
            cls=implementation.cls,
            arguments=keyword_arguments(case.configuration.arguments()),
        )
        with paused():
            modules = [implementation.construct(case.configuration) for _ in range(_MODULES)]
        made.gave(modules)
    limit = 1 / math.sqrt(case.configuration.hidden_size)
    for name, parameter in modules[0].named_parameters():
        values = np.concatenate(
            [
                dict(each.named_parameters())[name].detach().double().cpu().ravel()
                for each in modules
            ]
        )
        if not values.size:
            raise Mismatch(
                f"{name}.shape", "", str(tuple(parameter.shape)), "a shape with elements"
            )
        end = partial(_shown_by_distribution, modules, name, case.configuration.hidden_size)
        close(
            f"max(|{name}| sqrt(hidden_size) - 1, 0)",
            np.maximum(np.abs(values) / limit - 1, 0),
            np.zeros(values.shape),
            1e-6,
            quantity=Quantity.OTHER,
            ending=end,
        )
        uniform = np.sort(values / limit / 2 + 0.5)
        ranks = np.arange(values.size)
        distance = max(
            float(np.abs(uniform - ranks / values.size).max()),
            float(np.abs(uniform - (ranks + 1) / values.size).max()),
        )
        allowed = math.sqrt(math.log(2 / FALSE_ALARM) / 2 / values.size)
        close(
            f"distance of {name} from the uniform distribution",
            np.array(distance),
            np.array(0.0),
            allowed,
            quantity=Quantity.OTHER,
            ending=end,
        )


def _shown_by_distribution(modules: Any, name: str, size: int, _: Any) -> Ending | None:
    """Give the ending that checks the range and the distribution of one parameter."""
    text = f"""parameters = [dict(module.named_parameters())[{name!r}] for module in {{modules}}]
values = np.concatenate([numbers(parameter).ravel() for parameter in parameters])
uniform = np.sort(values * {size} ** 0.5 / 2 + 0.5)
ranks = np.arange(len(uniform))
apart = [np.abs(uniform - ranks / len(ranks)), np.abs(uniform - (ranks + 1) / len(ranks))]
allowed = np.sqrt(np.log(2 / {FALSE_ALARM}) / 2 / len(ranks))
outside = np.abs(values).max() * {size} ** 0.5 - 1
print("expected |value| * sqrt(hidden_size): at most 1; got:", outside + 1)
print("expected distance from uniform: at most", allowed, "; got:", np.max(apart))
fault = bool(outside > 1e-6 or np.max(apart) > allowed)"""
    return ending(text, modules=modules)


@requirement(source="torch.nn.Module.to documentation", applies=torch_module, **_CASES)
def to_dtype_converts_every_parameter(implementation: TorchModule, case: Case) -> None:
    """`to(dtype)` converts every parameter to the nearest number of the dtype.

    A little more than half a unit is allowed, for a conversion through a third type.
    """
    from conformance.implementations.pytorch.tensors import TORCH_DTYPES, to_array

    module = implementation.build(case)
    for name in implementation.supports.dtypes:
        noted = note(
            f"{{moved}} = copy.deepcopy({{module}}).to(torch.{name})", new=("moved",), module=module
        )
        with blamed():
            moved = copy.deepcopy(module).to(TORCH_DTYPES[name])
        noted.gave(moved)
        for parameter, tensor in moved.named_parameters():
            bind(tensor, moved, part(parameter))
            if tensor.dtype != TORCH_DTYPES[name]:
                raise WrongAttribute(parameter, "dtype", tensor.dtype, name, tensor)
        for parameter, tensor in implementation.parameters(moved, case).items():
            array = case.parameters[parameter]
            u = DTYPES[name].unit_roundoff
            exact = array.astype(np.float64)
            allowed = u * (1 + 2.0**-9) * np.abs(exact) + DTYPES[name].subnormal
            got = to_array(tensor, parameter)
            close(parameter, got, exact, allowed, quantity=Quantity.OTHER)


@requirement(
    source="torch.nn.LSTM and torch.nn.LSTMCell documentation: constructor parameters",
    applies=torch_module,
    **_CASES,
    should=True,
)
def attributes_are_the_arguments(implementation: TorchModule, case: Case) -> None:
    """The arguments of the constructor can be read back as attributes of the same names."""
    module = implementation.construct(case.configuration)
    for item in fields(case.configuration):
        with blamed():
            if not hasattr(module, item.name) and item.name not in ("input_size", "hidden_size"):
                continue
            got = _number(getattr(module, item.name, "missing"))
        expected = getattr(case.configuration, item.name)
        if got != expected:
            read = f"getattr({{it}}, {item.name!r}, 'missing')"
            end = unequal(read, expected, it=module)
            raise Mismatch(f"module.{item.name}", "", str(got), repr(expected), ending=end)


def _number(value: Any) -> bool | float | str:
    """Take a number as Python's; of anything else, which may equal whatever it likes, its text."""
    plain = value.item() if issubclass(type(value), np.generic) else value
    return plain if type(plain) in (bool, int, float) else shown(plain)


@requirement(
    source="torch.nn.Module.extra_repr documentation", applies=torch_module, **_CASES, should=True
)
def repr_tells_the_sizes(implementation: TorchModule, case: Case) -> None:
    """The repr of a module shows its input_size and its hidden_size."""
    module = implementation.construct(case.configuration)
    with blamed():
        text = str.__str__(repr(module))
    for size in (case.configuration.input_size, case.configuration.hidden_size):
        if str(size) not in text:
            end = unequal(f"'{size}' in repr({{it}})", True, it=module)
            raise Mismatch("repr(module)", "", text, f"a text that contains {size}", ending=end)


@requirement(
    source="torch.nn.Module.train and eval documentation",
    applies=torch_module,
    **{**_CASES, "share_of_cases": 0.5},
)
def train_mode_without_dropout_is_eval_mode(implementation: TorchModule, case: Case) -> float:
    """Without dropout, train mode gives the same results as eval mode."""
    bound = truth(case, implementation).bound
    module = implementation.build(case)
    expected = to_result(implementation.call(module, case), case)
    return agree(
        to_result(implementation.call(module.train(), case), case), expected, plus(bound, bound)
    )


@requirement(
    source="torch.func.vmap documentation: vmap(f) maps f over a dimension of its inputs",
    level="module",
    applies=and_also(torch_module, unbatched, offering("vmap", "torch.func.vmap")),
    share_of_cases=0.1,
    lengths=False,
    batched=True,
    states=True,
    batch_size=(1, 4),
    seq_len=(1, 6),
    should=True,
)
def vmap_over_rows_is_a_batch(implementation: TorchModule, case: Case) -> float:
    """Mapping the unbatched module over rows with torch.func.vmap gives the results of a batch."""
    import torch

    axis = 0 if case.configuration.batch_first else 1
    module = implementation.build(case)
    unbatched = without_batch(case)
    assert case.h_0 is not None
    assert case.c_0 is not None

    def row(x: Any, h_0: Any, c_0: Any) -> Any:
        return implementation.call_with(module, unbatched, x, (h_0, c_0))

    x, h_0, c_0 = (to_tensor(each, case.device) for each in (case.input, case.h_0, case.c_0))
    looped = "looped({module}, x, (h[0], c[0]))"
    call = looped if implementation.is_cell else "flat({module}(x, (h, c)))"
    noted = note(
        f"flat = lambda answer: (answer[0], *answer[1])\n"
        f"{{output}}, {{h_n}}, {{c_n}} = torch.func.vmap(\n"
        f"    lambda x, h, c: {call}, in_dims=({axis}, 1, 1), out_dims=({axis}, 1, 1)\n"
        f")({{x}}, {{h_0}}, {{c_0}})",
        new=("output", "h_n", "c_n"),
        module=module,
        x=x,
        h_0=h_0,
        c_0=c_0,
    )
    with blamed(), paused():
        mapped = torch.func.vmap(row, in_dims=(axis, 1, 1), out_dims=(axis, 1, 1))(x, h_0, c_0)
    noted.gave(*mapped)
    known = truth(case, implementation)
    return agree(to_result(mapped, case), known.result, known.bound)
