"""The verdict on a given LSTM from Python."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.failures import Failure
from conformance.implementations.loading import of_class
from conformance.judgement.comparing import Compared, compared
from conformance.judgement.files.finding import find, one_of
from conformance.judgement.judging import Answer, judge_results
from conformance.judgement.told import lines
from conformance.judgement.verdict import Verdict
from conformance.requirements.parts import first_layers
from reference import DTYPES, Array, Case, Precision, Result
from strategies import Support


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdict on results, and how sensitive the LSTM is to rounding on its input.

    ``str`` gives it in words, and estimates the second part for that.
    """

    answer: Answer
    precision: Precision | None

    @property
    def verdict(self) -> Verdict:
        """Right, wrong, or nothing can be said; with the largest error as a share of its bound."""
        return self.answer.verdict

    @cached_property
    def compared(self) -> Compared | None:
        """How far right implementations can be expected to differ, and how far this one does."""
        return compared([self.answer], self.precision)

    def __str__(self) -> str:
        groups = [] if self.compared is None else [self.compared]
        return "\n".join(lines([self.answer], groups))


def judge(
    subject: Any,
    given: Any,
    states: tuple[Any, Any] | None = None,
    *,
    precision: Precision | None = None,
) -> Judgement:
    """Judge what a module computes, or results that came from anywhere.

    - ``judge(module, input, states=None)``: `module` has the parameter names and the call of
      ``torch.nn.LSTM`` or ``torch.nn.LSTMCell``, and is called in eval mode, as it is and where it
      is. `input` and `states` are tensors or arrays, in the shapes that the module takes;
    - ``judge(case, results)``: `results` is a :class:`reference.Result` of the case or, for several
      layers, a list with those of the lowest layer alone, of the lowest two, and so on up to all.
      Those of all alone are enough for small sizes. A final state may be all NaN.

    `precision` declares arithmetic other than the dtype's own. Raises :class:`UsageError` if
    `module` is not an LSTM, and :class:`ValueError` where shapes or dtypes do not fit.
    """
    if isinstance(subject, Case):
        answer = judge_results("the given results", subject, _results(subject, given), precision)
    else:
        answer = _of_module(subject, given, states, precision)
    return Judgement(answer, precision)


def _results(case: Case, given: Any) -> list[Result]:
    """List the given results; each must have the shapes of its number of layers of `case`."""
    found = [given] if isinstance(given, Result) else given
    layers = case.configuration.num_layers
    known = isinstance(found, (list, tuple)) and all(isinstance(each, Result) for each in found)
    if not known or len(found) not in (1, layers):
        raise ValueError(
            f"results must be a Result, or a list of {layers}, from the lowest layer on"
        )
    c = case.configuration
    for count, result in enumerate(found, layers + 1 - len(found)):
        part = first_layers(case, count)
        shapes = part.output_shape(), *map(part.state_shape, (c.output_size, c.hidden_size))
        for (name, array), shape in zip(result.items(), shapes, strict=True):
            if not isinstance(array, np.ndarray) or array.shape != shape:
                has = getattr(array, "shape", "none")
                raise ValueError(f"{name} must be an array of shape {shape}, has {tuple(has)}")
    return list(found)


def _of_module(module: Any, x: Any, states: Any, declared: Precision | None) -> Answer:
    """Judge a torch module: the whole as it is, its lower layers by new modules of its class."""
    import torch

    from conformance.implementations.pytorch.modules import TorchLSTM, TorchLSTMCell, to_result

    state = {name: _array(tensor) for name, tensor in module.state_dict().items()}
    name = type(module).__name__
    found = one_of(find(state, where=name), None, name)
    dtype = DTYPES[found.dtype].numpy
    if states is not None and (not isinstance(states, (tuple, list)) or len(states) != 2):
        raise ValueError("states must be a pair of h_0 and c_0")
    h_0, c_0 = (None, None) if states is None else (_array(each).astype(dtype) for each in states)
    x = _array(x).astype(dtype)
    own = next(iter(module.parameters()))
    cell = isinstance(module, torch.nn.LSTMCell)
    first = bool(getattr(module, "batch_first", False))
    configuration = replace(found.configuration, batch_first=first)
    case = Case(configuration, found.parameters, x, h_0, c_0, device=str(own.device))
    as_it_is = (TorchLSTMCell if cell else TorchLSTM)(type(module), name, Support())
    adapter: Any = None
    with contextlib.suppress(UsageError, Failure):
        adapter = of_class(type(module), name)
    training = module.training
    module.eval()
    with torch.no_grad():
        top = to_result(as_it_is.call(module, case))
    module.train(training)
    results: Sequence[Result] = [top]
    if configuration.num_layers > 1 and adapter and not adapter.supports.lacking_for(case):
        cuts = (first_layers(case, count) for count in range(1, configuration.num_layers))
        results = [*(adapter.run(cut) for cut in cuts), top]
    return judge_results(name, case, results, declared)


def _array(value: Any) -> Array:
    """Convert a tensor or an array."""
    if isinstance(value, np.ndarray):
        return value
    import torch

    from conformance.recording.arrays import numbers

    if not isinstance(value, torch.Tensor):
        raise ValueError(f"give tensors or arrays, not a {type(value).__name__}")
    return numbers(value)
