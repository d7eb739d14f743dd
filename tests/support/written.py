"""Reports of made-up runs, with texts that would do harm where they are not escaped."""

from typing import Any

from conformance.checking.counterexample import Compared, Counterexample, Diagnosis, Place
from conformance.checking.verdict import OUTCOMES, Failed, Passed, Verdict
from conformance.recording.json import encode
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.report import Run
from reference import Precision
from strategies import Support

HOSTILE = (
    "</pre></script><script>alert(1)</script><b onclick='x'>&amp; | `_*[x](y)*_` %0A::error::x"
)
NUMBERS = [[[0.5, 0.25], [1.0, -1.0]], [[0.0, 2.0], [3.0, 4.0]]]
SHARES = {"float64": 0.0, "float32": 0.2, "bfloat16": 0.9}
CELLS = {"dtype": {"float64": 3, "float32": 20}, "lengths": {"none": 23}, "mode": {"eval": 2}}
UNITS = {"float32": {"sigmoid": 1.3, "tanh": 124.0}}


def counterexample(text: str = "off") -> Counterexample:
    """A case of two steps and two rows, with one element off in the second step."""
    zeros = [[[0.0, 0.0], [0.0, 0.0]]] * 2
    expected = [NUMBERS[0], [[0.0, 2.0], [3.0, 5.0]]]
    allowed = [[[0.1, 0.1], [0.1, 0.1]]] * 2
    return Counterexample(
        f"<LSTM {text}>",
        f"output[1, 1, 1] = 4.0, but should be 5.0 ± 0.1\n{text}",
        {"input": NUMBERS, "h_0": zeros, "weight_ih_l0": [[float(n) for n in range(100)]]},
        kind="wrong element",
        dtype="float32",
        what="output",
        where="[1, 1, 1]",
        got="4.0",
        expected="5.0",
        allowed=0.1,
        diagnosis=Diagnosis(
            parted=f"The results first differ in step 1: {text}.",
            details=(text,),
            explanations=(text,),
            place=Place("output", (1, 1, 1), 0, 0, 1, 1, 1),
        ),
        compared=Compared(NUMBERS, expected, allowed),
    )


def failed(requirement: str = "results_match_reference", text: str = "off") -> Failed:
    """A failure that says `text` wherever it can."""
    return Failed(
        requirement,
        f"mine.py:{text}",
        "cpu",
        3,
        0.1,
        1.5,
        text,
        counterexample(text),
        text,
        (text,),
        (text,),
        shares=SHARES,
        script=f"print({text!r})\n",
    )


def run_of(*verdicts: Verdict, **known: Any) -> Run:
    """A complete run with these verdicts."""
    return Run("quick", 3, None, verdicts=list(verdicts), total=len(verdicts), **known)


def every_outcome(text: str = "off") -> Run:
    """A run with each outcome, of requirements in their order."""
    names = list(REQUIREMENTS)
    more: dict[str, Any] = {"shares": SHARES, "units": UNITS, "cells": CELLS}
    more["script"] = f"print({text!r})\n"
    return run_of(
        *(
            kind(name, text, "cpu", 7, 0.5, 1.5, text, counterexample(text), **more)
            for name, kind in zip(names, OUTCOMES.values(), strict=False)
        ),
        circumstances={
            "torch": text,
            "absent": [text],
            "switches": {text: text},
            "supports": {text: encode(Support())},
            "precision": {text: encode(Precision())},
        },
    )


def whole(failures: int) -> Run:
    """A run of every requirement, of which so many fail, with a long script each."""
    verdicts: list[Verdict] = []
    for number, name in enumerate(REQUIREMENTS):
        if number < failures:
            verdicts.append(Failed(**{**vars(failed(name)), "script": "x = 1  # long\n" * 1400}))
        else:
            verdicts.append(
                Passed(name, "mine", "cpu", 20, 0.9, 1.0, shares=SHARES, units=UNITS, cells=CELLS)
            )
    return run_of(*verdicts)
