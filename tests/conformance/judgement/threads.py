"""Stand-ins for six public threads that ask whether a difference is a bug.

Each has the sizes and the kind of numbers that its thread has, and kernels in place of devices. The
page conformance/judgement/A_BUG.md tells what comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from conformance import Case, Result
from conformance.judgement.judging import Answer
from reference import Array, Precision
from tests.support.judging import judge_implementation
from tests.support.kernels import Kernel, made

HUGE = 3.4e38
"""Near the largest float32."""


@dataclass(frozen=True)
class Thread:
    """A public thread, and its stand-in.

    - `question`: what is asked there;
    - `judged`: makes the answers: the one that was trusted first, then the one that was doubted;
    - `difference`: how far apart the two are, in the way in which the thread measures that;
    - `verdicts`: what comes out.
    """

    name: str
    question: str
    judged: Callable[[], tuple[Answer, ...]]
    difference: float
    verdicts: tuple[str, ...]


def overflowing(gate: int) -> Case:
    """Four inputs near the largest number; the pre-activation of one gate is inf - inf.

    Its weights are 1, 1, -1, -1. The sum is +inf from the left and -inf from the right, and 0 in
    truth. The gates i, g and o are 1 otherwise, so that h is tanh(1) = 0.76 or what that gate makes
    of it.
    """
    case = made((4, 4, 1, 2), bias=False)
    w = np.zeros_like(case.parameters["weight_ih_l0"])
    for each in (0, 2, 3):
        w[4 * each : 4 * each + 4, 0] = 1
    w[4 * gate : 4 * gate + 4] = [1, 1, -1, -1]
    parameters = {**case.parameters, "weight_ih_l0": w}
    x = case.input.copy()
    x[:, 1] = HUGE
    return replace(case, parameters=parameters, input=x)


def both(case: Case, *kernels: Kernel) -> tuple[Answer, ...]:
    return tuple(judge_implementation(kernel, case) for kernel in kernels)


@dataclass
class Batched(Kernel):
    """One row is summed from the right, several in lanes: kernels for each are different code."""

    name: str = "batched"

    def run(self, case: Case) -> Result:
        order = "lanes" if case.batch_size > 1 else "backwards"
        return Kernel(order).run(case)


def in_batch() -> tuple[Answer, ...]:
    case = overflowing(3)
    w = case.parameters["weight_ih_l0"].copy()
    w[12:16] = [1, -1, 1, -1]
    # eight inputs more, so that each lane has terms of one sign
    wider = replace(case.configuration, input_size=12)
    w = np.hstack([w, np.zeros((16, 4), w.dtype), w])
    x = np.concatenate([case.input, 0 * case.input, case.input], axis=-1)
    case = replace(
        case, configuration=wider, parameters={**case.parameters, "weight_ih_l0": w}, input=x
    )
    alone = replace(case, input=case.input[:, 1:2])
    return judge_implementation(Batched(), alone), judge_implementation(Batched(), case)


def half() -> tuple[Answer, ...]:
    case = made((32, 64, 20, 4), dtype="float16", seed=1)
    single = {name: array.astype(np.float32) for name, array in case.parameters.items()}
    wide = replace(case, parameters=single, input=case.input.astype(np.float32))
    return judge_implementation(Kernel(), wide), judge_implementation(Kernel(), case)


def trained() -> Case:
    """Two layers with weights as large as training makes them."""
    return made((20, 48, 40, 3), scale=3.0, num_layers=2, seed=2)


@dataclass
class Truncating(Kernel):
    """Products of TF32, as on a newer device."""

    bits: int = 10
    name: str = "kernel-tf32"


@dataclass
class Declaring(Truncating):
    """The same, with its declaration."""

    name: str = "kernel-tf32, declared"
    precision = Precision(products="tf32")


def float64_of(case: Case) -> Case:
    wide = {name: array.astype(np.float64) for name, array in case.parameters.items()}
    return replace(case, parameters=wide, input=case.input.astype(np.float64))


def on_two_devices() -> tuple[Answer, ...]:
    case = trained()
    answers = both(case, Kernel(), Truncating(), Declaring())
    wide = float64_of(case)
    return (*answers, judge_implementation(Kernel("backwards"), wide))


def largest(first: Array, second: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.nanmax(np.abs(first.astype(np.float64) - second.astype(np.float64))))


THREADS = (
    Thread(
        "PyTorch 173922",
        "CUDA and CPU are 0.76 apart, 100 % of the number",
        lambda: both(overflowing(3), Kernel("forwards"), Kernel("backwards")),
        0.76,
        ("nothing can be said", "nothing can be said"),
    ),
    Thread(
        "PyTorch 173927",
        "compiled on the CPU and eager on CUDA are 1.52 apart, 200 %",
        lambda: both(overflowing(2), Kernel("forwards"), Kernel("backwards")),
        1.52,
        ("nothing can be said", "nothing can be said"),
    ),
    Thread(
        "PyTorch 175845",
        "float16 is 4.1e-4 away from float32, more than 1e-4",
        half,
        1e-4,
        ("right", "right"),
    ),
    Thread(
        "PyTorch 177016",
        "a row of inputs near 3.4e38 is NaN in a batch, and a number alone",
        in_batch,
        0.0,
        ("nothing can be said", "nothing can be said"),
    ),
    Thread(
        "Keras 19254",
        "CPU and GPU differ in float32, and in float64 they do not",
        on_two_devices,
        1e-4,
        ("right", "wrong", "right", "right"),
    ),
    Thread(
        "oneDNN 838",
        "209 steps, and each version gives other numbers",
        lambda: both(
            made((25, 10, 209, 1), scale=8.0, seed=3),
            *(Kernel(order) for order in ("forwards", "backwards", "lanes")),
        ),
        1e-6,
        ("right", "right", "right"),
    ),
)
