"""``lstm-conformance judge``: a verdict on an LSTM in a file, with its weights and an input."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from conformance.errors import BROKEN, CONFORMANT, NOT_CONFORMANT, UsageError, require, unknown
from conformance.judgement import picture, told
from conformance.judgement.apart import Named, judge_apart
from conformance.judgement.comparing import Compared, compared
from conformance.judgement.files import given
from conformance.judgement.files.finding import one_of
from conformance.judgement.files.found import Found
from conformance.judgement.judging import Answer, Progress, judge_results
from conformance.judgement.verdict import NoResult
from conformance.running.limiting import precision_of
from reference import DTYPES, Array, Case

BY_DEFAULT = "torch.nn.LSTM"
"""What computes an LSTM if nothing else is asked for."""


def judge(asked: argparse.Namespace) -> int:
    """Judge what is asked for, print the answer, and return the exit status."""
    path = Path(asked.weights)
    if asked.lstm_plot:
        require("--plot", "plot", "matplotlib")
    found = given.lstms(path, asked.lstm_layout)
    console = Console(soft_wrap=True, highlight=False)
    errors = Console(stderr=True, highlight=False)
    for each in found:
        console.print(each.described(), markup=False)
    chosen = one_of(found, asked.lstm_lstm, str(path))
    if len(found) > 1:
        console.print(f"judged: {chosen.name}", markup=False)
    inputs = given.inputs(asked.lstm_input, asked.lstm_states)
    answers: list[Answer] = []
    with errors.status("") as status:
        for answer in _answers(asked, chosen, inputs, lambda text: status.update(text)):
            answers.append(answer)
        status.update("how sensitive is this LSTM to rounding?")
        groups = list(_groups(answers, asked.lstm_precision or ""))
    console.print(told.table(answers))
    for line in told.lines(answers, groups):
        console.print(line, markup=False)
    if asked.lstm_plot:
        picture.draw(Path(asked.lstm_plot), answers, groups)
    reds = [each.verdict for each in answers if not each.verdict.conformant]
    if reds and all(isinstance(each, NoResult) and each.undecided for each in reds):
        return BROKEN
    return NOT_CONFORMANT if reds else CONFORMANT


def _answers(
    asked: argparse.Namespace, found: Found, inputs: Mapping[str, Array], progress: Progress
) -> Iterator[Answer]:
    dtypes = [name for name in (asked.lstm_dtype or "").split(",") if name] or [found.dtype]
    for name in dtypes:
        if name not in DTYPES:
            raise unknown("dtype", name, DTYPES)
    first, seed = asked.lstm_order == "batch-first", asked.lstm_seed or 0
    if seed < 0:
        raise UsageError(f"--seed must not be negative here, got {seed}")

    def case(dtype: str) -> Case:
        return given.case_of(found, DTYPES[dtype], inputs, batch_first=first, seed=seed)

    for file in asked.lstm_expected:
        for dtype in dtypes:
            mine = case(dtype)
            by = precision_of(asked.lstm_precision or "")
            results, there = given.results(file, mine)
            yield judge_results(file, mine, results, by, progress, there)
    names = asked.lstm_with or ([] if asked.lstm_expected else [BY_DEFAULT])
    cases, root = [case(dtype) for dtype in dtypes], Path(asked.lstm_reproductions).resolve()
    for name in dict.fromkeys(names):
        named = Named(name, asked.lstm_precision or "", asked.lstm_timeout, asked.lstm_memory)
        yield from judge_apart(named, cases, asked.lstm_device or "", root, progress)


def _groups(answers: Sequence[Answer], by: str) -> Iterator[Compared]:
    """Yield the estimate for each dtype in which there are results."""
    for dtype in dict.fromkeys(each.case.dtype.name for each in answers):
        group = compared(
            [each for each in answers if each.case.dtype.name == dtype], precision_of(by)
        )
        if group is not None:
            yield group
