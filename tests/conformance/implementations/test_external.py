"""LSTMs in processes of their own: what they answer, and what becomes of those that misbehave."""

import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, Budget, CommandImplementation, UsageError, check
from conformance.checking.comparison import against_reference
from conformance.checking.verdict import Crashed, Failed, NotApplicable, Passed, TimedOut, Verdict
from reference import Case, Configuration
from strategies import Support
from tests.support import misbehaving_program
from tests.support.cases import RoundedReference, random_case
from tests.support.programs import SEVERAL, SINGLE, command_of

WRONG = {
    "writes_noise_before": ("wrote something that is not JSON (", "'loading weights ...'"),
    "writes_noise_after": ("wrote without being asked: 'done in 3 ms'",),
    "writes_null": ("wrote something that is not a JSON object: 'null'",),
    "writes_an_empty_line": ("wrote something that is not JSON (Expecting value", ": ''"),
    "writes_bytes": ("wrote something that is not JSON ('utf-8' codec", r"\\xff\\xfe"),
    "writes_brackets": ("wrote something that is not JSON (", "... (60000 characters)"),
    "writes_nan_as_a_number": ('NaN must be in quotes, "NaN"', '\'{"id": '),
    "writes_nan_as_null": ("wrote an invalid result (c_n.values[0] ", "and is null", '\'{"id": '),
    "writes_a_number_beyond_float64": ("c_n has a number that is too large for float64",),
    "forgets_c_n": ("wrote an invalid result (must contain ['c_n'] properties", '\'{"id": '),
    "adds_a_field": ("must not contain {'seconds'} properties, only id, output, h_n, c_n",),
    "answers_another_request": ("answered id ", " to id ", '\'{"id": '),
    "counts_values_wrongly": ("h_n has ", " values for shape [1, "),
    "writes_too_much": ("wrote more than ", ' bytes for an answer: \'{"id": '),
    "floods": ("wrote more than ", " bytes for an answer: 'xxx", "characters)"),
    "tells_an_error": ("answered with an error: the kernel is on fire",),
    "raises": ("exited with status 1", "RuntimeError: the kernel is on fire"),
    "exits": ("exited with status 3",),
    "exits_in_the_middle": ('exited with status 0; so far it wrote \'{"id": ',),
    "segfaults": ("was ended by SIGSEGV", "  about to read address 0"),
    "closes_its_output": ("closed its standard output",),
}
LATE = {
    "sleeps": ("gave no answer within 2 s",),
    "loops_forever": ("gave no answer within 2 s",),
    "answers_slowly": ("gave no answer within 2 s; so far it wrote '{",),
    "sleeps_with_children": ("gave no answer within 2 s",),
}
MISMATCHED = {
    "returns_another_shape": ("h_n.shape = (1, ", "but should be (1, "),
    "returns_float64": ("output[0, 0, 0] = 0.1, but should be a number of float32",),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*WRONG, *LATE, *MISMATCHED])
def test_command_misbehaviour_is_a_verdict(fault: str) -> None:
    """It says what came instead of an answer and on which case; the next requirement passes."""
    answering = 2 if fault in LATE else 20
    implementation = CommandImplementation(command_of(fault), answering=answering)
    asked: list[Case] = []
    shrink_seconds = 60 if fault in LATE else 0.5
    budget = Budget(5, seed=1, shrink_seconds=shrink_seconds)
    verdict = check(SEVERAL, implementation, budget=budget, before=asked.append)
    assert fault not in LATE or len(asked) == verdict.cases, "a hanging case is not made smaller"
    kind: type[Verdict] = Crashed if fault in WRONG else TimedOut if fault in LATE else Failed
    assert type(verdict) is kind, verdict
    assert verdict.counterexample is not None
    for part in {**WRONG, **LATE, **MISMATCHED}[fault]:
        assert part in verdict.counterexample.message
    assert len(verdict.counterexample.message) < 1500
    assert verdict.counterexample.case.startswith("<LSTM ")
    assert "seq_len=1 " not in verdict.counterexample.case
    after = check(SINGLE, implementation, budget=Budget(5, seed=1))
    assert isinstance(after, Passed), after
    assert after.cases == 5
    implementation.close()


OTHERS = {
    *("is_right", "writes_noise_later", "doubles_a_gradient", "names_a_stranger"),
    "takes_its_time",
}


def test_command_noise_between_cases_is_told(tmp_path: Path) -> None:
    """What is written while nothing was asked counts against the next case."""
    notes = tmp_path / "notes"
    implementation = CommandImplementation(command_of("writes_noise_later", notes))
    case = random_case(Configuration(2, 3))
    assert against_reference(implementation, case) <= 1
    notes.with_suffix(".more").touch()
    while len(notes.read_text().splitlines()) < 2:
        time.sleep(0.01)
    verdict = check(SINGLE, implementation, budget=Budget(5, seed=1, shrink_seconds=0))
    assert isinstance(verdict, Crashed)
    told = "wrote without being asked: 'garbage collected'"
    assert verdict.counterexample is not None
    assert verdict.counterexample.message == told


GRADIENTS = REQUIREMENTS["gradients_match_backpropagation"]


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("is_right", Passed, ""),
        ("doubles_a_gradient", Failed, "gradient of bias_hh_l0["),
        ("names_a_stranger", Crashed, "(gradients must not contain {'kernel'} properties"),
        ("tells_an_error", Crashed, "answered with an error: the kernel is on fire"),
        ("sleeps", TimedOut, "gave no answer within 2 s"),
    ],
)
def test_command_offers_gradients(fault: str, kind: type[Verdict], told: str) -> None:
    """Gradients are asked for where they are offered, and are verdicts like results."""
    answering = 2 if kind is TimedOut else 20
    implementation = CommandImplementation(command_of(fault), answering=answering)
    verdict = check(GRADIENTS, implementation, budget=Budget(20, seed=1, shrink_seconds=1))
    assert type(verdict) is kind, verdict
    assert (kind is Passed) == (verdict.counterexample is None)
    assert verdict.counterexample is None or told in verdict.counterexample.message


def test_command_faults_are_all_tried() -> None:
    """Each fault of the program is one of the tests here."""
    faults = {
        name
        for name, value in vars(misbehaving_program).items()
        if getattr(value, "__code__", None)
        and value.__code__.co_varnames[:1] in (("right",), ("_",))
    }
    assert faults == {*WRONG, *LATE, *MISMATCHED, *OTHERS}


def test_command_keeps_its_process(tmp_path: Path) -> None:
    """One process answers all cases."""
    started = tmp_path / "started"
    implementation = CommandImplementation(command_of("exits", started))
    verdict = check(SINGLE, implementation, budget=Budget(20, seed=1))
    assert isinstance(verdict, Passed)
    assert len(started.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "--command needs a program to run"),
        ("'", '"\'" is not a command: No closing quotation'),
        ("no-such-program --fast", "'no-such-program --fast' cannot be started: "),
        ("false", "'false' did not send a hello: it exited with status 1"),
        (
            "echo hello",
            "it wrote something that is not JSON (Expecting value: line 1 column 1 (char 0)): 'hel",
        ),
        ("sleep 1000", "'sleep 1000' did not send a hello: it gave no answer within 0.3 s"),
        (
            f"{shlex.quote(sys.executable)} no_such.py",
            "it exited with status 2 / its standard error ends with: / ",
        ),
        (
            "echo '{\"protocol\": 2}'",
            "did not send a hello: it speaks protocol 2, but this lstm-conformance speaks 1",
        ),
        (
            'echo \'{"protocol": 1, "name": "x", "supports": {"layers": 2}}\'',
            "supports must not contain {'layers'} properties, only dtypes, devices, min_layers, ",
        ),
        (
            'echo \'{"protocol": 1, "name": "x", "supports": {"dtypes": ["int8"]}}\'',
            "(supports.dtypes[0] must be one of ['float64', 'float32', 'float16', 'bfloat16'], and",
        ),
    ],
)
def test_command_that_does_not_start_is_refused_in_one_line(text: str, told: str) -> None:
    """What cannot be started, or does not say what it is: one line that says why."""
    with pytest.raises(UsageError) as caught:
        CommandImplementation(text, starting=0.3 if text.startswith("sleep") else 20)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_command_must_stay_what_it_was(tmp_path: Path) -> None:
    """A process that sends another hello after a restart is not asked any more."""
    program = tmp_path / "changing.py"
    program.write_text(
        "import os, pathlib\n"
        "path = pathlib.Path('started')\n"
        "count = len(path.read_text()) if path.exists() else 0\n"
        "path.write_text('x' * (count + 1))\n"
        'print(\'{"protocol": 1, "name": "number %d"}\' % count, flush=True)\n'
        "input()\n"
    )
    folder = Path.cwd()
    os.chdir(tmp_path)
    try:
        implementation = CommandImplementation(shlex.join([sys.executable, str(program)]))
        verdicts = [
            check(SINGLE, implementation, budget=Budget(1, seed=1, shrink_seconds=0))
            for _ in range(3)
        ]
    finally:
        os.chdir(folder)
    assert implementation.name == "number 0"
    messages = [verdict.counterexample and verdict.counterexample.message for verdict in verdicts]
    assert messages[0] == "exited with status 0"
    told = 'sends another hello after a restart: \'{"protocol": 1, "name": '
    assert messages[1:] == [f'{told}"number {count}"}}\'' for count in (1, 2)]


def test_numbers_of_a_process_are_on_no_device() -> None:
    """Where they were computed cannot be seen, whatever devices the process says it has."""
    support = Support(devices=("cpu", "cuda:0"), own_process=True)
    mine = RoundedReference(support=support)
    decided = check(REQUIREMENTS["results_stay_on_device"], mine, budget=Budget(4))
    assert isinstance(decided, NotApplicable)
    assert decided.reason == "returns NumPy arrays"
