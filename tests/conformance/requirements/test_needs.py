"""What requirements need of an implementation, and what a type checker makes of that."""

from typing import TYPE_CHECKING

import pytest

from conformance import Implementation, Support, load
from conformance.checking.requirement import requirement
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.helpers.needs import and_also, dropout, torch_module, unbatched
from reference import Case
from tests.support.cases import RoundedReference

if TYPE_CHECKING:
    # a type checker holds bodies to what their needs let through: without these comments it objects

    @requirement(source="", level="core")  # type: ignore[arg-type]
    def takes_a_module_without_needing_one(implementation: TorchModule, case: Case) -> None: ...

    @requirement(source="", level="core", applies=unbatched)  # type: ignore[arg-type]
    def needs_something_else(implementation: TorchModule, case: Case) -> None: ...

    @requirement(source="", level="core", applies=and_also(torch_module, unbatched))
    def needs_a_module(implementation: TorchModule, case: Case) -> None:
        implementation.built(case)  # type: ignore[attr-defined]


class BuildsSomething(RoundedReference):
    """Has a method whose name a torch module's adapter has as well."""

    def build(self) -> None: ...


def test_torch_module_is_one_with_all_methods() -> None:
    """A method `build` of an adapter's own makes no torch module of it."""
    assert torch_module(BuildsSomething()) == "not a torch module"
    lstm = load("torch.nn.LSTM")
    assert torch_module(lstm) is lstm


@pytest.mark.parametrize(
    ("implementation", "told"),
    [
        (RoundedReference(support=Support(dropout=False)), "has no dropout between layers"),
        (RoundedReference(support=Support(batched=(True,))), "not a torch module"),
        (load("torch.nn.LSTM"), None),
    ],
)
def test_reason_is_that_of_the_first_need_unmet(
    implementation: Implementation, told: str | None
) -> None:
    """Where all are met the implementation itself comes back."""
    found = and_also(dropout, unbatched)(implementation)
    assert found == (implementation if told is None else told)
