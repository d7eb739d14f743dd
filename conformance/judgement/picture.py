"""A picture of a verdict: errors as a share of their bound, and the growth of rounding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from conformance.judgement.comparing import Compared
from conformance.judgement.judging import Answer
from conformance.judgement.verdict import Wrong

LEAST = 1e-3
"""The share of a bound that is drawn as nothing."""


def draw(file: Path, answers: Sequence[Answer], groups: Sequence[Compared]) -> None:
    """Draw a PNG: for each answer its layers over steps and units, and for each dtype the growth.

    Colour is the largest error of all rows, from a thousandth of the bound to ten times the bound.
    A cross marks the element from which on an answer is wrong.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    shown = [(answer, layer) for answer in answers for layer in answer.layers]
    count = max(1, len(shown) + len(groups))
    figure = Figure(figsize=(9, 2.6 * count), layout="constrained")
    axes = figure.subplots(count, squeeze=False)[:, 0]
    for plot, (answer, layer) in zip(axes, shown, strict=False):
        image = plot.imshow(
            np.clip(layer.shares.T, LEAST, 10),
            norm=LogNorm(LEAST, 10),
            cmap="RdYlGn_r",
            aspect="auto",
            interpolation="nearest",
        )
        figure.colorbar(image, ax=plot, label="error in bounds")
        plot.set_title(f"{answer.verdict.subject}, layer {layer.number}: {answer.verdict.outcome}")
        plot.set_xlabel("step")
        plot.set_ylabel("unit")
        verdict = answer.verdict
        if isinstance(verdict, Wrong) and layer.wrong is not None and layer.wrong.step >= 0:
            size = layer.case.configuration.output_size
            unit = layer.wrong.unit + layer.wrong.direction * size
            plot.plot(layer.wrong.step, unit, "kx", markersize=10)
    for plot, group in zip(axes[len(shown) :], groups, strict=False):
        for number, spread in enumerate(group.sensitivity.layers):
            plot.semilogy(np.maximum(spread, np.finfo(float).tiny), label=f"layer {number}")
        plot.axhline(group.seen, color="black", linestyle=":", label="seen") if group.seen else None
        plot.set_title(f"how far right {group.dtype} runs are expected to be apart")
        plot.set_xlabel("step")
        plot.legend()
    figure.savefig(file, format="png", dpi=120)
