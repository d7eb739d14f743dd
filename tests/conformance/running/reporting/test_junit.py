"""Reports as JUnit XML, read by a library that services use."""

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from conformance.running.reporting.junit import junit
from tests.support.written import HOSTILE, every_outcome, failed, run_of

EXPECTED = {
    "passed": None,
    "failed": Failure,
    "crashed": Error,
    "timed out": Error,
    "undecided": Error,
    "not applicable": Skipped,
    "expected failure": Skipped,
    "unexpected pass": Failure,
    "failed should": Skipped,
}


@pytest.mark.parametrize("text", ["off", HOSTILE, "\0\x1b[31m\ufffe]]>", "a\r\nb"])
def test_each_outcome_has_its_element(text: str) -> None:
    """Whatever is said, the file is XML."""
    run = every_outcome(text)
    (suite,) = JUnitXml.fromstring(junit(run.to_json()).encode())
    for verdict, case in zip(run.verdicts, suite, strict=True):
        kind = EXPECTED[verdict.outcome]
        assert [type(each) for each in case.result] == ([] if kind is None else [kind])
        assert case.name == verdict.requirement
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (9, 2, 3, 3)
    assert suite.time == pytest.approx(9 * 1.5)


def test_failure_has_its_numbers_and_its_script() -> None:
    """The message is one line, the text everything."""
    (suite,) = JUnitXml.fromstring(junit(run_of(failed()).to_json()).encode())
    (case,) = suite
    (found,) = case.result
    assert found.message == "output[1, 1, 1] = 4.0, but should be 5.0 ± 0.1"
    assert found.type == "wrong element"
    assert "The results first differ in step 1" in found.text
    assert "print('off')" in found.text


def test_failed_should_keeps_its_details() -> None:
    """As the output of a case that is skipped."""
    (suite,) = JUnitXml.fromstring(junit(every_outcome().to_json()).encode())
    *_, should = suite
    assert should.result[0].message.startswith("failed should: output[1, 1, 1]")
    assert "The results first differ" in should.system_out


def test_each_implementation_and_device_has_a_suite() -> None:
    """With a class name of its own, by which services tell cases apart."""
    found = JUnitXml.fromstring(
        junit(run_of(failed(text="a"), failed(text="b")).to_json()).encode()
    )
    assert [suite.name for suite in found] == ["mine.py:a on cpu", "mine.py:b on cpu"]
    assert [case.classname for suite in found for case in suite] == [
        "mine.py:a on cpu",
        "mine.py:b on cpu",
    ]
