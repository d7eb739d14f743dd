"""From a guess to the arguments of :class:`conformance.HandWritten`, and to what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from conformance.implementations.by_hand.parameters import pattern
from conformance.implementations.layouts import GATES
from conformance.inference.guess import ORDERS, Guess, Use
from conformance.inference.schemes import Scheme
from conformance.inference.search import Search
from conformance.inference.sizes import HIDDEN
from reference import Array

ORDINALS = ("first", "second", "third", "fourth")
NAMES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}


def order(use: Use) -> Use:
    """The order of blocks that is nearest to how they are used."""
    return max(ORDERS, key=lambda each: sum(a == b for a, b in zip(each, use, strict=True)))


def gates(use: Use) -> str:
    """The gates as they are stacked, for the block that each uses."""
    return "".join(GATES[order(use).index(block)] for block in range(4))


class Biases:
    """Which biases there are, by what each adds to the gates, and what is wrong with them.

    `right` has one pattern or two.
    """

    def __init__(self, guess: Guess, search: Search) -> None:
        self.right: list[str] = []
        self.faults: list[str] = []
        singles: dict[int, list[str]] = {gate: [] for gate in range(4)}
        idle = []
        for name, added in guess.biases.items():
            numbers = search.numbers.bias[name]
            if not added.any():
                idle.append(name)
            elif numbers.size == 4 * HIDDEN:
                self._stacked(name, added, numbers, guess)
            else:
                gates_of = [gate for gate in range(4) if added[gate].any()]
                singles[gates_of[0]].append(name)
                twice = not np.array_equal(added[gates_of[0]], numbers)
                if len(gates_of) > 1 or twice:
                    told = " and ".join(NAMES[GATES[gate]] for gate in gates_of)
                    self.faults.append(f"{name} is added {'twice ' * twice}to the {told}")
        counts = [len(names) for names in singles.values()]
        for each in range(min(max(counts), 2)):
            spare = iter(idle)
            four = [
                names[each] if each < len(names) else next(spare, "") for names in singles.values()
            ]
            if all(four):
                self.right.append(pattern(tuple(four)))
        if len(set(counts)) > 1 or (idle and not any(counts) and self._is_lstms(idle, search)):
            self.faults += [f"{name} has no effect" for name in idle]
        if idle and not any(counts) and not self.right and self._is_lstms(idle, search):
            self.right = idle[:2]

    def _is_lstms(self, idle: Sequence[str], search: Search) -> bool:
        return any(search.numbers.bias[name].size == 4 * HIDDEN for name in idle)

    def _stacked(self, name: str, added: Array, numbers: Array, guess: Guess) -> None:
        self.right.append(name)
        blocks = numbers.reshape(4, HIDDEN)
        if np.array_equal(added, 2 * blocks[list(guess.ih)]):
            self.faults.append(f"{name} is added twice")
        elif not np.array_equal(added, blocks[list(guess.ih)]):
            self.faults.append(
                f"{name} is not used in the order {', '.join(gates(guess.ih))} of the weights"
            )


def parameters(guess: Guess, search: Search) -> tuple[dict[str, Any], list[str]]:
    """Arguments that name the parameters and their layout, and what is wrong with their use."""
    scheme = guess.scheme
    arguments: dict[str, Any] = {}
    faults: list[str] = []
    stacked = len(scheme.ih) == 1
    hh_turned = scheme.transposed if guess.turned is None else guess.turned
    if scheme.hh and len(scheme.hh) == 1:
        hh_turned = search.shapes[scheme.hh[0]][0] == HIDDEN
    for key, names, use in (("weight_ih", scheme.ih, guess.ih), ("weight_hh", scheme.hh, guess.hh)):
        if not names:
            continue
        key = f"weight_{scheme.joined}" if scheme.joined else key
        arguments[key] = names[0] if stacked else pattern(tuple(names[n] for n in order(use)))
    faults += _shared(scheme, guess)
    if stacked and guess.hh != guess.ih:
        faults.append(
            f"{scheme.ih[0]} has the gates in the order {', '.join(gates(guess.ih))}, but "
            f"{(scheme.hh or scheme.ih)[0]} is used in the order {', '.join(gates(guess.hh))}"
        )
    biases = Biases(guess, search)
    if biases.right:
        arguments["bias"] = biases.right[0] if len(biases.right) == 1 else tuple(biases.right[:2])
    if stacked and gates(guess.ih) != GATES:
        arguments["gates"] = gates(guess.ih)
    if scheme.transposed and (hh_turned or scheme.joined):
        arguments["transposed"] = True
    elif scheme.transposed or (hh_turned and scheme.hh):
        arguments["transposed"] = "weight_ih" if scheme.transposed else "weight_hh"
    if guess.forget_bias:
        arguments["forget_bias"] = guess.forget_bias
    other = [f"{name} has an effect that no bias has" for name in guess.unexplained]
    return arguments, faults + biases.faults + other


def _shared(scheme: Scheme, guess: Guess) -> list[str]:
    """What is told of blocks that serve several gates, or none."""
    told: list[str] = []
    same = guess.ih == guess.hh or not scheme.hh
    groups = [(scheme.ih, guess.ih)] if same else [(scheme.ih, guess.ih), (scheme.hh, guess.hh)]
    for names, use in groups:
        whole = " and ".join((*scheme.ih, *scheme.hh) if same else names)
        for block in range(4):
            own = names[block] if len(names) > 1 else f"the {ORDINALS[block]} quarter of {whole}"
            of = [NAMES[gate] for gate, used in zip(GATES, use, strict=True) if used == block]
            if len(of) != 1:
                served = f"serves as {' and as '.join(of)}" if of else "is not used"
                told.append(f"{own} {served}")
    return told


def source(name: str, module: str, factory: str, arguments: Mapping[str, Any]) -> str:
    """The adapter, ready to paste: at most ten lines of up to 100 columns where names allow."""
    lines = ["from conformance import HandWritten"]
    if all(part.isidentifier() for part in module.split(".")):
        lines += [f"from {module} import {name}"]
    lines += ["", "mine = HandWritten("]
    current = f"    {factory},"
    for key, value in arguments.items():
        text = f"{key}={_quoted(value)},"
        if len(current) + 1 + len(text) > 100 or current == f"    {factory},":
            lines.append(current)
            current = f"    {text}"
        else:
            current += f" {text}"
    return "\n".join([*lines, current, ")"])


def _quoted(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, value))})"
    return f'"{value}"' if isinstance(value, str) and '"' not in value else repr(value)
