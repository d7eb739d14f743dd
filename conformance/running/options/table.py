"""Every option, stated once: for the command line, for pytest, and for the command in a report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from conformance.checking.budget import ANSWER, MEMORY, PROFILES, TIMEOUTS
from conformance.reproductions import ROOT
from conformance.running.options import values
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

ORDERS = ("time-first", "batch-first")
"""The orders of the axes of an input."""

# an option of a kind of which there are several
_switch = partial(Option, metavar="", default=False)
_list = partial(Option, metavar="LIST", check=values.names)
_seconds = partial(Option, metavar="SECONDS", kind=float, check=values.seconds)
_number = partial(Option, metavar="N", kind=int, again=True)
_names = partial(Option, metavar="NAME", repeated=True)
_output = partial(Option, metavar="FILE", check=values.writable_file)
_form = partial(_output, takers=REPORTING, aside=True)
_verify = partial(Option, takers=(VERIFY,))
_remote = partial(_verify, repeated=True)
_judge = partial(Option, takers=(JUDGE,))


def _listed(numbers: Mapping[str, float]) -> str:
    *others, last = (f"{number:g}" for number in numbers.values())
    return f"{', '.join(others)} or {last}"


OPTIONS = (
    _names(
        "",
        "what to verify: torch.nn.LSTM, torch.nn.LSTMCell, stacked-cells, another name that "
        "`lstm-conformance implementations` lists, package.module:Class, path/to/file.py:Class",
    ),
    Option(
        "command", "verify a program in any language; can be repeated", "COMMAND", repeated=True
    ),
    _names("requirement", "verify only this requirement; can be repeated"),
    _list(
        "level",
        "verify only these levels, such as core,module; all: core, sequence, module, training",
    ),
    _list(
        "device",
        "verify on these devices, such as cpu,cuda; by default on the CPU and every CUDA device",
        takers=(*VERIFYING, JUDGE),
    ),
    _list("dtype", "verify only in these dtypes, such as float32,bfloat16", again=True),
    _list(
        "dtype",
        "judge in these dtypes, such as float32,bfloat16; by default in that of the weights",
        takers=(JUDGE,),
    ),
    _list(
        "without", "declare what is not offered, such as unbatched,second_derivatives", again=True
    ),
    _switch(
        "strict",
        "require what an LSTM should meet but need not; always so for PyTorch's own",
        again=True,
    ),
    _list(
        "precision",
        "declare arithmetic other than the dtype's own, such as products=tf32",
        again=True,
        takers=(*VERIFYING, JUDGE),
    ),
    Option(
        "expectations",
        "expect the failures in this TOML file; by default those in the project's pyproject.toml",
        "FILE",
        again=True,
        check=values.readable_file,
    ),
    _switch(
        "fix-expectations",
        "rewrite the file of --expectations: mended ones are removed, unlisted failures added",
    ),
    Option(
        "profile",
        f"try up to {_listed(PROFILES)} cases for each requirement",
        "|".join(PROFILES),
        default="default",
        choices=tuple(PROFILES),
        again=True,
    ),
    _number(
        "max-examples",
        "try up to N cases for each requirement, whatever the profile",
        check=values.between(1, values.MANY),
    ),
    _number("seed", "draw the cases of an earlier run; every run prints its seed"),
    _number("seed", "draw another input, if none is given", takers=(JUDGE,)),
    _seconds(
        "timeout",
        f"limit for a requirement on a device; by default {_listed(TIMEOUTS)}, by profile",
        again=True,
    ),
    _seconds(
        "timeout",
        f"limit for the case, or for each NAME; {ANSWER:g} by default",
        default=ANSWER,
        takers=(INFER, REPLAY, JUDGE),
    ),
    _seconds(
        "time-limit",
        "limit for the whole run; a requirement not decided by then is undecided: not green",
        aside=True,
    ),
    Option(
        "time-budget",
        "divide this time, such as 90, 10m or 1h, among requirements, and leave out what has none",
        "TIME",
        values.duration,
        check=values.seconds,
    ),
    Option(
        "shard",
        "verify only this of several parts, such as 2/5; all of them with the same --seed",
        "K/N",
        check=values.part,
    ),
    _switch("resume", "go on with the run that was ended before it was complete", aside=True),
    Option(
        "floor",
        "how often what is declared must be exercised, such as dtype=20,size.real=0.001, or none",
        "LIST",
        check=values.floor,
    ),
    Option(
        "memory",
        f"limit for each process, {MEMORY:g} by default; the operating system refuses more",
        "GIB",
        float,
        MEMORY,
        again=True,
        aside=True,
        check=values.between(values.LEAST_MEMORY, values.MANY, " GiB"),
        takers=(VERIFY, INFER, REPLAY, JUDGE, PYTEST),
    ),
    _verify(
        "workers",
        "number of worker processes, 2 by default; 0 counts as 1: the command itself only watches",
        *("WORKERS", int, 2),
        check=values.between(0, values.MOST_WORKERS),
        short="-n",
    ),
    Option(
        "baseline",
        "a report of an earlier run: what failed there in the same way is not red again",
        "FILE",
    ),
    _switch("fail-fast", "stop at the first red", takers=(VERIFY,)),
    _switch("quiet", "print only reds and the outcome", takers=(VERIFY,)),
    _output("html", "write the page", takers=(MATRIX,)),
    _output("markdown", "write the same as Markdown", takers=(COMPARE, MATRIX)),
    _remote(
        "tx",
        "a worker elsewhere, in place of -n, such as socket=HOST:PORT or ssh=HOST; can be repeated",
        "SPEC",
        check=values.workers,
    ),
    _remote(
        "rsyncdir",
        "a folder of yours that such workers need a copy of, often `.`; can be repeated",
        "DIR",
    ),
    _form("json", "write a report of everything that was found"),
    _form("html", "write the report as one page, with pictures"),
    _form("junit", "write the report as JUnit XML, for continuous integration"),
    _form("markdown", "write the report as Markdown, for the summary of a run"),
    _switch(
        "github",
        "annotate failures in GitHub Actions, and write the summary of the job",
        takers=REPORTING,
        aside=True,
    ),
    Option(
        "reproductions",
        f"folder for what failures leave, {ROOT} by default",
        "DIR",
        default=ROOT,
        check=values.writable_folder,
        takers=(*VERIFYING, JUDGE),
        aside=True,
    ),
    Option(
        "database",
        "try first what failed before, and keep what fails, in a folder or on a Redis server",
        "DIR|URL",
        check=values.database,
    ),
    Option("as", "decide the case for another implementation", "NAME", takers=(REPLAY,)),
    _judge("lstm", "the LSTM to judge, if the file has several", "PREFIX"),
    _judge(
        "layout",
        "names and layout of parameters that are not PyTorch's, such as "
        "weight_ih=W,weight_hh=U,bias=b,gates=ifog,transposed=True, or an adapter, file.py:mine",
        "LAYOUT",
        default="",
    ),
    _judge(
        "input",
        "a file with input and, where there are any, lengths; without it an input is drawn",
        "FILE",
    ),
    _judge("states", "a file with h_0 and c_0", "FILE"),
    _judge(
        "order",
        "whether input and output are (steps, rows, features) or (rows, steps, features)",
        "|".join(ORDERS),
        default=ORDERS[0],
        choices=ORDERS,
    ),
    _names(
        "with",
        "judge this implementation, torch.nn.LSTM by default; can be repeated",
        takers=(JUDGE,),
    ),
    _judge(
        "expected",
        "a file with output, h_n and c_n that another program computed; can be repeated",
        "FILE",
        repeated=True,
    ),
    _output(
        "plot",
        "draw errors over steps and units, and the growth of rounding, as a PNG",
        takers=(JUDGE,),
    ),
)
"""All options, in the order in which ``--help`` and OPTIONS.md show them."""
