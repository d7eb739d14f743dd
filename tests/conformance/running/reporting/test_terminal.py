"""What the terminal shows of verdicts."""

import io
from dataclasses import replace
from typing import Any

from rich.console import Console, RenderableType

from conformance import REQUIREMENTS
from conformance.checking.counterexample import Counterexample, Diagnosis
from conformance.checking.verdict import (
    Crashed,
    Failed,
    FailedShould,
    NotApplicable,
    Passed,
    TimedOut,
    Undecided,
    from_json,
)
from conformance.running.reporting.alike import together
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal.failures import IN_FULL, failures
from conformance.running.reporting.terminal.summary import summarize
from conformance.running.reporting.terminal.tables import listed, table

EXPLANATION = "The results equal those of an LSTM without bias_hh, here and in 3 further cases."
NOTHING = Diagnosis()
PARTED = "The results first differ in layer 0, step 0, row 0, feature 0: it is off."


def plain(rendered: RenderableType, width: int = 200) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, color_system=None).print(rendered)
    return buffer.getvalue()


def failed(name: str, diagnosis: Diagnosis = NOTHING, **more: Any) -> Failed:
    more = {"tensors": {}, "diagnosis": diagnosis, **more}
    found = Counterexample("<LSTM 1->1>", f"{name} is off", **more)
    return Failed(name, "mine", "cpu", 3, 0.014, counterexample=found)


def raised(name: str, text: str, where: str) -> Crashed:
    found = Counterexample("<LSTM>", f"raised mine.MyError: {text}", {}, kind="raised")
    found = replace(found, what="mine.MyError", where=where)
    return Crashed(name, "mine", "cpu", counterexample=found)


def test_table_keeps_names_whole() -> None:
    """In a table of 100 columns the longest name of a requirement is on one line."""
    name = "batched_states_with_unbatched_input_are_refused"
    assert f" {name} " in table([Passed(name, "mine", "cpu", 8, 0.5, 1.0)])


def test_requirements_keep_their_names_whole() -> None:
    """In a terminal of 80 columns each name is on one line."""
    told = plain(listed(REQUIREMENTS.values()), 80)
    assert all(f" {name} " in told for name in REQUIREMENTS)


def test_table_tells_what_is_undecided_from_what_timed_out() -> None:
    """Only what was waited for has timed out, and only that took seconds."""
    case = Counterexample("<LSTM 1->1>", "no verdict within 3 s", {})
    late = TimedOut("rows_do_not_interact", "mine", "cpu", seconds=3.1, counterexample=case)
    undecided = Undecided("layers_are_a_chain", "mine", "cpu", reason="the time is up")
    told = " ".join(table([late, undecided]).replace("│", " ").split())
    assert "rows_do_not_interact timed out 3.1 layers_are_a_chain undecided" in told
    assert told.count("timed out") == 1
    assert "0.0" not in told
    assert from_json(undecided.to_json()) == undecided


def test_table_shows_no_share_of_what_failed() -> None:
    """That of the cases before the failure is left out, that of what passed is not."""
    told = table(
        [failed("a"), Crashed("b", "mine", "cpu", 2, 0.5), Passed("c", "mine", "cpu", 2, 1)]
    )
    assert "1.4%" not in told
    assert "50.0%" not in told
    assert "100.0%" in told


def test_table_counts_requirements_that_are_not_applicable() -> None:
    """One is not called several."""
    one = NotApplicable("a", "mine", "cuda", reason="no CUDA")
    assert table([one]).strip() == "mine on cuda: 1 requirement not applicable, no CUDA"
    assert "2 requirements not applicable" in table([one, one])


def test_table_leaves_out_what_was_not_begun() -> None:
    """The reds say so once; of an implementation of which something was decided all is listed."""
    undecided = Undecided("b", "mine", "cpu", reason="not begun")
    assert not table([undecided, replace(undecided, requirement="c")]).strip()
    assert "undecided" in table([undecided, Passed("a", "mine", "cpu")])


def test_failures_tell_what_is_undecided_in_one_line() -> None:
    """However many requirements it is; one that was tried is told by itself."""
    reason = "the run's time limit of 1 s was reached"
    undecided = [Undecided(f"r{number}", "mine", "cpu", reason=reason) for number in range(100)]
    told = plain(failures([*undecided, failed("a")])).split("\n")
    assert f"mine on cpu: undecided, {reason}: 100 requirements" in told
    assert "start here: mine on cpu: a failed" in told
    assert len(told) < 10


def test_failures_tell_a_common_explanation_once() -> None:
    """The details are those of one; the others are counted and named."""
    alone = "In this step the input gate is off."
    found = Diagnosis(parted=PARTED, details=(alone,))
    same = [failed(name, replace(found, explanations=(EXPLANATION,))) for name in "abc"]
    told = plain(failures([*same, failed("d", found)]))
    assert told.count(EXPLANATION) == 1
    assert told.count(PARTED) == 2
    assert "  2 more with the same explanation: b, c" in told.split("\n")


def test_failures_tell_an_exception_once() -> None:
    """One place raises the same exception with other texts: one mistake; elsewhere another."""
    same = [raised(name, f"a text of {name}", "mine.py:3") for name in "abc"]
    told = plain(failures([*same, raised("d", "a text of a", "mine.py:4")])).split("\n")
    assert "  raised mine.MyError: a text of a (mine.py:3)" in told
    assert "  2 more with the same exception at the same place: b, c" in told
    assert "mine on cpu: d crashed" in told
    assert not [line for line in told if "a text of b" in line]


def test_failures_begin_with_the_one_to_look_at() -> None:
    """A must before a should, a low level before a high one, what was drawn, the smaller case."""
    small, large = {"input": [[0.0, 1.0]]}, {"input": [[2.0, 1.0]]}
    sequence, core = "batch_first_only_swaps_axes", "results_match_reference"
    verdicts = [
        FailedShould("repr_tells_the_sizes", "mine", "cpu"),
        failed(sequence, tensors=small),
        failed(core, tensors=large),
        failed("cell_matches_equations", tensors=small),
        failed("activations_are_accurate", tensors={"input": [[0.0]]}, derived=True),
    ]
    firsts = [alike.first for alike in together(verdicts)]
    assert firsts == [verdicts[number] for number in (3, 2, 4, 1, 0)]


def test_failures_after_some_are_told_briefly() -> None:
    """Those have message and case, but neither numbers nor a diagnosis."""
    found = Diagnosis(parted=PARTED)
    told = plain(failures([failed(name, found) for name in "abcdefg"]))
    assert told.count(PARTED) == IN_FULL
    assert told.count("<LSTM 1->1>") == 7
    assert told.count(" is off\n") == 7


def test_wrapped_lines_keep_their_indent() -> None:
    """In a terminal each part of a line is indented as the line; in a pipe it is one line."""
    wide = failed("a", Diagnosis(parted=" ".join(["word"] * 30)))
    lines = plain(failures([wide]), 40).strip("\n").split("\n")
    assert len(lines) > 6
    assert all(line.startswith("  ") for line in lines[1:])
    assert max(map(len, lines)) <= 40
    assert len(plain(failures([wide]), 1000).strip("\n").split("\n")) == 4


def test_summary_names_the_devices() -> None:
    """Each CUDA device with what is known of it, and the libraries that compute on it."""
    cuda: dict[str, object] = {
        "devices": {"cuda:0": "NVIDIA H100 80GB HBM3, compute capability 9.0"},
        "driver": "580.159.04",
        "cuda": "13.0",
        "cudnn": "91900",
        "cudnn_used": True,
    }
    run = Run("quick", 1, None, {"cuda": cuda}, [Passed("dtypes_follow_input", "mine", "cuda:0")])
    buffer = io.StringIO()
    summarize(Console(file=buffer, width=200, color_system=None), run)
    lines = buffer.getvalue().splitlines()
    assert "cuda:0: NVIDIA H100 80GB HBM3, compute capability 9.0" in lines
    assert "driver 580.159.04, CUDA 13.0, cuDNN 91900 in use" in lines
    cuda["cudnn_used"] = False
    summarize(Console(file=buffer, width=200, color_system=None), run)
    assert "cuDNN 91900 not in use" in buffer.getvalue()


def test_failure_says_what_it_was_judged_by() -> None:
    """Activations that were measured stand with the failure, in the terminal and in the report."""
    verdict = Failed("output_is_right", "mine", "cpu", judged_by=("tanh 124 units (measured)",))
    assert verdict.lines() == ["judged by: tanh 124 units (measured)"]
    assert Passed("output_is_right", "mine", "cpu").lines() == []
