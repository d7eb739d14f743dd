"""Reports as Markdown, read by the parser that rich uses."""

from html import unescape

import pytest
from markdown_it import MarkdownIt

from conformance.running.reporting import markdown as module
from conformance.running.reporting.markdown import markdown
from conformance.running.reporting.pages.rendering import escaped
from tests.support.written import HOSTILE, every_outcome, failed, run_of

PARSER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "_a_ __b__ a_b", "# x", "<b>", "a | b", "[x](y)", "`x`", "*x*", "&amp;", "~x~"],
)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """It is one plain text, in a paragraph and in a table."""
    line = escaped(text)
    (inline,) = (each for each in PARSER.parse(f"x {line}") if each.type == "inline")
    assert {each.type for each in inline.children or ()} == {"text"} or {
        "text",
        "text_special",
    } >= {each.type for each in inline.children or ()}
    assert "".join(each.content for each in inline.children or ()) == f"x {text}"
    cells = PARSER.render(f"| a | b |\n|---|---|\n| {line} | y |").count("<td>")
    assert cells == 2


def test_names_within_words_stay_readable() -> None:
    """An underscore within a word has no meaning."""
    assert escaped("rows_do_not_interact") == "rows_do_not_interact"


def test_failures_have_their_numbers() -> None:
    """In the line that is not folded; the rest is folded."""
    told = markdown(run_of(failed()).to_json())
    assert told.startswith("## lstm-conformance: not conformant\n")
    (summary,) = (line for line in told.split("\n") if "<b>results_match_reference</b>" in line)
    assert "output[1, 1, 1] = 4.0, but should be 5.0 ± 0.1" in unescape(summary)
    assert "The results first differ in step 1" in told


def test_html_within_is_balanced() -> None:
    """What an implementation says neither opens nor closes an element."""
    told = markdown(every_outcome(HOSTILE).to_json())
    assert "<script" not in told
    assert told.count("<details>") == told.count("</details>")
    assert told.count("<pre>") == told.count("</pre>")


def test_many_failures_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary must not be large."""
    monkeypatch.setattr(module, "MOST", 2)
    told = markdown(run_of(*(failed(text=f"x{n}") for n in range(5))).to_json())
    assert "3 more failed." in told
    assert told.count("<pre>") == 2
