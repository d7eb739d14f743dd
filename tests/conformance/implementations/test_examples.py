"""The tutorial's cell, network and notebook: right, and found to be right."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from conformance import infer
from conformance.implementations import examples
from conformance.implementations.examples.network import Network
from conformance.implementations.examples.one_cell import Cell, of_reference
from reference import DTYPES

NOTEBOOK = Path(examples.__file__).with_name("tutorial.ipynb")


def test_every_gate_of_the_cell_is_that_of_the_reference() -> None:
    """By name, and so are the new states; no two gates are alike."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cell = Cell(2, 3).double()
        x, h, c = (torch.randn(4, size, dtype=torch.float64) for size in (2, 3, 3))
    step = of_reference(cell, x, h, c)
    with torch.no_grad():
        computed = dict(zip("hc", cell(x, (h, c)), strict=True)) | cell.gates(x, h)
    assert set(computed) == set("ifgohc")
    few_roundings = 16 * DTYPES["float64"].unit_roundoff
    for name, value in computed.items():
        np.testing.assert_allclose(value, getattr(step, name), rtol=0, atol=few_roundings)
    assert len({value.numpy().tobytes() for value in computed.values()}) == len(computed)


def test_network_scores_letters_and_draws_its_states() -> None:
    """Scores of one row a sequence, which differ from call to call."""
    network = Network(num_letters=5)
    letters = torch.tensor([[0, 1, 4], [2, 2, 3]])
    first, second = network(letters), network(letters)
    assert first.shape == (2, 5)
    assert not torch.equal(first, second)


@pytest.mark.slow
def test_cell_and_network_are_inferred() -> None:
    """Without an adapter: layers, embedding, head and random states are found."""
    assert infer(Cell).fits
    found = infer(Network)
    assert found.fits
    for argument in ('layers=("0", "1")', 'embedding="embedding"', "head(h_n[-1])", "draws="):
        assert argument in found.code


@pytest.mark.slow
def test_notebook_runs(tmp_path: Path) -> None:
    """It reaches a verdict on the cell, on the network, and on a wrong network of its own."""
    pytest.importorskip("ipykernel", reason="needs the extra jupyter")
    nbformat = pytest.importorskip("nbformat", reason="needs the extra jupyter")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra jupyter")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    cells = {cell["id"]: cell for cell in notebook.cells}
    texts = {key: json.dumps(cell.get("outputs", "")) for key, cell in cells.items()}
    for right in ("cell-verdict", "network-verdict"):
        assert "not conformant" not in texts[right]
        assert "conformant" in texts[right]
        assert "text/html" in texts[right]
        assert "<progress" in texts[right]
    assert "not conformant" in texts["yours"]
    assert "feeds the hidden state from before the step to the next layer" in texts["failures"]
    assert texts["failures"].count("False") == 1
