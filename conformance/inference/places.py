"""Places to look for an LSTM, the likeliest first.

A place is one way to make an instance, or to call a function, and one choice of the parameters
that hold weights and biases. A start is a place with a call and a meaning of the input's axes.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.subjects import Subject
from conformance.implementations.by_hand.usage import Around
from conformance.inference.configured import parameters
from conformance.inference.construction import Construction, constructions, unsupplied
from conformance.inference.contents import states_held
from conformance.inference.guess import Guess
from conformance.inference.names import few
from conformance.inference.numbers import HIDDEN, INPUT, Shapes, merged
from conformance.inference.probing import Prober
from conformance.inference.readings import READINGS
from conformance.inference.schemes import Scheme, schemes
from conformance.inference.search import Search
from conformance.inference.squared import weights_by_x
from conformance.inference.stacks import Stack, layers_above, stacks
from conformance.inference.ways import calls, embeddings, methods, signatures
from conformance.recording.text import told
from reference import DType

SUBCLASS = "infer a subclass whose __init__ takes input_size and hidden_size alone"

DESCRIBE = "describe the call yourself, as HandWritten(function, call=..., returns=...)"

THREE = 3 * HIDDEN
"""The rows of weights for three gates."""


@dataclass(frozen=True)
class Place:
    """One way to make and fill an instance, and the guesses to begin with.

    An `optional` place leaves a submodule out, or has interleaved gates, and is searched if no
    other place explains everything.
    """

    search: Search
    construction: Construction | None
    starts: tuple[Guess, ...]
    optional: bool = False


def of_function(
    target: Callable[..., Any], dtype: DType, around: Around
) -> tuple[list[Place], str]:
    """List the places of a function, and say why there are none."""
    found = []
    for cell, tensors in itertools.product((False, True), repeat=2):
        for (call, row), columns in itertools.product(signatures(target, cell), (True, False)):
            # where rows of the batch are columns, a bias is a column
            shapes = {k: (*s, 1) if columns and len(s) == 1 else s for k, s in row.items()}
            prober = Prober(dtype, None, target, around, tensors)
            starts = tuple(
                Guess(scheme, "", Call(call), reading)
                for scheme in schemes(shapes)
                for reading in READINGS
                if (reading.cell, reading.columns) == (cell, columns)
                if not reading.stepwise  # a function keeps no state
                if not (columns and scheme.transposed)
            )
            if starts:
                found.append(Place(Search(prober, Stack(("",), 1, shapes)), None, starts))
    takes = f"the function takes {inspect.signature(target)}"
    return found, f"{takes}, and these names are not those of an LSTM; {DESCRIBE}"


def of_class(target: type[Any], dtype: DType, around: Around) -> tuple[list[Place], str]:
    """List the places of a class, and say why there are none."""
    found: list[Place] = []
    complaints = []
    shallow = list(constructions(target))
    deep = [deeper for each in shallow for deeper in each.deeper()]
    for construction in (*shallow, *deep):
        prober = Prober(dtype, construction, None, around)
        try:
            made = prober.subject()
        except (Exception, SystemExit) as error:
            number = isinstance(getattr(error, "obj", None), (int, float, range))
            what = f"{_called(construction, number)} raised {told(error)}"
            hint = construction.guessed or number
            complaints.append(f"{what}; {SUBCLASS}" if hint else what)
            if statics := _statics(target):
                complaints[-1] += f"; {statics} needs no instance: infer a function that calls it"
            continue
        shapes = made.shapes()
        called = list(methods(made.holder))
        square = (replace(prober, square=names) for names in weights_by_x(shapes))
        here = list(_places_of(prober, construction, made, called))
        here = here or [
            each for one in square for each in _places_of(one, construction, made, called)
        ]
        if not called:
            complaints.append("an instance has nothing that can be called")
        elif not here:
            listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
            complaints.append(
                "no parameters have the shapes of an LSTM with 3 inputs and 5 hidden units: "
                f"{listed or 'there are none'}{_of_three_gates(shapes)}{_of_other_sizes(shapes)}"
                f"{_of_another_kind(shapes)}"
                f"{''.join(f'; {few(each)} are one parameter' for each in made.shared())}"
            )
        else:
            found += here
            complaints.append("")
    if not complaints:
        needs = " and ".join(unsupplied(target) or ["input_size and hidden_size"])
        takes = f"the constructor takes {inspect.signature(target)}"
        complaints.append(f"{takes}, of which infer cannot supply {needs}; {SUBCLASS}")
    return found, next(filter(None, complaints), "")


def _places_of(
    prober: Prober, construction: Construction, made: Subject, called: list[str]
) -> Iterator[Place]:
    """Yield the places of an instance, none if its parameters have not the shapes of an LSTM's."""
    shapes = {name: merged(shape) for name, shape in prober.shapes().items()}
    fitting = [
        (stack, list(schemes(stack.shapes, stack.layers, stack.directions)))
        for stack in stacks(shapes)
    ]
    further = layers_above([stack for stack, of in fitting if of], shapes)
    features = HIDDEN if prober.square else INPUT
    held = states_held(made.classes)
    for (stack, of), embedding in itertools.product(fitting, embeddings(made, features)):
        no_heads = () if len(stack.layers) > 1 else further
        search = Search(replace(prober, embedding=embedding), stack, no_heads)
        for scheme in of:
            starts = tuple(_starts(scheme, called, held))
            if prober.square:  # with as many rows as units LSTMCell can crash on columns
                starts = tuple(each for each in starts if not each.reading.columns)
            rare = scheme.interleaved or embedding in made.submodules("Linear")
            yield Place(search, construction, starts, rare)


_parsed = cache(Call)
"""Parses the same few calls for every place."""


def _starts(scheme: Scheme, called: list[str], held: list[str]) -> Iterator[Guess]:
    """Yield the guesses to begin with, for each method and each meaning of the input's axes."""
    for method, reading in itertools.product(called, READINGS):
        forms = calls(reading.cell, len(scheme.layers), held)
        # few take steps last, or one row only, so that only the likeliest calls are tried
        if reading.stepwise:
            forms = iter(("input",))
        if reading.one_row:
            h, c = (
                f"{s}_0[0:1]" if reading.cell and len(scheme.layers) == 1 else f"{s}_0"
                for s in "hc"
            )
            forms = iter(("input", f"input, ({h}, {c})", f"input, {h}, {c}"))
        rare = reading.steps_last and not reading.columns
        for call in itertools.islice(forms, 2 if rare else None):
            yield Guess(scheme, method, _parsed(call), reading)


def _statics(target: type[Any]) -> str:
    """Return the name of the first function that a class holds as a static method, "" if none."""
    own = (key for key, value in vars(target).items() if isinstance(value, staticmethod))
    return next((f"{target.__name__}.{key}" for key in own if "init" not in key), "")


def _called(construction: Construction, number: bool) -> str:
    """Return what was tried, and which of the arguments are guesses.

    With `number`, one of the arguments should not have been a number.
    """
    needed = [p.name for p in parameters(construction.cls) if p.default is p.empty]
    if number and not construction.guessed:
        return f"the constructor, called with numbers for {few(needed)},"
    guessed = " and ".join(construction.guessed)
    return f"the constructor{f', called with a guess for {guessed},' * bool(guessed)}"


def _of_another_kind(shapes: Shapes) -> str:
    """Return what weights by c as well, or with axes of pictures, look like, "" if none do."""
    if any(len(shape) > 2 and INPUT + HIDDEN in shape for shape in shapes.values()):
        return "; weights of more than two axes are those of a convolutional LSTM"
    if any(INPUT + 2 * HIDDEN in shape for shape in shapes.values()):
        return "; weights by input, h and c together are those of a peephole LSTM"
    return ""


def _of_other_sizes(shapes: Shapes) -> str:
    """Return what weights of LSTMs of several sizes look like, "" if there are none."""
    sizes = {shape[1] for shape in shapes.values() if len(shape) == 2 and shape[0] == 4 * shape[1]}
    if len(sizes) < 2:
        return ""
    apart = "verify each as a separate class, whose __init__ takes input_size and hidden_size"
    return f"; layers of one LSTM have one hidden size, and these have several: {apart}"


def _of_three_gates(shapes: Shapes) -> str:
    """Return what weights of three gates look like, "" if there are none."""
    inputs = {INPUT, INPUT + HIDDEN}
    stacked = any(THREE in shape and inputs & {*shape} for shape in shapes.values())
    single = [shape for shape in shapes.values() if HIDDEN in shape and inputs & {*shape}]
    lstm = "an LSTM without a forget gate, or with coupled gates"
    gru = f"; weights of three gates are those of a GRU, or of {lstm}"
    return gru if stacked or len(single) == 3 else ""
