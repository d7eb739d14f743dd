"""Requirements: their registration, and that all of them are well formed."""

import pytest

from conformance import REQUIREMENTS, Implementation, Support
from conformance.checking.requirement import LEVELS, REGISTERED, Requirement, requirement
from reference import Case
from strategies import lstm_cases


@pytest.fixture
def _own_register(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    for name in list(REGISTERED):
        monkeypatch.delitem(REGISTERED, name)


@pytest.mark.usefixtures("_own_register")
def test_requirement_registers_its_function() -> None:
    """The function's name and docstring become name and claim, options become cases."""

    @requirement(source="the paper", level="core", share_of_cases=0.5, num_layers=(1, 1), bias=True)
    def water_is_wet(implementation: Implementation, case: Case) -> None:
        """Water is
        wet.
        """

    registered = REGISTERED["water_is_wet"]
    assert registered.body is water_is_wet
    assert (registered.name, registered.claim) == ("water_is_wet", "Water is wet.")
    assert (registered.source, registered.level) == ("the paper", "core")
    assert registered.cases == {"num_layers": (1, 1), "bias": True}
    assert registered.share_of_cases == 0.5
    REGISTERED.clear()


@pytest.mark.usefixtures("_own_register")
def test_requirement_refuses_a_second_of_the_same_name() -> None:
    """Two requirements of one name would hide one of them."""

    def twice(implementation: Implementation, case: Case) -> None:
        """Hold."""

    requirement(source="s", level="core")(twice)
    with pytest.raises(ValueError, match="two requirements named twice"):
        requirement(source="s", level="core")(twice)
    REGISTERED.clear()


@pytest.mark.usefixtures("_own_register")
def test_requirement_refuses_a_missing_docstring() -> None:
    """A requirement without a claim is none."""

    def silent(implementation: Implementation, case: Case) -> None:
        pass

    with pytest.raises(ValueError, match="silent needs a docstring"):
        requirement(source="s", level="core")(silent)
    assert not REGISTERED


def test_requirement_refuses_an_unknown_level() -> None:
    """A level that is not in the list is refused."""
    with pytest.raises(ValueError, match="level must be one of core, "):
        requirement(source="s", level="easy")


@pytest.mark.parametrize("item", REQUIREMENTS.values(), ids=REQUIREMENTS)
def test_every_requirement_is_well_formed(item: Requirement) -> None:
    """It has a claim that is a sentence, a source, a level, and cases that can be drawn."""
    assert item.name == item.body.__name__
    assert item.name.islower()
    assert item.claim.endswith(".")
    assert item.source
    assert item.level in LEVELS
    assert item.share_of_cases > 0
    assert item.body.__module__.startswith("conformance.requirements.")
    lstm_cases(Support(devices=("cpu", "cuda:0")), **item.cases).validate()
