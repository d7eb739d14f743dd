"""Every option, stated once: for the command line, for pytest, and for the command in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.checking.budget import ANSWER, MEMORY, PROFILES, TIMEOUTS
from conformance.reproductions import ROOT
from conformance.running.options.option import (
    COMPARE,
    INFER,
    JUDGE,
    MATRIX,
    PYTEST,
    REPLAY,
    REPORTING,
    VERIFY,
    VERIFYING,
    Option,
)
from conformance.running.options.values import (
    LEAST_MEMORY,
    MANY,
    MOST_WORKERS,
    between,
    database,
    duration,
    floor,
    names,
    part,
    readable_file,
    seconds,
    writable_file,
    writable_folder,
)

ORDERS = ("time-first", "batch-first")
"""The orders of the axes of an input."""

LIST: dict[str, Any] = {"metavar": "LIST", "check": names}
SECONDS: dict[str, Any] = {"metavar": "SECONDS", "kind": float, "check": seconds}
NUMBER: dict[str, Any] = {"metavar": "N", "kind": int, "again": True}


def _listed(numbers: Mapping[str, float]) -> str:
    *others, last = (f"{number:g}" for number in numbers.values())
    return f"{', '.join(others)} or {last}"


OPTIONS = (
    Option(
        "",
        "what to verify: torch.nn.LSTM, torch.nn.LSTMCell, stacked-cells, package.module:Class, "
        "path/to/file.py:Class",
        "NAME",
        repeated=True,
    ),
    Option(
        "command", "verify a program in any language; can be repeated", "COMMAND", repeated=True
    ),
    Option("requirement", "verify only this requirement; can be repeated", "NAME", repeated=True),
    Option(
        "level",
        "verify only these levels, such as core,module; all: core, sequence, module, training",
        **LIST,
    ),
    Option(
        "device",
        "verify on these devices, such as cpu,cuda; by default on the CPU and every CUDA device",
        takers=(*VERIFYING, JUDGE),
        **LIST,
    ),
    Option("dtype", "verify only in these dtypes, such as float32,bfloat16", again=True, **LIST),
    Option(
        "dtype",
        "judge in these dtypes, such as float32,bfloat16; by default in that of the weights",
        takers=(JUDGE,),
        **LIST,
    ),
    Option(
        "without",
        "declare what is not offered, such as unbatched,second_derivatives",
        again=True,
        **LIST,
    ),
    Option(
        "strict",
        "require what an LSTM should meet but need not; always so for PyTorch's own",
        "",
        default=False,
        again=True,
    ),
    Option(
        "precision",
        "declare arithmetic other than the dtype's own, such as products=tf32",
        again=True,
        takers=(*VERIFYING, JUDGE),
        **LIST,
    ),
    Option(
        "expectations",
        "expect the failures in this TOML file; by default those in the project's pyproject.toml",
        "FILE",
        again=True,
        check=readable_file,
    ),
    Option(
        "fix-expectations",
        "rewrite the file of --expectations: mended ones are removed, unlisted failures added",
        "",
        default=False,
    ),
    Option(
        "profile",
        f"try up to {_listed(PROFILES)} cases for each requirement",
        "|".join(PROFILES),
        default="default",
        choices=tuple(PROFILES),
        again=True,
    ),
    Option(
        "max-examples",
        "try up to N cases for each requirement, whatever the profile",
        check=between(1, MANY),
        **NUMBER,
    ),
    Option("seed", "draw the cases of an earlier run; every run prints its seed", **NUMBER),
    Option("seed", "draw another input, if none is given", takers=(JUDGE,), **NUMBER),
    Option(
        "timeout",
        f"limit for a requirement on a device; by default {_listed(TIMEOUTS)}, by profile",
        again=True,
        **SECONDS,
    ),
    Option(
        "timeout",
        f"limit for the case, for each NAME, or for what it computes; {ANSWER:g} by default",
        default=ANSWER,
        takers=(INFER, REPLAY, JUDGE),
        **SECONDS,
    ),
    Option(
        "time-limit",
        "limit for the whole run; a requirement not decided by then is undecided: not green",
        aside=True,
        **SECONDS,
    ),
    Option(
        "time-budget",
        "divide this time, such as 90, 10m or 1h, among requirements, and leave out what has none",
        "TIME",
        duration,
        check=seconds,
    ),
    Option(
        "shard",
        "verify only this of several parts, such as 2/5; all of them with the same --seed",
        "K/N",
        check=part,
    ),
    Option(
        "resume",
        "go on with the run that was ended before it was complete",
        "",
        default=False,
        aside=True,
    ),
    Option(
        "floor",
        "how often what is declared must be exercised, such as dtype=20,size.real=0.001, or none",
        "LIST",
        check=floor,
    ),
    Option(
        "memory",
        f"limit for each process, {MEMORY:g} by default; the operating system refuses more",
        "GIB",
        float,
        MEMORY,
        again=True,
        check=between(LEAST_MEMORY, MANY, " GiB"),
        takers=(VERIFY, INFER, REPLAY, JUDGE, PYTEST),
        aside=True,
    ),
    Option(
        "workers",
        "number of worker processes, 2 by default; 0 counts as 1: the command itself only watches",
        "WORKERS",
        int,
        2,
        check=between(0, MOST_WORKERS),
        takers=(VERIFY,),
        short="-n",
    ),
    Option(
        "baseline",
        "a report of an earlier run: what failed there in the same way is not red again",
        "FILE",
    ),
    Option("fail-fast", "stop at the first red", "", default=False, takers=(VERIFY,)),
    Option("quiet", "print only reds and the outcome", "", default=False, takers=(VERIFY,)),
    Option(
        "html",
        "write the page",
        "FILE",
        check=writable_file,
        takers=(MATRIX,),
    ),
    Option(
        "markdown",
        "write the same as Markdown",
        "FILE",
        check=writable_file,
        takers=(COMPARE, MATRIX),
    ),
    Option(
        "tx",
        "a worker elsewhere, in place of -n, such as socket=HOST:PORT or ssh=HOST; can be repeated",
        "SPEC",
        repeated=True,
        takers=(VERIFY,),
    ),
    Option(
        "rsyncdir",
        "a folder of yours that such workers need a copy of, often `.`; can be repeated",
        "DIR",
        repeated=True,
        takers=(VERIFY,),
    ),
    Option(
        "json",
        "write a report of everything that was found",
        "FILE",
        check=writable_file,
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "html",
        "write the report as one page, with pictures",
        "FILE",
        check=writable_file,
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "junit",
        "write the report as JUnit XML, for continuous integration",
        "FILE",
        check=writable_file,
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "markdown",
        "write the report as Markdown, for the summary of a run",
        "FILE",
        check=writable_file,
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "github",
        "annotate failures in GitHub Actions, and write the summary of the job",
        "",
        default=False,
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "reproductions",
        f"folder for what failures leave, {ROOT} by default",
        "DIR",
        default=ROOT,
        check=writable_folder,
        takers=(*VERIFYING, JUDGE),
        aside=True,
    ),
    Option(
        "database",
        "try first what failed before, and keep what fails, in a folder or on a Redis server",
        "DIR|URL",
        check=database,
    ),
    Option("as", "decide the case for another implementation", "NAME", takers=(REPLAY,)),
    Option("lstm", "the LSTM to judge, if the file has several", "PREFIX", takers=(JUDGE,)),
    Option(
        "layout",
        "names and layout of parameters that are not PyTorch's, such as "
        "weight_ih=W,weight_hh=U,bias=b,gates=ifog,transposed=True, or an adapter, file.py:mine",
        "LAYOUT",
        default="",
        takers=(JUDGE,),
    ),
    Option(
        "input",
        "a file with input and, where there are any, lengths; without it an input is drawn",
        "FILE",
        takers=(JUDGE,),
    ),
    Option("states", "a file with h_0 and c_0", "FILE", takers=(JUDGE,)),
    Option(
        "order",
        "whether input and output are (steps, rows, features) or (rows, steps, features)",
        "|".join(ORDERS),
        default=ORDERS[0],
        choices=ORDERS,
        takers=(JUDGE,),
    ),
    Option(
        "with",
        "judge this implementation, torch.nn.LSTM by default; can be repeated",
        "NAME",
        repeated=True,
        takers=(JUDGE,),
    ),
    Option(
        "expected",
        "a file with output, h_n and c_n that another program computed; can be repeated",
        "FILE",
        repeated=True,
        takers=(JUDGE,),
    ),
    Option(
        "plot",
        "draw errors over steps and units, and the growth of rounding, as a PNG",
        "FILE",
        check=writable_file,
        takers=(JUDGE,),
    ),
)
"""All options, in the order in which ``--help`` and the README show them."""
