"""Weights that ship inside packages are judged as the page has it."""

import importlib.util

import pytest

from conformance.judgement.verdict import Right, Wrong
from tests.conformance.judgement import real
from tests.support.sources import needs_source_tree

LACKING = [name for name in (*real.FILES, "onnxruntime") if importlib.util.find_spec(name) is None]


@pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)}")
@pytest.mark.parametrize("package", real.FILES)
def test_real_weights_are_right_and_faults_are_found(package: str) -> None:
    """As they are, they are right; a wrong weight is found in its unit, after the first step."""
    for _, _, fault, verdict in real.judged(package):
        if fault == "none":
            assert isinstance(verdict, Right)
            continue
        assert isinstance(verdict, Wrong)
        top = real.case_of(package, "float32").configuration.num_layers - 1
        assert verdict.place.layer == top
        if fault == "one weight":
            assert (verdict.place.unit, verdict.extent.units) == (real.UNIT, (real.UNIT,))
            assert verdict.place.step >= 1
        else:
            assert verdict.place.step == 0
            assert any("order" in cause or "i, g, f, o" in cause for cause in verdict.causes)


@needs_source_tree
def test_page_has_every_verdict() -> None:
    """None that has a fault is right, and every other is."""
    rows = [
        [part.strip() for part in line.split("|")[1:-1]]
        for line in real.PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(tuple(f"| {package} " for package in real.FILES))
    ]
    assert len(rows) == len(real.FILES) * 3 * len(real.FAULTS)
    assert all((row[4] == "right") == (row[3] == "none") for row in rows)
