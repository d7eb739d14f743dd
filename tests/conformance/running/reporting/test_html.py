"""The page of a run."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from conformance.checking.verdict import Crashed, Failed
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.pages.run import html
from conformance.running.reporting.report import Run
from tests.support.written import HOSTILE, counterexample, every_outcome, failed, run_of, whole

VOID = {"meta", "link", "wbr"}


class Page(HTMLParser):
    """What a page holds: tags with attributes, ids, links, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, attribute: str) -> list[str]:
        return [each for _, attrs in self.tags if (each := attrs.get(attribute))]


def page_of(run: Run) -> Page:
    return Page(html(run.to_json()))


def test_texts_are_escaped() -> None:
    """Whatever an implementation says is shown, and makes no element and no attribute."""
    shown, harmless = (page_of(every_outcome(text)) for text in (HOSTILE, "off"))
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(attrs) for _, attrs in shown.tags] == [
        sorted(attrs) for _, attrs in harmless.tags
    ]
    assert HOSTILE in shown.text


def test_links_and_labels_lead_somewhere() -> None:
    """Each id is there once, and whatever names one finds it."""
    page = page_of(every_outcome())
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    inside = [each[1:] for each in page.values("href") if each.startswith("#")]
    assert {*inside, *page.values("aria-labelledby"), *page.values("data-copies")} <= {*ids}
    assert any(each.startswith("failure-") for each in inside)


def test_page_loads_nothing() -> None:
    """No address of anything else."""
    page = page_of(every_outcome())
    assert page.values("src") == []
    assert {each for each in page.values("href") if not each.startswith("#")} == {"data:,"}


def test_musts_and_shoulds_are_apart() -> None:
    """Each requirement is in the table of its strength, with its claim."""
    text = html(whole(0).to_json())
    tables = dict(
        re.findall(r"<caption>(Musts|Shoulds) of mine.*?</caption>(.*?)</table>", text, re.S)
    )
    assert set(tables) == {"Musts", "Shoulds"}
    for name, known in REQUIREMENTS.items():
        told = {strength: Page(table).text for strength, table in tables.items()}
        inside = {
            strength for strength, shown in told.items() if known.claim in shown and name in shown
        }
        assert inside == {"Shoulds" if known.should else "Musts"}, name
        break


@pytest.mark.parametrize("kind", [Failed, Crashed])
def test_failure_is_drawn(kind: type[Failed]) -> None:
    """With the wrong element, the step where results part, and the script."""
    text = html(run_of(kind(**vars(failed()))).to_json())
    assert len(re.findall(r'<td class="worst">', text)) == 3
    parted = re.findall(
        r'<caption>([^<]*)</caption>(?:(?!</table>).)*?<tr class="parted">', text, re.S
    )
    assert parted == ["output[1]", "should be", "distance / allowed", "input[1]"]
    assert "weight_ih_l0: 100 numbers" in text
    assert "all zero: h_0" in text
    assert "print(&#39;off&#39;)" in text


def test_failures_alike_are_folded_below_the_first() -> None:
    """Each is there once, and verdicts lead to it; another cause stands by itself."""
    other = replace(failed("d"), counterexample=counterexample("other"))
    text = html(run_of(failed("a"), failed("b"), failed("c"), other).to_json())
    folded = re.findall(r'<details class="alike">(.*?)</details>\s*<article', text, re.S)
    (body,) = folded
    assert "2 more with the same explanation" in body
    assert [name in body for name in ('name">a<', 'name">b<', 'name">c<')] == [False, True, True]
    assert text.count("; 2 more with the same explanation</li>") == 1
    for number in range(1, 5):
        assert text.count(f'<h3 id="failure-{number}">') == 1
        assert f'<a href="#failure-{number}"><span' in text


def test_share_of_the_failure_is_beyond_the_bound() -> None:
    """It is drawn as a cross, those of the cases before as circles."""
    text = html(run_of(failed()).to_json())
    assert "results_match_reference, float32: 10 times the bound" in text
    assert text.count("<circle") == 3


def test_large_report_is_small() -> None:
    """Every requirement and twenty failures with long scripts take at most 1 MB."""
    assert len(html(whole(20).to_json()).encode()) <= 10**6


def test_page_of_nothing() -> None:
    """A run that ended before the first verdict has a page."""
    assert "not complete" in page_of(Run("quick", 1, None)).text


def test_requirement_of_another_version() -> None:
    """It is shown, if without its claim."""
    page = page_of(run_of(failed("was_renamed_since")))
    assert "of another version" in page.text


def test_ragged_tensors_are_not_drawn() -> None:
    """A report that somebody else wrote may have any."""
    found = counterexample()
    report = run_of(failed()).to_json()
    report["verdicts"][0]["counterexample"]["compared"]["got"] = [[1.0], [1.0, 2.0]]
    report["verdicts"][0]["counterexample"]["tensors"]["input"] = [[1.0], 2.0]
    assert found.message in Page(html(report)).text
    assert "input: of unequal rows" in html(report)
