"""The same seed gives the same cases and the same verdicts, however a run is made."""

from pathlib import Path

import pytest

from tests.support.processes import SPECIMENS, command
from tests.support.reports import report

NAMES = ("torch.nn.LSTMCell", f"{SPECIMENS}:ForgetsBiasHH", f"{SPECIMENS}:Segfaults")
REQUIREMENTS = ("results_match_reference", "activations_are_accurate", "rows_do_not_interact")

Found = dict[tuple[str, str], tuple[str, int, str]]


def found(folder: Path, *options: object, names: tuple[str, ...] = NAMES, **env: str) -> Found:
    """Outcome, number and digest of the cases, for each implementation and requirement."""
    asked = [word for name in REQUIREMENTS for word in ("--requirement", name)]
    more = ("--device", "cpu", "--max-examples", 6, "--seed", 8, "--json", "report.json")
    run = command("verify", *names, *asked, *more, *options, folder=folder, **env)
    assert run.returncode == 1, run.stdout + run.stderr
    written = report(folder / "report.json")
    return {
        (each["implementation"], each["requirement"]): (
            each["outcome"],
            each["cases"],
            each["cases_digest"],
        )
        for each in written["verdicts"]
    } | {("all", "all"): ("", 0, written["run"]["cases_digest"])}


@pytest.mark.slow
def test_seed_decides_cases_and_verdicts(tmp_path: Path) -> None:
    """With any number of workers, in any order, with any hash seed, beside what crashes or not."""
    (tmp_path / "theirs.py").write_text(
        f"constants = {list(range(1000))}\nfrom torch.nn import LSTMCell as Mine\n"
    )
    first = found(tmp_path, "-n", 1)
    assert len(first) == 10
    assert first[NAMES[0], "results_match_reference"][:2] == ("passed", 6)
    assert first[NAMES[1], "results_match_reference"][0] == "failed"
    assert first[NAMES[2], "results_match_reference"][0] == "crashed"
    assert first == found(tmp_path, "-n", 2, names=NAMES[::-1], PYTHONHASHSEED="5")
    assert first == found(tmp_path, "-n", 4, PYTHONHASHSEED="6")
    alone = found(tmp_path, "-n", 0, names=("theirs.py:Mine", *NAMES[:2]), PYTHONHASHSEED="7")
    assert {key: first[key] for key in first if key[0] in NAMES[:2]}.items() <= alone.items()
    for name in REQUIREMENTS:
        assert alone["theirs.py:Mine", name] == first[NAMES[0], name]
