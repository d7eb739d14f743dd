"""Requirements on devices: the results are the same on each, and devices are not mixed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checking.comparison import agree, nothing, plus
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.helpers.needs import torch_module
from conformance.requirements.helpers.refusals import call_refused
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.variations import given_and_omitted
from reference import Case

CUDA = [f"cuda:{index}" for index in range(64)]


@requirement(
    source="torch.device documentation: the device an operation is computed on; the equations "
    "mention no device",
    level="core",
    devices=CUDA,
)
def device_and_cpu_agree(implementation: Implementation, case: Case) -> float:
    """Results on a CUDA device equal those on the CPU, within the sum of both bounds.

    With initial states and without.
    """
    share = 0.0
    for here in given_and_omitted(case, implementation.supports.states):
        there = replace(here, device="cpu")
        bound = plus(*(truth(each, implementation).bound for each in (here, there)))
        share = max(share, agree(run(implementation, here), run(implementation, there), bound))
    return share


_MIXED: dict[str, Any] = {
    "source": "torch.Tensor documentation: tensors on different devices do not mix",
    "level": "module",
    "share_of_cases": 0.2,
    "devices": CUDA,
    "lengths": False,
}


@requirement(applies=torch_module, **_MIXED, should=True)
def input_on_another_device_is_refused(implementation: TorchModule, case: Case) -> float:
    """A module on a CUDA device refuses input on the CPU."""
    return call_refused(
        implementation,
        case,
        "input on the CPU",
        lambda x, h, c: (x.cpu(), None if h is None else (h, c)),
    )


@requirement(applies=torch_module, **_MIXED, states=True, should=True)
def states_on_another_device_are_refused(implementation: TorchModule, case: Case) -> float:
    """A module on a CUDA device, with input there, refuses initial states on the CPU."""
    return call_refused(
        implementation, case, "states on the CPU", lambda x, h, c: (x, (h.cpu(), c.cpu()))
    )


@requirement(
    source="torch.nn.Module.to documentation: moves the parameters",
    level="module",
    applies=torch_module,
    share_of_cases=0.2,
    devices=CUDA,
    should=True,
)
def moving_to_the_cpu_and_back_changes_nothing(implementation: TorchModule, case: Case) -> float:
    """A module that was moved to the CPU and back gives the same bits as before."""
    session = session_of(implementation, case)
    before = session.run(case)
    session.module.cpu().to(case.device)
    return agree(session.run(case), before, nothing(before))
