"""The bounds against the worst roundings: ``python tests/reference/adversarial.py``.

An LSTM is computed with every rounding error a free variable between -1 and 1, as a share of what
the model of :mod:`reference.bounds` allows to it. For one element of the results, or of the
gradients, each variable is set to the sign of the derivative of the element by it, and that is
repeated while the error grows. No bound may be exceeded, and where nothing is lost, as in short
cases, it should be reached. The sums of a weight's gradient are added up row by row, or at once.

The largest share of its bound that an element of some families of cases reached, in three dtypes:

==========================  =======  =======  ========
                            forward  local    gradient
==========================  =======  =======  ========
one unit, one step           0.9381   0.9381    0.8018
three units, one step        0.9670   0.9662    0.8379
sums of 20 terms             0.9914   0.9913    0.7980
small weights, 4 steps       0.9797   0.9880    0.7666
default weights, 4 steps     0.9458   0.9706    0.5721
c is kept, 8 steps           0.9840   0.9855    0.6653
large weights, 3 steps       0.9033   0.9205    0.5250
12 rows, 2 steps             0.9086   0.9129    0.6111
48 rows, one step            0.9463   0.9463    0.7859
==========================  =======  =======  ========
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from reference import (
    DTYPES,
    Arithmetic,
    Case,
    Configuration,
    Result,
    backward,
    forward_bound,
    gradient_bound,
    trace,
)
from reference.local_bounds import local_layers
from tests.reference.autograd import random_cotangents

DTYPES_TRIED = ("float32", "float16", "bfloat16")
ROUNDS = 6
"""How often the signs are set anew at most."""


class Roundings:
    """The variables of all roundings of one computation, in the order in which they are asked for.

    `arithmetic` says how large each error may be.
    """

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.signs: list[Tensor] = []
        self._next = 0

    def again(self) -> None:
        """Begin with the first variable again."""
        self._next = 0

    def sign(self, like: Tensor) -> Tensor:
        """The next variables, of the shape of `like`."""
        if self._next == len(self.signs):
            self.signs.append(torch.zeros_like(like).detach().requires_grad_())
        self._next += 1
        return self.signs[self._next - 1]

    def stored(self, value: Tensor) -> Tensor:
        return value * (1 + self.arithmetic.unit_roundoff * self.sign(value))

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """``x @ weight``, accumulated and stored."""
        n = weight.shape[0] * self.arithmetic.accumulation
        error = n / (1 - n) * (x.abs() @ weight.abs())
        return self.stored(x @ weight + error * self.sign(error))

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a) + self.arithmetic.sigmoid * self.sign(a)

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a) + self.arithmetic.tanh * self.sign(a)

    def total(self, terms: Tensor) -> Tensor:
        """The sum over the first axis, each term stored, added one by one, each sum stored."""
        terms = self.stored(terms)
        summed = terms[0]
        for term in terms[1:]:
            summed = self.stored(summed + term)
        return summed


class Pass(NamedTuple):
    """Everything of one forward pass: of each step, x, h and c before, the gates, c, tanh c, h."""

    steps: list[tuple[Tensor, ...]]
    outputs: list[Tensor]


@dataclass(frozen=True)
class Arrays:
    """The arrays of a case of one layer in one direction, as tensors of float64."""

    case: Case

    def __getitem__(self, name: str) -> Tensor:
        of = {**self.case.parameters, **self.case.arguments()}
        return torch.tensor(of[name].astype(np.float64))


def forward(case: Case, r: Roundings, keeps_wide: bool = False) -> Pass:
    """Compute `case`; what `keeps_wide` computes on with h before it is stored."""
    p = Arrays(case)
    h, c = p["h_0"][0], p["c_0"][0]
    steps: list[tuple[Tensor, ...]] = []
    outputs: list[Tensor] = []
    for x in p["input"]:
        before = h, c
        a = r.stored(r.product(x, p["weight_ih_l0"].T) + p["bias_ih_l0"])
        a = r.stored(r.stored(a + r.product(h, p["weight_hh_l0"].T)) + p["bias_hh_l0"])
        i, f, g, o = a.chunk(4, -1)
        i, f, g, o = r.sigmoid(i), r.sigmoid(f), r.tanh(g), r.sigmoid(o)
        c = r.stored(r.stored(f * c) + r.stored(i * g))
        t = r.tanh(c)
        h = o * t
        stored = r.stored(h)
        steps.append((x, *before, i, f, g, o, c, t))
        h = h if keeps_wide else stored
        outputs.append(stored)
    return Pass(steps, outputs)


def gradients(case: Case, cotangents: Result, r: Roundings, by_row: bool) -> dict[str, Tensor]:
    """Back-propagate through :func:`forward`, with roundings; sums `by_row`, or at once."""
    p, steps = Arrays(case), forward(case, r).steps
    d_output, dh_n, dc_n = (torch.tensor(a.astype(np.float64)) for _, a in cotangents.items())
    dh, dc = dh_n[0], dc_n[0]
    das, dxs = [], []

    def slope(s: Tensor) -> Tensor:
        return r.stored(s * r.stored(1 - s))

    for (_, _, c_prev, i, f, g, o, _, t), d in zip(reversed(steps), d_output.flip(0), strict=True):
        dh = r.stored(dh + d)
        dc = r.stored(dc + r.stored(r.stored(dh * o) * r.stored(1 - r.stored(t * t))))
        da = [
            r.stored(r.stored(dc * g) * slope(i)),
            r.stored(r.stored(dc * c_prev) * slope(f)),
            r.stored(r.stored(dc * i) * r.stored(1 - r.stored(g * g))),
            r.stored(r.stored(dh * t) * slope(o)),
        ]
        das.append(torch.cat(da, -1))
        dxs.append(r.product(das[-1], p["weight_ih_l0"]))
        dh, dc = r.product(das[-1], p["weight_hh_l0"]), r.stored(dc * f)
    all_da = torch.stack(das[::-1]).flatten(0, 1)
    xs, hs = (torch.cat([step[at] for step in steps]) for at in (0, 1))

    def summed(factor: Tensor) -> Tensor:
        if by_row:
            return r.total(all_da[:, :, None] * factor[:, None])
        return r.product(all_da.T, factor)

    bias = summed(torch.ones_like(xs[:, :1]))[:, 0]
    return {
        "input": torch.stack(dxs[::-1]),
        "h_0": dh[None],
        "c_0": dc[None],
        "weight_ih_l0": summed(xs),
        "weight_hh_l0": summed(hs),
        "bias_ih_l0": bias,
    }


def furthest(error: Callable[[], Tensor], r: Roundings) -> float:
    """The largest absolute value of `error`, over the signs of the roundings, that is found."""
    found = 0.0
    for direction in (1.0, -1.0):
        for sign in r.signs:
            sign.data.zero_()
        best = -1.0
        for _ in range(ROUNDS):
            r.again()
            off = error()
            if direction * off.item() <= best:
                break
            best = direction * off.item()
            for sign, by in zip(
                r.signs, torch.autograd.grad(off, r.signs, allow_unused=True), strict=True
            ):
                if by is not None:
                    sign.data = direction * torch.sign(by)
        found = max(found, best)
    return found


def forward_share(case: Case, arithmetic: Arithmetic) -> float:
    """The largest share of the forward bound, over the last output and c_n of some units."""
    evaluated = trace(case)
    true, bound = evaluated.result, forward_bound(evaluated, arithmetic)
    r, shares = Roundings(arithmetic), [0.0]
    for unit in range(min(3, case.configuration.hidden_size)):

        def of_output(unit: int = unit) -> Tensor:
            return forward(case, r).outputs[-1][0, unit] - float(true.output[-1, 0, unit])

        def of_c(unit: int = unit) -> Tensor:
            return forward(case, r).steps[-1][7][0, unit] - float(true.c_n[0, 0, unit])

        shares.append(furthest(of_output, r) / float(bound.output[-1, 0, unit]))
        shares.append(furthest(of_c, r) / float(bound.c_n[0, 0, unit]))
    return max(shares)


def local_share(case: Case, arithmetic: Arithmetic) -> float:
    """The largest share of the local bound, where each step is taken from the outputs themselves.

    What is expected depends on the roundings, too. The bound is taken at the worst ones found.
    """
    p = Arrays(case)

    def expected(outputs: list[Tensor]) -> tuple[Tensor, Tensor]:
        h, c = p["h_0"][0], p["c_0"][0]
        for x, output in zip(p["input"], outputs, strict=True):
            a = x @ p["weight_ih_l0"].T + p["bias_ih_l0"]
            a = a + h @ p["weight_hh_l0"].T + p["bias_hh_l0"]
            i, f, g, o = a.chunk(4, -1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            shown, h = torch.sigmoid(o) * torch.tanh(c), output
        return shown, c

    shares = [0.0]
    for keeps_wide in (False, True):
        r = Roundings(arithmetic)
        for unit in range(min(3, case.configuration.hidden_size)):
            for which in (0, 1):

                def error(
                    r: Roundings = r, unit: int = unit, which: int = which, wide: bool = keeps_wide
                ) -> Tensor:
                    passed = forward(case, r, wide)
                    got = passed.outputs[-1], passed.steps[-1][7]
                    return got[which][0, unit] - expected(passed.outputs)[which][0, unit]

                off = furthest(error, r)
                r.again()
                outputs = torch.stack(forward(case, r, keeps_wide).outputs).detach().numpy()
                (layer,) = local_layers(case, outputs, arithmetic)
                bound = layer.bound_output[-1] if which == 0 else layer.bound_c_n
                shares.append(off / float(bound[0, unit]))
    return max(shares)


def gradient_share(case: Case, arithmetic: Arithmetic) -> float:
    """The largest share of the gradient bound, over the widest element of each gradient."""
    cotangents = random_cotangents(case)
    evaluated = trace(case)
    true, bound = backward(evaluated, cotangents), gradient_bound(evaluated, cotangents, arithmetic)
    shares = [0.0]
    for by_row in (False, True):
        r = Roundings(arithmetic)
        for name in ("input", "h_0", "c_0", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
            relative = bound[name] / (np.abs(true[name]).astype(np.float64) + bound[name])
            place = np.unravel_index(int(np.argmin(relative)), bound[name].shape)

            def error(
                r: Roundings = r, name: str = name, place: Any = place, by_row: bool = by_row
            ) -> Tensor:
                got = gradients(case, cotangents, r, by_row)[name]
                return got[place] - float(true[name][place])

            shares.append(furthest(error, r) / float(bound[name][place]))
    return max(shares)


SHARES = {"forward": forward_share, "local": local_share, "gradient": gradient_share}

FAMILIES: dict[str, dict[str, Any]] = {
    "one unit, one step": {"hidden": 1, "steps": 1},
    "three units, one step": {"hidden": 3, "steps": 1},
    "sums of 20 terms": {"hidden": 3, "inputs": 20, "steps": 1},
    "small weights, 4 steps": {"hidden": 3, "steps": 4, "scale": 0.1},
    "default weights, 4 steps": {"hidden": 3, "steps": 4, "scale": 0.6},
    "c is kept, 8 steps": {"hidden": 2, "steps": 8, "scale": 0.1, "forget": 6.0},
    "large weights, 3 steps": {"hidden": 2, "steps": 3, "scale": 3.0},
    "12 rows, 2 steps": {"hidden": 2, "steps": 2, "rows": 12},
    "48 rows, one step": {"hidden": 1, "steps": 1, "rows": 48},
}


def family(
    dtype: str,
    *,
    hidden: int,
    steps: int,
    inputs: int = 2,
    rows: int = 1,
    scale: float = 0.6,
    forget: float = 0.0,
    seed: int = 0,
) -> Case:
    """A case of one layer, its weights normal times `scale`, `forget` added to the forget bias."""
    rng, numpy = np.random.default_rng(seed), DTYPES[dtype].numpy
    configuration = Configuration(inputs, hidden)
    arrays = {
        name: scale * rng.standard_normal(shape)
        for name, shape in configuration.parameter_shapes().items()
    }
    arrays["bias_ih_l0"][hidden : 2 * hidden] += forget
    x, h_0, c_0 = (
        rng.standard_normal(shape).astype(numpy)
        for shape in ((steps, rows, inputs), (1, rows, hidden), (1, rows, hidden))
    )
    parameters = {name: array.astype(numpy) for name, array in arrays.items()}
    return Case(configuration, parameters, x, h_0, c_0)


def tame(dtype: str) -> Arithmetic:
    """The arithmetic of `dtype`, but without subnormal and largest numbers."""
    return replace(Arithmetic.of(DTYPES[dtype]), subnormal=0.0, largest=np.inf)


def table() -> Iterator[str]:
    """The lines of the table in this module's docstring."""
    yield "==========================  =======  =======  ========"
    yield f"{'':26s}  {'forward':7s}  {'local':7s}  gradient"
    yield "==========================  =======  =======  ========"
    for name, options in FAMILIES.items():
        found = [
            max(share(family(dtype, **options), tame(dtype)) for dtype in DTYPES_TRIED)
            for share in SHARES.values()
        ]
        yield f"{name:26s}  {found[0]:7.4f}  {found[1]:7.4f}  {found[2]:8.4f}"
    yield "==========================  =======  =======  ========"


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in table():
        print(line, flush=True)
