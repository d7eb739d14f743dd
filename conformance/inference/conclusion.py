"""From what was found to an adapter, whole cases on which it is tried, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from conformance.diagnosis import diagnose
from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.expressions import LENGTHS, Call
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import Quantity
from conformance.implementations.probing import takes
from conformance.inference import mapping
from conformance.inference.adapters import Adapters
from conformance.inference.deepening import Found
from conformance.inference.failing import failure, squeezed, unused_lengths
from conformance.inference.faults import SIDES
from conformance.inference.inference import Inference
from conformance.inference.names import few
from conformance.inference.numbers import HIDDEN, INPUT, STACKED
from conformance.inference.repeating import Second, second_call
from conformance.inference.search import Search

PEEPHOLES = {(3 * HIDDEN,), (3 * HIDDEN, HIDDEN), (HIDDEN, 3 * HIDDEN), (3, HIDDEN)}
"""The shapes of weights by which three gates may see c."""


@dataclass(frozen=True)
class Conclusion:
    """The way from what was `found` of `target`, the `attribute` of `module`, to an inference."""

    name: str
    attribute: str
    module: ModuleType
    target: Callable[..., Any]
    found: Found
    around: Around

    @property
    def search(self) -> Search:
        """The search that found it."""
        return self.found.search

    def drawn(self) -> Inference:
        """Try the adapters on whole cases, and return the first that fits, or else the first."""
        made = Adapters(self.name, self.target, self.found, self.around)
        adapters = list(made.all())
        second = self._second_call()
        try:
            failures = [failure(each.mine) for each in adapters]
        except UsageError as error:
            sizes = (
                f"with {INPUT} inputs and {HIDDEN} hidden units it can be called, with others not"
            )
            raise UsageError(f"{self.name!r}: {sizes}: {error.__cause__ or error}") from error
        chosen = failures.index(None) if None in failures else 0
        failed = failures[chosen]
        arguments, mine, faults, unlike, unverified, started = adapters[chosen]
        exact = bool(self.found.guess.exact)
        partly = exact and not faults and failed is not None
        if second.faults and not exact:
            pass  # what is random or kept explains enough
        elif failed is not None and (partly or not exact):
            nearest = "" if exact else "no mapping fits; with the nearest: "
            found, where = diagnose(failed), f"{nearest}{failed.failure} in {failed.case!r}"
            faults = [*found.explanations, *squeezed(failed.case, self.search.prober.subject())]
            faults += [*unused_lengths(mine, failed.case), where]
            faults += replace(found, explanations=()).lines()
        elif failed is not None and unlike:
            explained = diagnose(failed).explanations or (f"{failed.failure} in {failed.case!r}",)
            known = [each.removeprefix("this is an LSTM ") for each in faults]
            faults += [each for each in explained if not any(fault in each for fault in known)]
        remarks: list[str] = []
        if not faults:
            remarks += [f"results are not in {each}" for each in self._narrow(mine)]
            remarks += self._remarks(arguments, mine, started)
            # what takes two states apart takes them in one array, too
            others = [
                repr(other.arguments["call"])
                for n, other in enumerate(adapters)
                if n != chosen and failures[n] is None and "stack(" not in other.arguments["call"]
                if not Call(other.arguments["call"]).starts_at_zero
            ]
            if others:
                remarks.append(f"call={' or call='.join(others)} fits as well")
        if exact and unverified:
            be = "is" if len(unverified) == 1 else "are"
            remarks.append(f"{few(unverified)} {be} not verified")
        self._refuse_other_layers(mine)
        words = " ".join(faults).split()
        unused = {k: v for k, v in self._unused(mine).items() if k not in words}
        if unused:
            remarks.append(f"no mapping uses {few([*unused])}")
        linears = {f"{name}.weight" for name in self.search.prober.subject().submodules("Linear")}
        peeking = [k for k, shape in unused.items() if shape in PEEPHOLES and k not in linears]
        if peeking and not exact:
            faults.append(f"this looks like a peephole LSTM: do gates see c by {few(peeking)}?")
        shared = self.search.prober.subject().shared()
        if shared and faults:
            faults.insert(0, f"{few(shared[0])} are one parameter")
        norms = self.search.prober.subject().submodules("Norm")
        if norms and not exact:
            faults.insert(0, f"this looks like an LSTM with normalization, by {few(norms)}")
        remarks += second.remarks
        faults[:0] = second.faults
        construction = self.found.construction
        factory = construction.code if construction else self.attribute.rpartition(".")[2]
        code = mapping.source(self.attribute, self.module, factory, arguments)
        if self.found.shallow:
            faults.insert(0, f"this is an LSTM, but not with {self.found.shallow}")
        part = self.found.part
        faults = list(dict.fromkeys(faults))
        backward = failed is not None and failed.failure.quantity is Quantity.GRADIENT
        told = tuple(faults), tuple(remarks)
        layout = self._layout(arguments, mine)
        partly = partly and not backward
        return Inference(self.name, code, mine, *told, partly, part, backward, layout)

    @staticmethod
    def _layout(arguments: dict[str, Any], mine: HandWritten) -> str:
        """Return what alone is batch-first, in words, "" where nothing is."""
        of_steps = (part for part in mine.usage.answer.parts if part.name in ("output", "c_all"))
        heads = [part.module for part in of_steps if part.module]
        what = f"what {heads[0]} takes" if heads else "the output"
        sides = (layout for layout, side in SIDES.items() if side == arguments.get("batch_first"))
        return next(sides, "").format(what)

    def _second_call(self) -> Second:
        guess, search = self.found.guess, self.search
        if guess.reading.stepwise:  # each call is a second one
            return Second(False)
        given = search.given(guess, hh=True, biases=guess.biases)
        return second_call(search.prober, guess, *given)

    def _refuse_other_layers(self, mine: HandWritten) -> None:
        """Raise :class:`UsageError` if what comes after the LSTM is a layer of another form."""
        shapes = self.search.prober.shapes() if self.found.construction else {}
        for module in mine.usage.answer.hooked:
            if (STACKED, HIDDEN) in [s for k, s in shapes.items() if k.startswith(f"{module}.")]:
                before = f"what {module} takes is the output of an LSTM, but"
                other = f"{module} is a further layer of another form, such as more directions."
                apart = "Layers of one LSTM have the same form: verify each as a separate class"
                raise UsageError(f"{self.name!r}: {before} {other} {apart}")

    def _unused(self, mine: HandWritten) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters that have no part in the mapping, by name."""
        if self.found.construction is None:
            return {}
        guess, embedding = self.found.guess, self.search.prober.embedding
        used = {*mine.parameters.of(mine.small_case()), *guess.unexplained}
        used |= {*mine.kept, *mine.zeroed}
        used.add(embedding)
        hooked = [embedding, *mine.usage.answer.hooked, *self._after(mine.usage.answer.hooked)]
        apart = tuple(f"{module}." for module in hooked if module)
        shapes = self.search.prober.shapes()
        return {k: s for k, s in shapes.items() if k not in used and not k.startswith(apart)}

    def _after(self, hooked: Sequence[str]) -> list[str]:
        """List the submodules that are called after those of which the input is read."""
        answer = self.search.whole_answer(self.found.guess)
        called = [leaf.module for leaf in answer.modules] if answer else []
        places = [called.index(module) for module in hooked if module in called]
        return called[max(places) + 1 :] if places else []

    def _narrow(self, mine: HandWritten) -> Iterator[str]:
        """Yield dtypes in which the class runs, but with results of another dtype."""
        for dtype in ("float64", "float32"):
            if dtype not in mine.supports.dtypes:
                small = mine.small_case(dtype, states=mine.supports.states[0])
                if takes(mine, small):
                    yield f"{dtype} where arguments are, so that {dtype} is not verified"

    def _remarks(
        self, arguments: dict[str, Any], mine: HandWritten, started: dict[str, str]
    ) -> Iterator[str]:
        """Yield what else to know of a class that fits."""
        if isinstance(arguments.get("bias"), tuple):
            *others, last = arguments["bias"]
            yield f"{', '.join(others)} and {last} can be exchanged: only their sum matters"
        if LENGTHS in Call(arguments["call"]).names and not mine.supports.lengths:
            yield "rows of different lengths are not verified"
        if Call(arguments["call"]).starts_at_zero:
            yield "only one initial state can be given, so that both are verified with zeros"
        for name, state in started.items():
            held = "keeps the value from the constructor" if name in mine.kept else "is set to zero"
            yield f"{name} is the initial {state} and {held}"
        for other in self.found.others:
            named, faults = mapping.parameters(other, self.search)
            if not faults and any(arguments.get(key) != value for key, value in named.items()):
                listed = ", ".join(f"{key}={value!r}" for key, value in named.items())
                yield f"this fits as well: {listed}"
