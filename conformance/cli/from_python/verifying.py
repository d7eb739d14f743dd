"""``verify`` and ``check``: decide whether LSTMs meet the requirements, or one meets one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, cast

from conformance.checking import process_state
from conformance.checking.budget import DEFAULT, MEMORY, Budget
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Verdict
from conformance.cli.from_python.deciding import Collecting
from conformance.cli.from_python.progress import shown
from conformance.cli.from_python.report import Report
from conformance.cli.from_python.settled import Settled, Words, joined, listed
from conformance.errors import UsageError, unknown
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import called, is_function, is_module
from conformance.implementations.naming import unloadable
from conformance.implementations.own_imports import OURS
from conformance.inference.inference import Inference
from conformance.inference.taking import Target, take
from conformance.recording.text import kind_of
from conformance.reproductions import ROOT
from conformance.requirements import REQUIREMENTS
from conformance.running import choosing, deciding
from conformance.running.loaded import loaded


def verify(
    *targets: Target,
    level: Words = (),
    dtypes: Words = (),
    devices: Words = (),
    requirements: Words = (),
    without: Words = (),
    precision: Words = (),
    profile: str = "default",
    max_examples: int | None = None,
    seed: int | None = None,
    strict: bool = False,
    timeout: float | None = None,
    time_limit: float | None = None,
    memory: float = MEMORY,
    workers: int = 2,
    reproductions: str = ROOT,
    progress: bool = True,
) -> Report:
    """Decide whether LSTMs meet the requirements, and return what was found.

    Each of the `targets` is a class, a torch module, a function, an implementation, or the name of
    one; :func:`conformance.load` says more. The layout of a hand-written one is inferred. The other
    arguments are the options of ``lstm-conformance verify``; lists of words may be texts with
    commas. `progress` is whether to show how far the run is, in a terminal or a notebook.

    On Linux each requirement is decided in a separate process, `workers` at a time, with limits
    of time and memory. That is a fork of this process, so that the class may be one of a notebook.
    Without ``fork``, beside JAX, MLX, Paddle or TensorFlow, and where there is a GPU, this process
    decides; then `timeout` interrupts Python code only, and there is no limit of memory.

    Raises :class:`~conformance.UsageError` for what is not an LSTM, and for wrong arguments.
    """
    config = Settled(
        lstm_level=joined(level),
        lstm_dtype=joined(dtypes),
        lstm_device=joined(devices),
        lstm_requirement=listed(requirements),
        lstm_without=joined(without),
        lstm_precision=joined(precision),
        lstm_profile=profile,
        lstm_max_examples=max_examples,
        lstm_seed=seed,
        lstm_strict=strict,
        lstm_timeout=timeout,
        lstm_time_limit=time_limit,
        lstm_memory=memory,
        lstm_workers=workers,
        lstm_reproductions=reproductions,
    )
    if not targets:
        raise UsageError("give at least one LSTM to verify")
    with OURS, process_state.restored():
        chosen, inferred = _chosen(config, targets)
        config.option.lstm = [target.name for target in chosen]
        collecting = Collecting(config, chosen)
        try:
            with shown(collecting.run, progress) as advance:
                for _ in collecting.decide():
                    advance()
        finally:
            collecting.write()
    return Report(collecting.run, inferred)


def check(
    requirement: Requirement | str,
    target: Target,
    device: str = "cpu",
    budget: Budget = DEFAULT,
    **more: Any,
) -> Verdict:
    """Draw cases until the requirement fails or the budget is spent; never raises for a failure.

    - `requirement`: one of :data:`conformance.REQUIREMENTS`, or its name
    - `target`: an LSTM, by name or as a class, module, function or implementation
    - `device`: the device to compute on
    - `budget`: how many cases are drawn, from which seed
    - `more`: `before`, `keep`, `strict` and `expected`, see
      :func:`conformance.running.deciding.check`

    This happens in this process, and without a limit of time. Raises
    :class:`~conformance.UsageError` for an unknown requirement, and for what is not an LSTM.
    """
    if isinstance(requirement, str):
        if requirement not in REQUIREMENTS:
            raise unknown("requirement", requirement, REQUIREMENTS)
        requirement = REQUIREMENTS[requirement]
    to_take = is_module(target) or is_function(target) or issubclass(type(target), (str, type))
    # what an object declares is looked at by the check: what it raises then is a verdict
    implementation = take(target).implementation if to_take else cast(Implementation, target)
    return deciding.check(requirement, implementation, device, budget, **more)


def _chosen(
    config: Settled, targets: Sequence[Target]
) -> tuple[list[choosing.Target], dict[str, Inference]]:
    """Return what is verified, and what was inferred of that, by the name of the implementation."""
    chosen: list[choosing.Target] = []
    inferred: dict[str, Inference] = {}
    for given in targets:
        implementation, found = _loaded(given)
        name = called(given, implementation)
        target = choosing.target(config.of_pytest, name, implementation)
        why = "" if isinstance(given, str) else unloadable(name)
        chosen.append(replace(target, inferred=found is not None, unloadable=why))
        choosing.refuse_namesakes(chosen)
        if found is not None:
            inferred[implementation.name] = found
    return chosen, inferred


def _loaded(given: Target) -> tuple[Implementation, Inference | None]:
    once = cache(partial(take, given))
    name = given if isinstance(given, str) else kind_of(given)
    return loaded(name, lambda: once().implementation), once().inferred
