"""Requirements on the parameters of a torch module, and on modules stored and copied."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import replace
from typing import Any

from conformance.checking.comparison import agree, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch, blamed
from conformance.implementations.torch_module import TorchModule
from conformance.recording.ending import unequal
from conformance.recording.noting import note
from conformance.requirements.helpers.gradients import cotangents, module_gradients
from conformance.requirements.helpers.needs import torch_module
from conformance.requirements.helpers.torch_only import differentiated, to_result
from reference import Case

STATE_DICT = "torch.nn.LSTM documentation, 'Variables'"
_CASES: dict[str, Any] = {"level": "module", "share_of_cases": 0.3}


@requirement(source=STATE_DICT, applies=torch_module, **_CASES, should=True)
def state_dict_is_as_documented(implementation: TorchModule, case: Case) -> None:
    """The state_dict has the documented names and shapes, in order, with and without biases."""
    for bias in implementation.supports.bias:
        configuration = replace(case.configuration, bias=bias)
        module = implementation.construct(configuration)
        with blamed():
            state = module.state_dict()
        got = {name: tuple(getattr(tensor, "shape", ())) for name, tensor in state.items()}
        expected = {
            implementation.rename(name): shape
            for name, shape in configuration.parameter_shapes().items()
        }
        if list(got.items()) != list(expected.items()):
            read = "[(name, tuple(tensor.shape)) for name, tensor in {it}.state_dict().items()]"
            shown = unequal(read, list(expected.items()), it=module)
            what = f"state_dict with {bias=}"
            raise Mismatch(what, "", str(got), str(expected), ending=shown)


@requirement(
    source="torch.nn.Module.parameters documentation", applies=torch_module, **_CASES, should=True
)
def every_weight_is_a_parameter(implementation: TorchModule, case: Case) -> None:
    """Every tensor of the state_dict is a parameter that requires gradients."""
    module = implementation.construct(case.configuration)
    parameters = {name: each.requires_grad for name, each in module.named_parameters()}
    with blamed():
        state = module.state_dict()
    for name in state:
        if not parameters.get(name):
            read = f"dict({{it}}.named_parameters()).get({name!r}, torch.empty(0)).requires_grad"
            shown = unequal(read, True, it=module)
            got = str(parameters.get(name))
            raise Mismatch(f"{name}.requires_grad", "", got, "True", ending=shown)


def _equal_after(
    implementation: TorchModule, case: Case, copied: Any, *, whole: bool = False
) -> float:
    """Compare a copy with its original, and if it is a `whole` module their modes as well."""
    module = implementation.build(case)
    before = to_result(implementation.call(module, case), case)
    with blamed():
        other = copied(module)
    if whole and other.training:
        shown = unequal("{it}.training", False, it=other)
        raise Mismatch("training of a copy in eval mode", "", "True", "False", ending=shown)
    after = to_result(implementation.call(other, case), case)
    if whole:
        _same_mode_and_freezing(implementation, case, copied)
    bound = truth(case, implementation).bound
    return agree(after, before, plus(bound, bound))


def _same_mode_and_freezing(implementation: TorchModule, case: Case, copied: Any) -> None:
    """Copy a module in train mode one of whose parameters is frozen, after a backward pass."""
    differentiable = not isinstance(module_gradients(implementation), str)
    name = next(iter(case.parameters))
    trained = differentiated(implementation, case, frozen=[name] if differentiable else ())
    if differentiable:
        trained.backward(cotangents(case))
    with blamed():
        other = copied(trained.module)
    if not other.training:
        shown = unequal("{it}.training", True, it=other)
        raise Mismatch("training of a copy in train mode", "", "False", "True", ending=shown)
    for parameter, tensor in implementation.parameters(other, case).items():
        expected = not differentiable or parameter != name
        if tensor.requires_grad != expected:
            shown = unequal("{it}.requires_grad", expected, it=tensor)
            what = f"requires_grad of the copied {parameter}"
            raise Mismatch(what, "", str(tensor.requires_grad), str(expected), ending=shown)


@requirement(source="torch.nn.Module.load_state_dict documentation", applies=torch_module, **_CASES)
def state_dict_round_trips(implementation: TorchModule, case: Case) -> float:
    """A new module that loads the state_dict of another computes the same results."""

    def loaded(module: Any) -> Any:
        other = implementation.construct(case.configuration)
        dtype = next(module.parameters()).dtype
        note(f"{{other}}.to({case.device!r}, {dtype})", other=other)
        other.to(dtype).to(case.device).eval()
        note("{other}.load_state_dict({module}.state_dict())", other=other, module=module)
        other.load_state_dict(module.state_dict())
        return other

    return _equal_after(implementation, case, loaded)


@requirement(
    source="copy.deepcopy documentation: the copy is independent", applies=torch_module, **_CASES
)
def deepcopy_is_an_independent_equal(implementation: TorchModule, case: Case) -> float:
    """A deep copy computes the same results, also after the original has changed.

    The copy is in the mode of the original, train or eval, and the same parameters are frozen.
    """
    import torch

    def copied(module: Any) -> Any:
        noted = note("{copied} = copy.deepcopy({module})", new=("copied",), module=module)
        other = copy.deepcopy(module)
        noted.gave(other)
        note("for parameter in {module}.parameters():\n    parameter.data.add_(1)", module=module)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(1)
        return other

    return _equal_after(implementation, case, copied, whole=True)


@requirement(
    source="pickle documentation; torch.save documentation",
    applies=torch_module,
    **_CASES,
    should=True,
)
def pickle_round_trips(implementation: TorchModule, case: Case) -> float:
    """A module that was pickled and read back computes the same results.

    It is in the mode of the original, train or eval, and the same parameters are frozen.
    """

    def pickled(module: Any) -> Any:
        read = note("{read} = pickle.loads(pickle.dumps({module}))", new=("read",), module=module)
        other = pickle.loads(pickle.dumps(module))
        read.gave(other)
        return other

    return _equal_after(implementation, case, pickled, whole=True)


@requirement(
    source="torch.save and torch.load documentation",
    applies=torch_module,
    **{**_CASES, "share_of_cases": 0.5},
)
def torch_save_round_trips(implementation: TorchModule, case: Case) -> float:
    """A state_dict that went through torch.save and torch.load gives the same results."""
    import torch

    def saved(module: Any) -> Any:
        file = io.BytesIO()
        note(
            "{file} = io.BytesIO()\ntorch.save({module}.state_dict(), {file})\n{file}.seek(0)",
            new=("file",),
            module=module,
        ).gave(file)
        torch.save(module.state_dict(), file)
        file.seek(0)
        other = implementation.build(case)
        note("for parameter in {other}.parameters():\n    parameter.data.zero_()", other=other)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        note("{other}.load_state_dict(torch.load({file}))", other=other, file=file)
        other.load_state_dict(torch.load(file))
        return other

    return _equal_after(implementation, case, saved)
