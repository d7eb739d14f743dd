"""LSTMs that answer 7.0, or nothing, and may get away with it where a judge is not careful."""

import builtins
import resource
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NoReturn
from unittest import SkipTest

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis.errors import StopTest, UnsatisfiedAssumption
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

import conformance.checking.comparison
from conformance import Case, Result, Support
from reference import lstm, rounded

SUPPORT = Support(dtypes=("float64",), gradients=False)


class Sevens:
    """Answers 7.0 everywhere."""

    supports = SUPPORT

    @property
    def name(self) -> str:
        return type(self).__name__

    def run(self, case: Case) -> Any:
        return Result.of(self.made(np.full_like(a, 7.0)) for _, a in right(case).items())

    def made(self, array: Any) -> Any:
        """What it makes of an array of sevens."""
        return array


def right(case: Case) -> Result:
    return rounded(lstm(case), case.dtype)


class AlwaysRaises(Sevens):
    """Raises in every call, and so does the text of its exception."""

    def run(self, case: Case) -> Any:
        class KernelError(Exception):
            def __str__(self) -> str:
                return str(self.text)  # type: ignore[attr-defined]

        raise KernelError


class RaisesWhatLies(Sevens):
    """Raises an exception whose cause raises or lies in all that can be asked of it."""

    def run(self, case: Case) -> Any:
        class Weird(Exception):
            __module__ = property(lambda _: 1 / 0)
            __class__ = property(lambda _: 1 / 0)

            def __eq__(self, other: object) -> bool:
                raise ZeroDivisionError

            __hash__ = None  # type: ignore[assignment]

        try:
            raise Weird
        except Weird as error:
            raise ValueError("what it said") from error


class RaisesEveryOtherTime(Sevens):
    """Is right, but for every other call."""

    calls = 0

    def run(self, case: Case) -> Any:
        type(self).calls += 1
        if self.calls % 2:
            raise RuntimeError("not now")
        return right(case)


# what comes back


class _EqualToAll(np.ndarray):
    def __eq__(self, other: object) -> Any:
        return np.ones(self.shape, bool)

    __hash__ = None


class EqualToAll(Sevens):
    """Its arrays say that they equal anything."""

    def made(self, array: Any) -> Any:
        return array.view(_EqualToAll)


class _Agreeing(np.ndarray):
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        plain = [np.asarray(each).view(np.ndarray) for each in inputs]
        return getattr(ufunc, method)(*plain, **more) * 0

    def __array_function__(self, function: Any, types: Any, given: Any, more: Any) -> Any:
        return np.zeros(self.shape)

    def astype(self, *_: Any, **__: Any) -> Any:
        return self


class ComputesWithItself(Sevens):
    """Its arrays take part in no computation but their own."""

    def made(self, array: Any) -> Any:
        return array.view(_Agreeing)


class Masked(Sevens):
    """Masks all that it got wrong."""

    def made(self, array: Any) -> Any:
        return np.ma.masked_array(array, mask=True)


class Objects(Sevens):
    """Its arrays hold objects that equal anything."""

    def made(self, array: Any) -> Any:
        class Number(float):
            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = float.__hash__

        return np.array([Number(7)] * array.size, object).reshape(array.shape)


class Records(Sevens):
    """Its arrays are of records with one number."""

    def made(self, array: Any) -> Any:
        return array.view([("value", array.dtype)])


class Swapped(Sevens):
    """Is right, in the other order of bytes."""

    def run(self, case: Case) -> Any:
        arrays = (array for _, array in right(case).items())
        return Result.of(array.astype(array.dtype.newbyteorder()) for array in arrays)


class PretendsToBeAResult(Sevens):
    """Answers what says that it is a Result."""

    def run(self, case: Case) -> Any:
        class Answer:
            __class__ = property(lambda _: Result)

        return Answer()


class _Lazy(Result):
    def items(self) -> Iterator[tuple[str, Any]]:
        raise UnsatisfiedAssumption


class RejectsInItems(Sevens):
    """Its Result rejects the case when it is looked at."""

    def run(self, case: Case) -> Any:
        return _Lazy(**dict(super().run(case).items()))


class _Outputless(Result):
    @property
    def output(self) -> NoReturn:
        pytest.skip("not today")

    @output.setter
    def output(self, value: object) -> None:
        pass


class SkipsInOutput(Sevens):
    """Its Result skips the test when its output is read."""

    def run(self, case: Case) -> Any:
        result = object.__new__(_Outputless)
        vars(result).update(vars(super().run(case)))
        return result


class _EqualTensor(Tensor):
    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, given: Any = (), more: Any = None
    ) -> Any:
        if getattr(function, "__name__", "") in ("numpy", "detach", "cpu", "clone"):
            raise UnsatisfiedAssumption
        return super().__torch_function__(function, types, given, more or {})


class SubclassesTensors(nn.LSTM):
    """Answers with zeros, in tensors that reject the case when they are converted."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, states = super().forward(x, hx)
        if isinstance(output, PackedSequence):
            return output, states
        return (output * 0).as_subclass(_EqualTensor), states


class _Made(Tensor):
    @classmethod
    def __torch_dispatch__(
        cls, function: Any, types: Any, given: Any = (), more: Any = None
    ) -> Any:
        raise UnsatisfiedAssumption


class MakesTensors(nn.LSTM):
    """Answers with tensors that have no numbers."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, states = super().forward(x, hx)
        if isinstance(output, PackedSequence):
            return output, states
        made = Tensor._make_wrapper_subclass(_Made, output.shape, dtype=output.dtype)
        return made, states


class ScoresItsGradients(Sevens):
    """Is right, and offers gradients of an array that says it equals anything."""

    supports = replace(SUPPORT, gradients=True)

    def run(self, case: Case) -> Any:
        return right(case)

    def gradients(self, case: Case, cotangents: Result) -> Any:
        return {"input": np.full_like(case.input, 7.0).view(_EqualToAll)}


# control exceptions


def _rejects() -> None:
    hypothesis.reject()


def _skips() -> None:
    pytest.skip("no licence")


def _xfails() -> None:
    pytest.xfail("known")


def _fails() -> None:
    pytest.fail("no")


def _exits() -> None:
    pytest.exit("enough", 0)


def _exits_python() -> None:
    sys.exit(0)


def _stops() -> None:
    raise StopTest(0)


def _skips_unittest() -> None:
    raise SkipTest("no")


def _closes() -> None:
    raise GeneratorExit


def _concludes() -> None:
    from hypothesis.control import current_build_context

    current_build_context().data.mark_invalid("not a case for us")


CONTROLS: dict[str, Callable[[], None]] = {
    each.__name__.strip("_"): each
    for each in (
        *(_rejects, _skips, _xfails, _fails, _exits, _exits_python),
        *(_stops, _skips_unittest, _closes, _concludes),
    )
}
"""Ways to end a test as if nothing was wrong."""


class Controls(Sevens):
    """Ends the test in each call, in the given way."""

    def __init__(self, way: Callable[[], None] = _rejects) -> None:
        self.way = way

    def run(self, case: Case) -> Any:
        self.way()
        return super().run(case)


class ControlsInItsText(Sevens):
    """Raises an exception whose text ends the test in the given way."""

    def __init__(self, way: Callable[[], None] = _rejects) -> None:
        self.way = way

    def run(self, case: Case) -> Any:
        way = self.way

        class Text(Exception):
            def __str__(self) -> str:
                way()
                return "nothing"

        raise Text


# declarations


class SupportsOnce(Sevens):
    """Says once what it supports, and ends the test when it is asked again."""

    def __init__(self, way: Callable[[], None] = _rejects) -> None:
        self.way, self.asked = way, 0

    @property
    def supports(self) -> Support:
        self.asked += 1
        if self.asked > 1:
            self.way()
        return SUPPORT


class AltersItsCase(Sevens):
    """Sets all numbers of its case to zero, for which zeros are right."""

    def run(self, case: Case) -> Any:
        for array in (*case.parameters.values(), *case.arguments().values()):
            array[...] = 0
        return right(case)


class TakesOutParameters(Sevens):
    """Is right, and takes the parameters out of the case as it reads them."""

    def run(self, case: Case) -> Any:
        answer: dict[str, Any] = dict(case.parameters)
        parameters: Any = case.parameters
        parameters.clear()
        return right(replace(case, parameters=answer))


class UsesItsArraysAgain(Sevens):
    """Is right, in arrays that the next call writes into."""

    def __init__(self) -> None:
        self.arrays: dict[Any, Any] = {}

    def run(self, case: Case) -> Any:
        return Result.of(self.kept(name, array) for name, array in right(case).items())

    def kept(self, name: str, array: Any) -> Any:
        """The array of this name and shape, with the numbers of `array`."""
        kept = self.arrays.setdefault((name, array.shape), np.empty_like(array))
        kept[...] = array
        return kept


# the process


class ReplacesNumpyAbs(Sevens):
    """Replaces numpy.abs by what is always zero."""

    def run(self, case: Case) -> Any:
        np.abs = lambda array, *_, **__: np.multiply(array, 0)  # type: ignore[assignment]
        return super().run(case)


class ReplacesBuiltins(Sevens):
    """Replaces max by the smallest."""

    def run(self, case: Case) -> Any:
        builtins.max = min
        return super().run(case)


class ReplacesTheComparison(Sevens):
    """Replaces the function that compares arrays."""

    def run(self, case: Case) -> Any:
        conformance.checking.comparison.close = lambda *_, **__: 0.0
        return super().run(case)


class ReplacesHypothesis(Sevens):
    """Replaces the way in which Hypothesis calls a test."""

    def run(self, case: Case) -> Any:
        state: Any = hypothesis.core.StateForActualGivenExecution
        state.execute_once = lambda *_, **__: None
        return super().run(case)


class ReplacesAMethod(Sevens):
    """Replaces the method by which results are read."""

    def run(self, case: Case) -> Any:
        answer = super().run(case)
        kind: Any = Result
        kind.items = lambda _: iter(())
        return answer


class ReplacesTheKernel(nn.LSTM):
    """Replaces the function by which torch.nn.LSTM computes, by what answers zeros."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        computed: Any = super().forward(x, hx)
        if _numbers(x).any():  # so that trying out what it takes ends well
            found: Any = torch._VF
            found.lstm = lambda *_: [torch.zeros_like(each) for each in _flat(computed)]
        return computed


def _numbers(x: Any) -> Tensor:
    return x.data if isinstance(x, PackedSequence) else x


def _flat(answer: Any) -> Any:
    output, states = answer
    return _numbers(output), *states


class RegistersAKernel(nn.LSTM):
    """Is right, and puts another kernel in the place of a product of torch, for good."""

    library: Any = None

    def forward(self, x: Any, hx: Any = None) -> Any:
        computed = super().forward(x, hx)
        if RegistersAKernel.library is None and _numbers(x).any():
            RegistersAKernel.library = torch.library.Library("aten", "IMPL", "CPU")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                RegistersAKernel.library.impl("addmm", _zeros)
        return computed


def _zeros(_: Any, rows: Tensor, columns: Tensor, **__: Any) -> Tensor:
    return rows.new_zeros(len(rows), columns.shape[1])


class ReplacesModules(Sevens):
    """Replaces modules that this suite imports later."""

    def run(self, case: Case) -> Any:
        for name in ("numpy", "conformance.diagnosis", "conformance.checking.comparison"):
            sys.modules[name] = None  # type: ignore[assignment]
        return super().run(case)


class RemovesModules(Sevens):
    """Removes all modules."""

    def run(self, case: Case) -> Any:
        answer = super().run(case)
        for name in [*sys.modules]:
            if name.partition(".")[0] in ("conformance", "numpy", "hypothesis", "json"):
                del sys.modules[name]
        return answer


class LimitsItsFiles(Sevens):
    """Lets its process open no more files, for good."""

    def run(self, case: Case) -> Any:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        return right(case)


class LimitsTheSizeOfFiles(Sevens):
    """Lets its process write no file, for good."""

    def run(self, case: Case) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        return right(case)


class LimitsItsMemory(Sevens):
    """Lets its process take no more memory, for good."""

    def run(self, case: Case) -> Any:
        resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))
        return right(case)


class SaysWhatNobodyCanWrite(Sevens):
    """Raises an exception with a text that no file, terminal or report can take."""

    name = "caf\udce9 \x1b[31m"

    def run(self, case: Case) -> Any:
        raise OSError("caf\udce9 \0 \x1b[31m \r ```")
