"""The engine that decides one requirement."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import (
    PROFILES,
    Budget,
    Crashed,
    Failed,
    Misbehaviour,
    Mismatch,
    NotApplicable,
    Passed,
    Requirement,
    Support,
    check,
)
from conformance.checking.comparison import against_reference
from conformance.checking.digest import Digest
from conformance.implementations.implementation import Implementation, run
from reference import Case, Result
from strategies import lstm_cases
from tests.support import kinds
from tests.support.cases import RoundedReference

QUICK = Budget(PROFILES["quick"], seed=3)


def requirement(body: Callable[..., Any] = against_reference, **options: Any) -> Requirement:
    """A requirement that is not registered; `options` are those of :class:`Requirement`."""
    return Requirement("it_holds", "It holds.", "nobody", "core", body, **options)


def negated_h_n(case: Case, result: Result) -> Result:
    """Wrong wherever h_n is not zero in two layers."""
    if case.configuration.num_layers == 2:
        return Result(result.output, -result.h_n, result.c_n)
    return result


def test_check_tells_a_case_that_is_derived_from_the_one_shown() -> None:
    """Where the last call was one with other numbers, and not where it was with the case itself."""

    def with_ones(implementation: Any, case: Case) -> float:
        return against_reference(implementation, replace(case, input=np.ones_like(case.input)))

    for body, derived in ((with_ones, True), (against_reference, False)):
        verdict = check(requirement(body), RoundedReference(negated_h_n), budget=Budget(100, 3))
        assert verdict.counterexample is not None
        assert not np.any(verdict.counterexample.tensors["input"])
        told = "The failing call used a case derived from this one; the script shows that call."
        assert (told in verdict.lines()) == derived


def test_check_passes_what_holds() -> None:
    """All cases are tried, and the largest share of the bound among them is kept."""
    implementation = RoundedReference()
    verdict = check(requirement(), implementation, budget=QUICK)
    assert isinstance(verdict, Passed), verdict
    assert (verdict.requirement, verdict.implementation) == ("it_holds", "rounded reference")
    assert verdict.device == "cpu"
    assert verdict.cases == len(implementation.seen) == PROFILES["quick"]
    assert verdict.largest_share is not None
    assert 0 < verdict.largest_share < 1
    assert verdict.seconds > 0
    assert verdict.counterexample is None


def test_check_measures_nothing_where_there_is_nothing_to_measure() -> None:
    """A requirement whose body returns None has no share."""
    verdict = check(requirement(lambda *_: None), RoundedReference(), budget=QUICK)
    assert isinstance(verdict, Passed)
    assert verdict.largest_share is None


def test_check_fails_with_a_small_counterexample() -> None:
    """The case in the verdict is shrunk: sizes of one, one number other than zero."""
    verdict = check(requirement(), RoundedReference(negated_h_n), budget=Budget(100, seed=3))
    assert isinstance(verdict, Failed), verdict
    found = verdict.counterexample
    assert found is not None
    assert "1->1 num_layers=2 seq_len=1" in found.case
    assert found.what == "h_n"
    assert found.where in ("[0, 0, 0]", "[1, 0, 0]")
    assert float(found.got) == pytest.approx(-float(found.expected), rel=1e-2)
    assert found.allowed is not None
    assert abs(float(found.got) - float(found.expected)) > found.allowed
    assert found.message.startswith(f"h_n{found.where} = {found.got}, but should be")
    numbers = [number for tensor in found.tensors.values() for number in flat(tensor)]
    assert sum(number != 0 for number in numbers) <= 2
    assert {"weight_ih_l1", "input"} <= set(found.tensors)


def test_check_counts_the_cases_until_the_failure() -> None:
    """Cases tried while shrinking are not counted."""
    implementation = RoundedReference(negated_h_n)
    verdict = check(requirement(), implementation, budget=Budget(100, seed=3))
    first = next(
        count
        for count, case in enumerate(implementation.seen, start=1)
        if case.configuration.num_layers == 2
    )
    assert verdict.cases == first < len(implementation.seen)


def test_check_stops_shrinking_when_the_time_is_up() -> None:
    """Without time for shrinking the first counterexample stands, and is a failure all the same."""
    verdict = check(
        requirement(), RoundedReference(negated_h_n), budget=Budget(100, 3, shrink_seconds=0.0)
    )
    assert isinstance(verdict, Failed)
    assert verdict.counterexample is not None
    assert verdict.counterexample.what == "h_n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("on fire"), "raised RuntimeError: on fire"),
        (SystemExit("bye"), "raised SystemExit: bye"),
        (AssertionError("not so"), "raised AssertionError: not so"),
        (Misbehaviour("h_n is a list"), "h_n is a list"),
    ],
)
def test_check_calls_an_exception_a_crash(error: BaseException, told: str) -> None:
    """What the implementation raises becomes a verdict with the case and the text."""

    def change(case: Case, result: Result) -> Result:
        if case.batched:
            raise error
        return result

    verdict = check(requirement(), RoundedReference(change), budget=QUICK)
    assert isinstance(verdict, Crashed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.message == told
    assert "1->1 seq_len=1 batch_size=1" in verdict.counterexample.case


def test_check_calls_another_kind_of_answer_a_crash() -> None:
    """An answer that is not a result is named."""

    def output_alone(_: Case, result: Result) -> Any:
        return result.output

    verdict = check(requirement(), RoundedReference(output_alone), budget=QUICK)
    assert isinstance(verdict, Crashed)
    assert verdict.counterexample is not None
    assert verdict.counterexample.message == "run() returned ndarray, not a Result"


def test_check_lets_faults_of_its_own_through() -> None:
    """An exception of a requirement's body is a fault of the suite, and no verdict."""

    def broken(_implementation: Any, _case: Case) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check(requirement(broken), RoundedReference(), budget=QUICK)


@pytest.mark.parametrize("kind", [Exception, BaseException])
def test_check_blames_an_exception_of_a_class_of_somebody_else(kind: type[BaseException]) -> None:
    """As a thread that the implementation has started raises it in the midst of a requirement."""

    def interrupted(_implementation: Any, _case: Case) -> None:
        raise type("TooLate", (kind,), {"__module__": "somebody.else"})("after 1 s")

    verdict = check(requirement(interrupted), RoundedReference(), budget=QUICK)
    assert isinstance(verdict, Crashed), verdict
    assert verdict.lines()[0].startswith("raised somebody.else.TooLate: after 1 s")


def test_check_lets_an_interrupt_through() -> None:
    """Ctrl-C in the implementation ends the run."""

    def change(_case: Case, _result: Result) -> Result:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(requirement(), RoundedReference(change), budget=QUICK)


def test_check_fails_what_fails_only_once() -> None:
    """A failure that does not come again on the same case is a failure all the same."""
    seen = []

    def flaky(_implementation: Any, case: Case) -> None:
        seen.append(case)
        if len(seen) == 4:
            raise Mismatch("h_n", "[0]", "1.0", "0.0", 0.1)

    verdict = check(requirement(flaky), RoundedReference(), budget=QUICK)
    assert isinstance(verdict, Failed), verdict
    assert verdict.cases == 4


@pytest.mark.parametrize(
    ("options", "support", "told"),
    [
        ({"cases": {"bidirectional": True}}, {"bidirectional": (False,)}, "bidirectional"),
        ({"cases": {"num_layers": (2, 3)}}, {"max_layers": 1}, "num_layers"),
        ({"cases": {"lengths": True}}, {"lengths": False}, "lengths"),
        ({"cases": {"batch_size": (0, 0)}}, {"empty_batch": False}, "empty_batch"),
        ({"applies": lambda _: "the moon is full"}, {}, "the moon is full"),
    ],
)
def test_check_does_not_apply_what_is_not_supported(
    options: dict[str, Any], support: dict[str, Any], told: str
) -> None:
    """What the implementation lacks is a reason not to try, never a pass."""
    implementation = RoundedReference(support=Support(**support))
    verdict = check(requirement(**options), implementation, budget=QUICK)
    assert isinstance(verdict, NotApplicable), verdict
    assert told in verdict.reason
    assert verdict.cases == 0
    assert not implementation.seen


def test_check_draws_within_the_support() -> None:
    """Every case is one that the implementation takes, on the device asked for."""
    support = Support(
        dtypes=("bfloat16",),
        devices=("cpu", "cuda:7"),
        max_layers=2,
        projection=False,
        bias=(True,),
    )
    implementation = RoundedReference(support=support)
    check(requirement(), implementation, "cuda:7", QUICK)
    assert len(implementation.seen) == PROFILES["quick"]
    for case in implementation.seen:
        assert (case.dtype.name, case.device) == ("bfloat16", "cuda:7")
        assert case.configuration.num_layers <= 2
        assert case.configuration.bias
        assert not case.configuration.proj_size


def cases_of(seed: int, name: str = "it_holds", share: float = 1.0) -> list[str]:
    """What is drawn from a seed: each case and its input."""

    def ran(implementation: Implementation, case: Case) -> None:
        run(implementation, case)

    implementation = RoundedReference()
    item = Requirement(name, "It.", "s", "core", ran, {})
    check(item, implementation, budget=Budget(round(10 * share), seed))
    return [repr(case) + str(case.input.tolist()) for case in implementation.seen]


def test_check_draws_the_same_cases_from_the_same_seed() -> None:
    """A seed fixes every case to the last number; another seed or requirement draws others."""
    assert cases_of(1) == cases_of(1)
    assert len(set(cases_of(1))) > 5
    assert set(cases_of(1)) != set(cases_of(2))
    assert set(cases_of(1)) != set(cases_of(1, name="something_else"))


def test_check_gives_a_digest_of_the_cases_until_the_failure() -> None:
    """It is that of the cases alone, whoever computes them, and stops where shrinking begins."""
    right = check(requirement(), RoundedReference(), budget=QUICK)
    assert check(requirement(), RoundedReference(), budget=QUICK).cases_digest == right.cases_digest
    other = check(requirement(), RoundedReference(), budget=replace(QUICK, seed=4))
    assert other.cases_digest != right.cases_digest
    implementation = RoundedReference(negated_h_n)
    wrong = check(requirement(), implementation, budget=Budget(100, seed=3))
    digest = Digest()
    for case in implementation.seen[: wrong.cases]:
        digest.add(case)
    assert wrong.cases_digest == digest.text()
    assert len(implementation.seen) > wrong.cases


def test_digest_has_every_part_of_a_case() -> None:
    """Another number, shape, option or length gives another digest; another device does not."""

    def of(case: Case) -> str:
        digest = Digest()
        digest.add(case)
        return digest.text()

    case = kinds.RAGGED
    assert case.lengths is not None
    assert of(case) == of(replace(case, device="cuda:3", lengths=case.lengths.astype(np.int32)))
    others = [
        replace(case, input=-case.input),
        replace(case, lengths=np.array([4, 2, 3])),
        replace(case, lengths=None),
        replace(case, h_0=None, c_0=None),
        replace(case, configuration=replace(case.configuration, dropout=0.5, num_layers=1)),
    ]
    assert len({of(each) for each in (case, *others)}) == 6


@pytest.mark.parametrize(("share", "count"), [(0.5, 10), (2.0, 40), (0.001, 1)])
def test_check_scales_the_number_of_cases(share: float, count: int) -> None:
    """A requirement may ask for a share of the usual cases, and gets at least one."""
    verdict = check(requirement(share_of_cases=share), RoundedReference(), budget=QUICK)
    assert verdict.cases == count


def test_check_tells_each_case_before_it_is_run() -> None:
    """`before` sees every case before the implementation does."""
    implementation = RoundedReference()
    told: list[int] = []
    check(
        requirement(),
        implementation,
        budget=QUICK,
        before=lambda _: told.append(len(implementation.seen)),
    )
    assert told == list(range(PROFILES["quick"]))


def test_check_draws_from_the_options_of_the_strategy() -> None:
    """The cases of a requirement are those of :func:`strategies.lstm_cases` with its options."""
    item = requirement(cases={"num_layers": (2, 2), "batched": False})
    implementation = RoundedReference()
    check(item, implementation, budget=QUICK)
    assert {case.configuration.num_layers for case in implementation.seen} == {2}
    assert not any(case.batched for case in implementation.seen)
    lstm_cases(**item.cases).validate()


def flat(tensor: Any) -> list[float]:
    return [tensor] if isinstance(tensor, float) else [n for part in tensor for n in flat(part)]
