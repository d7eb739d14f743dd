"""A failure as a short plain Python script that shows it."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.implementations.failures import REFUSALS, NotRefused, Raised
from conformance.recording.ending import Ending
from conformance.recording.operands import Literal, Name
from conformance.recording.steps import Step
from conformance.recording.text import text_of
from conformance.reproductions.endings import allowance, ending
from conformance.reproductions.lines import Lines, can_be_written, component

NUMBERS = '''
def numbers(values):
    """Return a tensor or an array as NumPy float64."""
    return np.asarray(getattr(values, "tolist", lambda: values)(), np.float64)
'''

DIFFERS = '''
def differs(name, got, expected, allowed):
    """Print each element that is wrong by more than is allowed; return whether there is one."""
    expected = numbers(expected)
    got = np.zeros(expected.shape) if got is None else numbers(got)
    if got.shape != expected.shape:
        print(f"{name} has shape {got.shape}, expected {expected.shape}")
        return True
    off = ~(np.abs(got - expected) <= allowed)
    for place in map(tuple, np.argwhere(off)[:20].tolist()):
        limit = np.broadcast_to(allowed, off.shape)[place]
        print(f"{name}{list(place)}: got {got[place]}, expected {expected[place]} +- {limit:.3g}")
    return bool(off.any())
'''

SPECIAL = DIFFERS.replace(
    """    off = ~(np.abs(got - expected) <= allowed)
""",
    """    with np.errstate(all="ignore"):
        off = ~(np.abs(got - expected) <= allowed)
    off &= (got != expected) & ~(np.isnan(got) & np.isnan(expected))
    off &= np.isfinite(allowed) | ~np.isfinite(expected)
""",
)
"""As :data:`DIFFERS`, for results with NaN or infinities, or with elements not claimed at all."""

CHILD = """
def main():
{body}
    print("returned")


if sys.argv[1:] != ["here"]:
    # the call ends its process or does not return, so it is made in a separate process
    try:
        done = subprocess.run(
            [sys.executable, __file__, "here"], stdout=subprocess.PIPE, timeout={timeout}
        )
    except subprocess.TimeoutExpired:
        sys.exit("expected: the call returns; got: nothing within {timeout} s")
    if b"returned" not in done.stdout:
        sys.exit(f"expected: the call returns; got: exit status {{done.returncode}}")
    print("the call returned, as expected")
else:
    main()
"""

REPLAY = """import os
import sys

# This script needs lstm-conformance, which repeats the steps and derives what is right: one of the
# two cannot be written as plain Python.
from conformance.cli.command import main

# the suite decides the case in a new process, which imports this file as well
if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.exit(main(["replay", here, "--trust", *sys.argv[1:]]))
"""

REFUSED = f"({', '.join(kind.__name__ for kind in REFUSALS)})"
"""The types of exceptions that count as a refusal, as Python text."""
FINAL = f"""except {REFUSED} as error:
    print("refused, as expected:", error)
except (Exception, SystemExit) as error:
    print(f"raised {{type(error).__name__}}: {{error}}; expected: one of the exceptions above")
    sys.exit(1)
else:
    print("nothing was raised; expected: a refusal")
    sys.exit(1)"""
PATIENCE = 60
"""Seconds after which a script concludes that a call never returns."""


@dataclass(frozen=True)
class Script:
    """The text of a script, a note on what it shows, and whether it is plain Python."""

    text: str
    note: str = ""
    plain: bool = True


def script(
    requirement: Requirement,
    implementation: str,
    finding: Finding,
    died: bool = False,
) -> Script:
    """Write the script for a finding; with `died` its last step ended the process or hung.

    A script replays the case through the suite where a step, or the end, has no plain Python.
    """
    failure, tape = finding.failure, finding.tape
    # SystemExit, too, would end the script itself, with whatever status it carries
    died = died or (isinstance(failure, Raised) and failure.by(SystemExit))
    refusal = not died and isinstance(failure, NotRefused)
    # what had to be refused is the last attempt; what attempts before it raised does not matter
    attempt = tape.attempts if refusal else 0
    tried = [step for step in tape.steps if attempt and step.attempt == attempt]
    ended: Ending | None = None
    if tape.whole and tape.steps and all(map(can_be_written, tape.steps)):
        last = tuple(tape.steps[-1].names())
        ended = Ending("", {}, tape.steps, names=last) if died else ending(finding)
    if ended is None or (refusal and not tried):
        header = _header(requirement, implementation, failure, "")
        return Script(header + REPLAY, plain=False)
    steps = ended.steps
    if not tape.entangled:
        steps = component(steps, ended.used().union(*(step.names() for step in tried)))
    lines = Lines(steps, ended.used())
    for group, within in itertools.groupby(steps, lambda step: step.attempt or 0):
        _write(lines, list(within), group, attempt)
    if not refusal and not died:
        _write_ending(lines, ended)
    header = _header(requirement, implementation, failure, ended.said)
    return Script(header + _body(lines, died), ended.said)


def _write(lines: Lines, steps: Sequence[Step], attempt: int, final: int) -> None:
    """Write the steps of one `attempt`, 0 for steps that nothing has to refuse.

    The `final` attempt has to be refused; refusals of those before it are suppressed.
    """
    start = len(lines.lines)
    lines.take(steps)
    if not attempt:
        return
    body = [f"    {line}" for line in lines.lines[start:]]
    if attempt == final:
        lines.need("import sys")
        lines.lines[start:] = ["", "try:", *body, *FINAL.split("\n")]
    else:
        lines.need("import contextlib")
        lines.lines[start:] = [f"with contextlib.suppress{REFUSED}:", *body]


def _write_ending(lines: Lines, ended: Ending) -> None:
    """Write the lines that set ``fault``, and the exit status after them."""
    operands = {}
    for gap, operand in ended.operands.items():
        if gap == "allowed" and isinstance(operand, Literal):
            operand = allowance(operand)
        text = lines.fill(operand)
        if gap in ("expected", "allowed") and not isinstance(operand, Name) and len(text) > 24:
            lines.lines += f"{gap} = {text}".split("\n")
            text = gap
        operands[gap] = text
    text = ended.text.format(**operands)
    if "differs(" in text or "numbers(" in text:
        lines.help(NUMBERS)
    if "differs(" in text:
        lines.help(DIFFERS if _finite(ended) else SPECIAL)
    if "np." in text or "numbers(" in text or "differs(" in text:
        lines.need("import numpy as np")
    if "torch." in text:
        lines.need("import torch")
    if "Result)" in text:
        lines.need("from reference import Result")
    lines.need("import sys")
    lines.lines += ["", *text.split("\n")]
    lines.lines += ['print("the fault shows" if fault else "the fault does not show")']
    lines.lines += ["sys.exit(1 if fault else 0)"]


def _finite(ended: Ending) -> bool:
    """Return whether the expected and allowed numbers are written out, and finite."""
    both = (ended.operands["expected"], ended.operands["allowed"])
    return all(isinstance(each, Literal) and np.isfinite(each.array).all() for each in both)


def _header(requirement: Requirement, implementation: str, failure: Exception, note: str) -> str:
    parts = [
        f"{implementation} does not meet {requirement.name}.",
        f"Claim: {requirement.claim}",
        f"Source: {requirement.source}",
        f"Found: {text_of(failure)}",
        *([note] if note else []),
        "Exit status: 1 if the fault shows, 0 if it does not.",
    ]
    wrapped = (textwrap.fill(" ".join(part.split()), 96) for part in parts)
    text = "\n\n".join(wrapped).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""\n\n'


def _body(lines: Lines, died: bool) -> str:
    """Return imports, helper functions and lines as they stand in the script."""
    imports = {*lines.imports, *(["import subprocess", "import sys"] if died else [])}
    ours = {"conformance", "reference", "ml_dtypes", "numpy", "torch"}
    others = sorted(line for line in imports if line.split()[1].split(".")[0] in ours)
    standard = sorted(imports.difference(others))
    head = "\n\n".join("\n".join(block) for block in (standard, others) if block)
    # as the suite does: TF32 products are farther from the truth than a float32 bound allows
    if any("cuda" in line for line in lines.lines):
        lines.lines.insert(0, "torch.backends.cudnn.allow_tf32 = False")
    helpers = "\n\n\n".join(text.strip("\n") for text in lines.helpers if text.startswith("\ndef"))
    first = "\n".join(text for text in lines.helpers if not text.startswith("\ndef"))
    body = "\n".join(lines.lines)
    if died:
        indented = textwrap.indent(body, "    ")
        body = CHILD.format(body=indented, timeout=PATIENCE).strip("\n")
        body = f"\n{body}" if not helpers else body
    blocks = [head, first, f"\n{helpers}\n" if helpers else "", body]
    return "\n\n".join(block for block in blocks if block) + "\n"
