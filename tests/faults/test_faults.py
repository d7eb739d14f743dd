"""The proof that a green means something: every faulty LSTM is caught, and the plain one passes."""

import re

import pytest

from conformance import REQUIREMENTS, Budget, NotApplicable, Passed, check
from conformance.checking.finding import Finding
from conformance.implementations.pytorch.modules import set_exact_arithmetic
from conformance.implementations.pytorch.probing import adapt

from .board import SEED
from .plain import PlainLSTM, PlainLSTMCell
from .reproducing import reproduction
from .verifying import CUDA, QUICK, by_command, caught, undecidable, verify
from .zoo import FAMILIES, FAULTS, Fault, checked, known_bugs

pytestmark = pytest.mark.filterwarnings("default")

CHEAP = [name for name, each in REQUIREMENTS.items() if not each.costly]
COSTLY = [fault for fault in FAULTS if REQUIREMENTS[fault.caught_by].costly]
CRASHES = FAMILIES["crashes"]
TAME = [fault for fault in FAULTS if fault not in (*COSTLY, *CRASHES)]


@pytest.fixture(autouse=True)
def _exact_arithmetic() -> None:
    set_exact_arithmetic()


@pytest.mark.slow
@pytest.mark.parametrize("fault", TAME, ids=lambda fault: fault.__name__)
def test_fault_is_caught_by_the_requirement_it_names(fault: Fault) -> None:
    """The requirement that the fault names rejects it within the quick profile's cases.

    The script that is written of it is Python.
    """
    if undecidable(fault):
        pytest.skip(f"{fault.caught_by} needs a CUDA device")
    findings: list[Finding] = []
    assert caught(verify(fault, fault.caught_by, SEED, keep=findings.append))
    compile(reproduction(fault, findings[-1]).text, "reproduce.py", "exec")


@pytest.mark.slow
@pytest.mark.parametrize("fault", CRASHES, ids=lambda fault: fault.__name__)
def test_crash_or_hang_is_reported_by_the_command(fault: Fault) -> None:
    """``lstm-conformance verify`` survives the fault and reports that it was caught."""
    assert caught(by_command(fault, SEED))


@pytest.mark.slow
@pytest.mark.parametrize("requirement", CHEAP)
@pytest.mark.parametrize("cls", [PlainLSTM, PlainLSTMCell], ids=lambda cls: cls.__name__)
def test_plain_lstm_passes(cls: type, requirement: str) -> None:
    """What the faulty ones are derived from meets every requirement."""
    plain = adapt(cls, cls.__name__)
    verdict = check(REQUIREMENTS[requirement], plain, "cpu", Budget(QUICK, SEED))
    assert isinstance(verdict, (Passed, NotApplicable)), verdict.lines()


def test_every_requirement_is_named_by_a_fault() -> None:
    """There is no requirement without a faulty LSTM that it must catch."""
    left = set(REQUIREMENTS) - {fault.caught_by for fault in FAULTS}
    assert not left, f"no fault has caught_by = {' or '.join(sorted(left))}: add one"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("caught_by", "no_such_claim", "'no_such_claim', which is no requirement"),
        ("bug", "HW-no-such-bug", "HW-no-such-bug, of which bugs.tsv has no row"),
    ],
)
def test_fault_that_names_what_does_not_exist_is_refused(name: str, value: str, told: str) -> None:
    """A requirement or a bug that is misspelled is told with the name of the fault."""
    with pytest.raises(ValueError, match=f"^Misspelled names {told}"):
        checked([type("Misspelled", (FAULTS[0],), {name: value})])


def test_faults_that_need_cuda_are_the_family_of_devices() -> None:
    """Only faults about devices go untested where there is no CUDA device."""
    assert {fault for fault in FAULTS if fault.caught_by in CUDA} < set(FAMILIES["devices"])


def test_faults_have_names_of_their_own() -> None:
    """No two faulty LSTMs have the same name."""
    names = [fault.__name__ for fault in FAULTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_confesses_in_one_sentence(fault: Fault) -> None:
    """Its docstring is one line that ends with a full stop, and is no other fault's."""
    assert re.fullmatch(r"[A-Z].*\.", fault.__doc__ or "")


def test_known_bugs_are_those_that_the_faults_name() -> None:
    """bugs.tsv lists no bugs but those that faulty LSTMs name."""
    left = set(known_bugs()) - {bug for fault in FAULTS for bug in fault.bug.split()}
    assert not left, f"no fault has these ids in `bug`: {', '.join(sorted(left))}"


def test_known_bugs_are_ids_with_links() -> None:
    """Each has a well-formed id and a description, and is linked unless it is hand-written."""
    for identifier, bug in known_bugs().items():
        assert re.fullmatch(r"[A-Z]{2}(-[a-z0-9]+)+", identifier)
        assert bug["description"]
        assert bug["url"].startswith("https://github.com/") or identifier.startswith("HW-")
