"""The report and its published schema."""

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.checking.budget import PROFILES
from conformance.checking.counterexample import Compared, Counterexample, Diagnosis, Place
from conformance.checking.verdict import OUTCOMES, Passed, Verdict, from_json
from conformance.recording.json import write
from conformance.running.reporting.circumstances import declarations
from conformance.running.reporting.report import FORMAT, SCHEMA, VERSION, Run
from reference import DTYPES, TOP, Precision
from reference.precision import PRODUCTS
from strategies import Support
from tests.support.reports import PUBLISHED, checked, report

DEFINITIONS = PUBLISHED["definitions"]
ODD = Counterexample(
    "<LSTM 1->1>",
    "h_n[0] = nan, but should be 0.0",
    {"input": [[math.nan, -math.inf], [1.0, 0.5]], "h_0": []},
    allowed=math.inf,
    dtype="float32",
    diagnosis=Diagnosis(
        parted="The results first differ in layer 0.", place=Place("h_n", (0, 0), 0, 0, -1, 0, 0)
    ),
    compared=Compared([[math.nan]], [[0.0]], [[math.inf]]),
)


def run_of(*verdicts: Verdict, **known: Any) -> Run:
    return Run("quick", 3, None, verdicts=list(verdicts), **known)


def test_schema_is_one() -> None:
    """The published schema is itself valid, and no definition is unused."""
    jsonschema.Draft7Validator.check_schema(PUBLISHED)
    text = SCHEMA.read_text(encoding="utf-8")
    for name in DEFINITIONS:
        assert f'"#/definitions/{name}"' in text


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("verdict", Verdict, {"outcome"}),
        ("counterexample", Counterexample, set()),
        ("compared", Compared, set()),
        ("place", Place, set()),
        ("supports", Support, set()),
        ("precision", Precision, set()),
    ],
)
def test_schema_has_the_fields_that_are_written(name: str, kind: type, more: set[str]) -> None:
    """Each field of the dataclass is described, and required."""
    written = more | {item.name for item in fields(kind)}
    assert set(DEFINITIONS[name]["properties"]) == written
    assert set(DEFINITIONS[name]["required"]) == written


def test_schema_lists_the_values_that_are_written() -> None:
    """Outcomes, profiles, dtypes and formats of products, and what the file is."""
    properties = PUBLISHED["properties"]
    assert (properties["schema"]["const"], properties["version"]["const"]) == (FORMAT, VERSION)
    assert set(properties) == set(PUBLISHED["required"]) == set(run_of().to_json())
    assert DEFINITIONS["verdict"]["properties"]["outcome"]["enum"] == list(OUTCOMES)
    assert properties["counts"]["required"] == list(properties["counts"]["properties"])
    assert properties["counts"]["required"] == list(OUTCOMES)
    assert DEFINITIONS["run"]["properties"]["profile"]["enum"] == list(PROFILES)
    assert DEFINITIONS["precision"]["properties"]["products"]["enum"] == [None, *PRODUCTS]
    assert DEFINITIONS["dtype"]["enum"] == list(DTYPES)


@pytest.mark.parametrize("counterexample", [None, ODD])
def test_report_is_valid_and_read_back(
    counterexample: Counterexample | None, tmp_path: Path
) -> None:
    """With a verdict of every outcome, infinities and NaN: no verdict changes on the way."""
    mine = [
        kind("r", "mine", "cpu", 7, math.inf, 1.5, "because", counterexample)
        for kind in OUTCOMES.values()
    ]
    write(tmp_path / "report.json", run_of(*mine).to_json())
    written = report(tmp_path / "report.json")
    assert written["counts"] == dict.fromkeys(OUTCOMES, 1)
    again = [from_json(verdict) for verdict in written["verdicts"]]
    assert [(type(each), repr(each)) for each in again] == [
        (type(each), repr(each)) for each in mine
    ]


def test_report_of_nothing_is_valid() -> None:
    """A run that ended before the first verdict is not conformant."""
    written = checked(run_of().to_json())
    assert not written["conformant"]
    assert set(written["counts"].values()) == {0}


def test_report_is_conformant_when_all_is_decided() -> None:
    """One verdict too few, one that is not conformant, or a fault of the suite: it is not."""
    passed, failed = (OUTCOMES[name]("r", "mine", "cpu") for name in ("passed", "failed"))
    assert run_of(passed, total=1).to_json()["conformant"]
    assert not run_of(passed, total=2).to_json()["conformant"]
    assert not run_of(passed, failed, total=2).to_json()["conformant"]
    assert not run_of(passed, total=1, broken=["KeyError"]).to_json()["conformant"]


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"conformant": "yes"},
        {"counts": {"passed": 1}},
        {"run": {}},
        {"verdicts": [{"outcome": "passed"}]},
        {"verdicts": [{**Passed("r", "mine", "cpu").to_json(), "outcome": "fine"}]},
        {"verdicts": [{**Passed("r", "mine", "cpu").to_json(), "largest_share": "nan"}]},
    ],
)
def test_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    """Fields that are missing, of another type or of another version."""
    with pytest.raises(jsonschema.ValidationError):
        checked({**run_of().to_json(), **change})


def test_schema_describes_what_else_is_in_a_run() -> None:
    """Versions of packages and settings of PyTorch, by any name, are text."""
    known = run_of(circumstances={"onnx": "1.18", "torch.backends.x": "False"}).to_json()
    assert json.loads(json.dumps(checked(known)))["run"]["onnx"] == "1.18"
    with pytest.raises(jsonschema.ValidationError):
        checked(run_of(circumstances={"onnx": 1.18}).to_json())


def test_states_below_the_top_layer_are_said_to_be_missing() -> None:
    """Of h_n, where no more than the states of the top layer come back."""
    supports = json.loads(json.dumps(asdict(Support(results=("output", TOP)))))
    checked(run_of(circumstances={"supports": {"mine": supports}}).to_json())
    ((name, said),) = declarations({"supports": {"mine": supports}})
    assert (name, said) == ("mine", [("does not return", ["h_n below the top layer", "c_n"])])
