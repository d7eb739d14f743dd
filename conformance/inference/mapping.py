"""From a guess to the arguments of :class:`conformance.HandWritten`, and to faults."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from conformance.diagnosis.alternatives.weights import GATES as NAMES
from conformance.implementations.by_hand.parameters import names as expanded
from conformance.implementations.by_hand.parameters import pattern
from conformance.implementations.layouts import GATES
from conformance.inference.guess import Guess
from conformance.inference.numbers import HIDDEN, ORDERS, STACKED, Use
from conformance.inference.roles import RANDOM
from conformance.inference.schemes import spoken_gates
from conformance.inference.search import Search
from conformance.recording.text import UNDER_TEST

QUARTERS = ("first", "second", "third", "fourth")


def order(use: Use) -> Use:
    """Return the order of blocks that is nearest to a use."""
    return max(ORDERS, key=lambda each: sum(a == b for a, b in zip(each, use, strict=True)))


def gates(use: Use) -> str:
    """Return the gates in the order in which they are stacked, such as "ifgo"."""
    return "".join(GATES[order(use).index(block)] for block in range(4))


def parameters(guess: Guess, search: Search) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments that name the parameters and their layout, and what is wrong."""
    scheme = guess.scheme
    arguments: dict[str, Any] = {}
    stacked = len(scheme.ih) == 1
    for key, names, use in (
        (f"weight_{scheme.joined.strip('1') or 'ih'}", scheme.ih, guess.ih),
        ("weight_hh", scheme.hh, guess.hh),
    ):
        if names:
            arguments[key] = names[0] if stacked else pattern(tuple(names[n] for n in order(use)))
    faults = _shared(guess) or _renamed(arguments.values())
    if stacked and guess.hh != guess.ih:
        faults.append(
            f"{scheme.ih[0]} has the gates in the order {', '.join(gates(guess.ih))}, but "
            f"{(scheme.hh or scheme.ih)[0]} is used in the order {', '.join(gates(guess.hh))}"
        )
    biases, wrong = _biases(guess, search)
    wrong += [] if faults else _renamed(biases)
    if biases:
        arguments["bias"] = biases[0] if len(biases) == 1 else tuple(biases)
    if stacked and gates(guess.ih) != GATES:
        arguments["gates"] = gates(guess.ih)
    hh_turned = scheme.hh_transposed(search.shapes, guess.turned)
    if scheme.transposed and hh_turned:
        arguments["transposed"] = True
    elif scheme.transposed or hh_turned:
        arguments["transposed"] = "weight_ih" if scheme.transposed else "weight_hh"
    if guess.forget_bias:
        arguments["forget_bias"] = guess.forget_bias
    if scheme.interleaved:
        arguments["interleaved"] = True
    if len(scheme.layers) > 1:
        arguments["layers"] = scheme.layers
    if scheme.directions == 2:
        arguments["bidirectional"] = True
    other = [f"{name} has an effect that a bias does not have" for name in guess.unexplained]
    single = [name for name in guess.unexplained if search.numbers.bias[name].shape[1] == HIDDEN]
    if len(single) in (2, 3) and len(single) == len(guess.unexplained):
        other = [f"this looks like a peephole LSTM, whose gates see c by {', '.join(single)}"]
    return arguments, faults + wrong + other


def _shared(guess: Guess) -> list[str]:
    """Return what is wrong with blocks that serve several gates, or no gate."""
    wrong: list[str] = []
    by_x, by_h = guess.scheme.ih, guess.scheme.hh
    groups = [(by_x, guess.ih), (by_h, guess.hh)]
    if guess.ih == guess.hh or not by_h:
        groups = groups[:1]
    for names, use in groups:
        whole = " and ".join((*by_x, *by_h) if len(groups) == 1 else names)
        for block in range(4):
            name = names[block] if len(names) > 1 else f"the {QUARTERS[block]} quarter of {whole}"
            of = [NAMES[gate] for gate, used in zip(GATES, use, strict=True) if used == block]
            if len(of) != 1:
                served = f"serves as {' and as '.join(of)}" if of else "is not used"
                wrong.append(f"{name} {served}")
    return wrong


def _renamed(patterns: Iterable[str]) -> list[str]:
    """Return what is wrong with four arrays whose names show the gates, and that serve others."""
    wrong: list[str] = []
    for four in map(expanded, patterns):
        spoken = spoken_gates(four)
        moved = [gate for gate, block in enumerate(spoken) if gate != block]
        if moved:
            served = (f"{four[gate]} serves as {NAMES[GATES[gate]]}" for gate in moved)
            wrong.append(f"{' and '.join(served)}, against their names")
    return wrong


def _biases(guess: Guess, search: Search) -> tuple[list[str], list[str]]:
    """Return the biases, by what each adds to the gates, and what is wrong with them.

    A bias is the name of an array for all gates, or a pattern for four arrays. An array that adds
    nothing completes a pattern of three that do, and otherwise has no effect.
    """
    right: list[str] = []
    faults: list[str] = []
    idle: list[str] = []
    singles: tuple[list[str], ...] = ([], [], [], [])
    for name, added in guess.biases.items():
        numbers = search.numbers.bias[name]
        of = np.flatnonzero(added.any(axis=(0, 2)))
        if not len(of):
            idle.append(name)
        elif numbers.shape[1] == STACKED:
            right.append(name)
            blocks = numbers.reshape(-1, 4, HIDDEN)[:, list(guess.ih)]
            if np.array_equal(added, 2 * blocks):
                faults.append(f"{name} is added twice")
            elif not np.array_equal(added, blocks):
                used = ", ".join(gates(guess.ih))
                faults.append(f"{name} is not used in the order {used} of the weights")
        else:
            singles[of[0]].append(name)
            twice = not np.array_equal(added[:, of[0]], numbers)
            if len(of) > 1 or twice:
                *others, last = (f"the {NAMES[GATES[gate]]}" for gate in of)
                where = f"{', '.join(others)} and {last}" if others else last
                faults.append(f"{name} is added {'twice ' * twice}to {where}")
    counts = [len(names) for names in singles]
    for nth in range(max(counts)):
        spare = iter(idle)
        four = [names[nth] if nth < len(names) else next(spare, "") for names in singles]
        if all(four):
            right.append(pattern(tuple(four)))
    whole = not any(counts) and any(search.numbers.bias[name].shape[1] == STACKED for name in idle)
    if len(set(counts)) > 1 or whole:
        faults += [f"{name} has no effect" for name in idle]
    return right or idle[: 2 * whole], faults


def source(name: str, module: ModuleType, factory: str, arguments: Mapping[str, Any]) -> str:
    """Return the adapter as source, in lines of up to 100 columns where names allow that.

    `name` is the class or function in `module`, or in the script that runs. If that is a file that
    the current folder does not have, its folder is named. What lies in no module from which it can
    be imported is not imported.
    """
    place = module.__name__.removeprefix(UNDER_TEST)
    file = getattr(module, "__file__", None)  # a notebook has none
    if file and place == "__main__":
        place = Path(file).stem
    folder = Path(file).parents[place.count(".")] if file else Path()
    elsewhere = place != module.__name__ or (file and str(folder) not in sys.path)
    needed = {**RANDOM, "types.SimpleNamespace": "types"}
    lines = [f"import {package}" for text, package in needed.items() if text in factory]
    lines += ["" for _ in lines] + ["from conformance import HandWritten"]
    if elsewhere and folder != Path.cwd():
        lines = ["import sys", "", *lines, "", f"sys.path.insert(0, {str(folder)!r})"]
    if place == "__main__" or not name.isidentifier():
        pass
    elif all(part.isidentifier() for part in place.split(".")):
        lines += [f"from {place} import {name}"]
    else:
        lines = [
            "import importlib",
            *lines,
            "",
            f"{name} = importlib.import_module({place!r}).{name}",
        ]
    lines += ["", "mine = HandWritten("]
    made, _, inner = factory.partition("(")
    if len(factory) > 95:
        arguments_of = textwrap.wrap(inner.removesuffix(")"), 92)
        lines += [f"    {made}(", *(f"        {line}" for line in arguments_of), "    ),"]
    else:
        lines.append(f"    {factory},")
    current = "   "
    for key, value in arguments.items():
        text = f" {key}={_quoted(value)},"
        if current.strip() and len(current) + len(text) > 100:
            lines.append(current)
            current = "   "
        current += text
    return "\n".join([*lines, current, ")"])


def _quoted(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, value))})"
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)
