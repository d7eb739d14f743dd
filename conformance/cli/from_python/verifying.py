"""``verify``: decides whether LSTMs meet the requirements, and returns a report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from conformance.checking import process_state
from conformance.checking.budget import MEMORY
from conformance.cli.from_python.deciding import Collecting
from conformance.cli.from_python.progress import shown
from conformance.cli.from_python.report import Report
from conformance.cli.from_python.settled import Settled, Words, joined, listed
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation
from conformance.implementations.own_imports import OURS
from conformance.inference.inference import Inference
from conformance.inference.taking import Target, take
from conformance.recording.text import kind_of
from conformance.reproductions import ROOT
from conformance.running import choosing
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

    On Linux each requirement is decided in a process of its own, `workers` at a time, with limits
    of time and memory. That is a fork of this process, so that the class may be one of a notebook.
    Without ``fork``, beside JAX, MLX, Paddle or TensorFlow, and where there is a GPU, this process
    decides; then `timeout` interrupts Python code only, and there is no limit of memory.

    Raises :class:`~conformance.UsageError` for what is no LSTM, and for wrong arguments.
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


def _chosen(
    config: Settled, targets: Sequence[Target]
) -> tuple[list[choosing.Target], dict[str, Inference]]:
    """Return what is verified, and what was inferred of that, by the name of the implementation."""
    chosen: list[choosing.Target] = []
    inferred: dict[str, Inference] = {}
    for given in targets:
        implementation, found = _loaded(given)
        name = given if isinstance(given, str) else implementation.name
        if name in {other.name for other in chosen}:
            raise UsageError(f"two implementations are called {name!r}")
        chosen.append(choosing.target(config.of_pytest, name, implementation))
        if found is not None:
            inferred[implementation.name] = found
    return chosen, inferred


def _loaded(given: Target) -> tuple[Implementation, Inference | None]:
    once = cache(partial(take, given))
    name = given if isinstance(given, str) else kind_of(given)
    return loaded(name, lambda: once().implementation), once().inferred
