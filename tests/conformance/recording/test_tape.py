"""Taking down what is done."""

from pathlib import Path

import numpy as np
import pytest
import torch

from conformance import load
from conformance.implementations.implementation import answer
from conformance.implementations.pytorch.gradients import backward
from conformance.implementations.torch_module import is_torch_module
from conformance.recording.noting import (
    attempted,
    bind,
    compared,
    current,
    note,
    paused,
    read,
    recording,
    under,
)
from conformance.recording.operands import Made, Name, Origin, Part, Text
from conformance.recording.steps import Step
from conformance.reproductions.lines import Lines, component
from conformance.reproductions.record import Subject
from conformance.running import journal
from reference import Configuration
from tests.support.cases import RoundedReference, random_case


def test_note_does_nothing_without_a_tape() -> None:
    """Outside a recording, and where it is paused, nothing is taken down."""
    note("{x} = 1", new=("x",)).gave(1)
    assert current() is None
    with recording() as tape, paused():
        note("{x} = 1", new=("x",)).gave(1)
        assert compared(np.ones(1), np.ones(1), np.ones(1)) is None
    assert not tape.steps


def test_note_names_what_was_made() -> None:
    """What a step made has a name in later steps, in the order of the text; a part is one of it."""
    one, other, gradient = object(), object(), object()
    with recording() as tape:
        note("{x} = 1", new=("x",)).gave(one)
        note("{x} = 1", new=("x",)).gave(other)
        bind(gradient, other, ".grad")
        note("use({a}, {b}, {c}, {d})", a=one, b=other, c=gradient, d=None)
    first, second, use = tape.steps
    assert use.operands["a"] == first.new[0]
    assert use.operands["b"] == second.new[0] != first.new[0]
    assert use.operands["c"] == Part(second.new[0], ".grad")
    assert list(use.operands) == ["a", "b", "c", "d"]
    assert tape.whole
    lines = Lines(tape.steps)
    lines.take(tape.steps)
    assert lines.lines == ["x = 1", "x_2 = 1", "use(x, x_2, x_2.grad, None)"]


def test_note_of_something_unknown_leaves_the_tape_unwhole() -> None:
    """An object that no step made cannot be written down."""
    with recording() as tape:
        note("use({a})", a=object())
    assert not tape.whole


def test_calls_that_give_one_tensor_twice_leave_the_tape_unwhole() -> None:
    """A later step could mean either variable; what is no call may give what it took."""
    case, output = random_case(Configuration(1, 1)), torch.zeros(1)
    with recording() as tape:
        note("{y} = lstm()", new=("y",), case=case).gave(output)
        note("{y} = {x}.contiguous()", new=("y",), x=output).gave(output)
        assert tape.whole
        note("{y} = lstm()", new=("y",), case=case).gave(output)
    assert not tape.whole


def test_note_passes_each_step_on_before_it_is_taken() -> None:
    """The sink has a step although what it is about then fails."""
    seen: list[Step] = []
    implementation = load("torch.nn.LSTM")
    assert is_torch_module(implementation)
    case = random_case(Configuration(2, 3))
    spoiled = torch.zeros(1, 1, 1, 1)
    with recording(seen.append), pytest.raises(Exception, match=r"input must|Expected|got"):
        implementation.call_with(implementation.build(case), case, spoiled, None)
    assert seen[-1].text.startswith("{output}, ({h_n}, {c_n}) = {module}(")


def test_read_keeps_what_a_variable_held() -> None:
    """A look at a tensor is copied out of the way of what comes later, if anything does."""
    x, before, after = torch.zeros(1), np.zeros(1), np.ones(1)
    with recording() as tape:
        note("{x} = 0", new=("x",)).gave(x)
        read(before, x)
        note("change({x})", x=x)
        read(after, x)
    lines = Lines(tape.steps, [tape.found(before)])
    lines.take(tape.steps)
    assert lines.lines == ["x = 0", "x_before = x.detach().clone()", "change(x)"]
    assert [lines.fill(tape.found(each)) for each in (before, after)] == ["x_before", "x"]


def test_component_leaves_out_what_has_nothing_to_do_with_it() -> None:
    """Steps on other variables are dropped, those on none are kept."""
    a, b = Name(1, "a"), Name(2, "b")
    steps = [Step("{a} = 1", (a,), {"a": a}), Step("{b} = 1", (b,), {"b": b}), Step("seed()")]
    assert component(steps, {a}) == [steps[0], steps[2]]


def test_under_and_attempted_mark_steps() -> None:
    """A step knows the blocks around it, and whether it is to be refused."""
    with recording() as tape:
        with under("torch.no_grad()"):
            note("a()")
        for _ in range(2):
            with attempted():
                note("b()")
    assert [len(step.under) for step in tape.steps] == [1, 0, 0]
    assert [step.attempt for step in tape.steps] == [None, 1, 2]


@pytest.mark.parametrize("name", ["torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"])
def test_tape_knows_all_of_a_backward_pass(name: str) -> None:
    """Forward and backward of an adapter are taken down whole."""
    implementation = load(name)
    assert is_torch_module(implementation)
    case = random_case(Configuration(2, 3))
    with recording() as tape:
        backward(implementation, case, implementation.run(case))
    assert tape.whole
    assert any(step.text == "{loss}.backward()" for step in tape.steps)


def test_journal_keeps_what_was_written_before_the_end(tmp_path: Path) -> None:
    """An entry and its steps are read back, the last one cut off or not."""
    kept = journal.Journal(tmp_path / "one")
    case = random_case(Configuration(2, 3))
    subject = Subject("r", "i", "cpu", "f", "c", {"torch": "1"})
    now = journal.Doing("doing", "i", 5.0)
    with recording(kept.write(journal.Entry(now, case, subject))):
        load("torch.nn.LSTM").run(case)
    kept.close()
    file = tmp_path / "one.journal"
    whole = file.read_bytes()
    entry = journal.read(tmp_path / "one")
    assert entry is not None
    assert (entry.now, entry.subject) == (now, subject)
    assert repr(entry.case) == repr(case)
    assert entry.steps[0].text.startswith("{lstm} = ")
    file.write_bytes(whole[:-7])
    cut = journal.read(tmp_path / "one")
    assert cut is not None
    assert len(cut.steps) == len(entry.steps) - 1
    assert journal.read(tmp_path / "none") is None


class Numbered(RoundedReference):
    """Cannot be made without arguments."""

    def __init__(self, number: int) -> None:
        super().__init__()


class Told(Numbered):
    """Says how it is made."""

    constructed = Text("Told(3)", ("from mine import Told",))


def test_answer_tells_how_an_implementation_is_made() -> None:
    """Without arguments, as it says itself, or not at all."""
    case = random_case(Configuration(2, 3))
    made = {}
    for implementation in (RoundedReference(), Told(3), Numbered(3)):
        with recording() as tape:
            answer(implementation, case)
        made[type(implementation)] = tape.whole, tape.steps[0].operands["implementation"]
    assert made[RoundedReference] == (True, Made(Origin.of(RoundedReference)))
    assert made[Told] == (True, Told.constructed)
    assert not made[Numbered][0]
