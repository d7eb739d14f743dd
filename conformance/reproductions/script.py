"""A failure as a short plain Python script that shows it."""

from __future__ import annotations

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
from conformance.reproductions.compare import allowance
from conformance.reproductions.endings import ending
from conformance.reproductions.lines import Lines, can_be_told, component

NUMBERS = '''
def numbers(values):
    """A tensor or an array as NumPy float64."""
    return np.asarray(getattr(values, "tolist", lambda: values)(), np.float64)
'''

DIFFERS = '''
def differs(name, got, expected, allowed):
    """Print each element that is off by more than is allowed; say whether there is one."""
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
"""As :data:`DIFFERS`, where NaN or infinities are expected or nothing is claimed."""

CHILD = """
def main():
{body}
    print("returned")


if sys.argv[1:] != ["here"]:
    # what is called ends or holds up its process: it has one of its own
    try:
        done = subprocess.run(
            [sys.executable, __file__, "here"], stdout=subprocess.PIPE, timeout={timeout}
        )
    except subprocess.TimeoutExpired:
        sys.exit("expected: it returns; got: nothing within {timeout} s")
    if b"returned" not in done.stdout:
        sys.exit(f"expected: it returns; got: its process ended with status {{done.returncode}}")
    print("it returned, as expected")
else:
    main()
"""

REPLAY = """
# Not a script in plain Python: what this requirement does is told by the suite alone.
from conformance.cli.command import main

# the process that decides the case imports this file, too
if __name__ == "__main__":
    sys.exit(main(["replay", os.path.dirname(os.path.abspath(__file__))]))
"""

REFUSED = f"({', '.join(kind.__name__ for kind in REFUSALS)})"
"""What a refusal may be raised as, in Python."""
PATIENCE = 60
"""Seconds after which a script holds that something never returns."""


@dataclass(frozen=True)
class Script:
    """The text, what it says beside the failure, and whether it is plain Python."""

    text: str
    said: str = ""
    plain: bool = True


def script(
    requirement: Requirement,
    implementation: str,
    finding: Finding,
    died: bool = False,
) -> Script:
    """The script of what was found; with `died` the last step of the tape did not return."""
    failure, tape = finding.failure, finding.tape
    # an exit would be that of the script, with whatever status
    died = died or (isinstance(failure, Raised) and isinstance(failure.error, SystemExit))
    if not tape.whole or not tape.steps or not all(map(can_be_told, tape.steps)):
        return _by_replay(requirement, implementation, failure)
    if died:
        last = tape.steps[-1]
        ended: Ending | None = Ending("", {}, tape.steps, names=tuple(last.names()))
    else:
        ended = ending(finding)
    if ended is None:
        return _by_replay(requirement, implementation, failure)
    refusal = not died and isinstance(failure, NotRefused)
    if refusal:
        attempt = tape.attempts
        tried = [step for step in tape.steps if attempt and step.attempt == attempt]
        if not tried:
            return _by_replay(requirement, implementation, failure)
        names = {name for step in tried for name in step.names()}
    else:
        attempt, names = 0, ended.used()
    steps = component(ended.steps, names)
    lines = Lines(steps, ended.used())
    for group, within in _groups(steps):
        _write(lines, within, group, attempt)
    if refusal:
        lines.lines += ['    print("accepted, expected: refused")', "    sys.exit(1)"]
    elif not died:
        _write_ending(lines, ended)
    header = _header(requirement, implementation, failure, ended.said)
    return Script(header + _body(lines, died), ended.said)


def _groups(steps: Sequence[Step]) -> list[tuple[int, list[Step]]]:
    """Consecutive steps of the same attempt, 0 for none."""
    groups: list[tuple[int, list[Step]]] = []
    for step in steps:
        number = step.attempt or 0
        if not groups or groups[-1][0] != number:
            groups.append((number, []))
        groups[-1][1].append(step)
    return groups


def _write(lines: Lines, steps: Sequence[Step], group: int, final: int) -> None:
    """Write steps; what is to be refused goes into a block that lets refusals through."""
    if not group:
        lines.take(steps)
        return
    start = len(lines.lines)
    lines.take(steps)
    body = lines.lines[start:]
    del lines.lines[start:]
    if group == final:
        lines.lines += ["", "try:", *("    " + line for line in body)]
        lines.lines += [f"except {REFUSED} as error:"]
        lines.lines += [
            '    print("refused, as expected:", error)',
            "except (Exception, SystemExit) as error:",
            '    print(f"raised {type(error).__name__}: {error}; expected: one of the above")',
            "    sys.exit(1)",
            "else:",
        ]
        lines.need("import sys")
    else:
        lines.need("import contextlib")
        lines.lines.append(f"with contextlib.suppress{REFUSED}:")
        lines.lines += ["    " + line for line in body]


def _write_ending(lines: Lines, ended: Ending) -> None:
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
    """Whether the numbers that are expected and allowed are written out, and finite."""
    both = (ended.operands["expected"], ended.operands["allowed"])
    return all(isinstance(each, Literal) and np.isfinite(each.array).all() for each in both)


def _header(requirement: Requirement, implementation: str, failure: Exception, said: str) -> str:
    parts = [
        f"{implementation} does not meet {requirement.name}.",
        f"Claim: {requirement.claim}",
        f"Source: {requirement.source}",
        f"Found: {failure}",
        *([said] if said else []),
        "Exit status: 1 if the fault shows, 0 if it does not.",
    ]
    wrapped = (textwrap.fill(" ".join(part.split()), 96) for part in parts)
    text = "\n\n".join(wrapped).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""\n\n'


def _body(lines: Lines, died: bool) -> str:
    imports = [*lines.imports, *(["import subprocess", "import sys"] if died else [])]
    own = {"conformance", "reference", "ml_dtypes", "numpy", "torch"}
    standard = sorted(line for line in set(imports) if line.split()[1].split(".")[0] not in own)
    others = sorted(line for line in set(imports) if line not in standard)
    head = "\n\n".join("\n".join(block) for block in (standard, others) if block)
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


def _by_replay(requirement: Requirement, implementation: str, failure: Exception) -> Script:
    header = _header(requirement, implementation, failure, "")
    return Script(f"{header}import os\nimport sys\n{REPLAY}", plain=False)
