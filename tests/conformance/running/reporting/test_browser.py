"""Pages in Chromium: console, width, rules of accessibility, keyboard, clipboard."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.running.reporting.pages.run import html
from tests.support.written import every_outcome

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

WAYS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium: one that is installed, or Playwright's own."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    with api.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).is_file():
            pytest.skip("needs Chromium: an installed one, or by `playwright install chromium`")
        # as root, in a container, Chromium has no sandbox; the page is our own
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that finds what violates rules of accessibility."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("needs the extra browser")
    (path,) = Path(spec.origin).parent.rglob("axe.min.js")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    """The page of a run with every outcome."""
    path = tmp_path / "page.html"
    path.write_text(html(every_outcome().to_json()), encoding="utf-8")
    return path


def opened(browser: Browser, path: Path, width: int, scheme: str) -> tuple[Page, list[str]]:
    """The page, and the list that its complaints go to."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    complaints: list[str] = []
    page.set_default_timeout(120_000)
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    return page, complaints


@pytest.mark.parametrize(("width", "scheme"), WAYS)
def test_page_is_accessible(
    width: int, scheme: str, browser: Browser, axe: str, page_file: Path
) -> None:
    """Nothing in the console, nothing beyond the edge, no violation, folded and unfolded."""
    page, complaints = opened(browser, page_file, width, scheme)
    page.evaluate(axe)
    for unfolded in (False, True):
        if unfolded:
            page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = page.evaluate("axe.run(document)")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
        assert len(found["passes"]) > 20
    assert complaints == []
    page.context.close()


def test_every_row_is_reached_by_the_keyboard(browser: Browser, page_file: Path) -> None:
    """Tab leads to each verdict, and into each table that scrolls; Enter opens a claim."""
    page, _ = opened(browser, page_file, 400, "light")
    page.evaluate("""
        for (const row of document.querySelectorAll("tbody tr"))
          row.dataset.wanted = row.closest("table").classList.contains("wide") ? "row" : "table";
        addEventListener("focusin", event => {
          const row = event.target.closest("tr");
          if (row) row.dataset.reached = "yes";
          for (const each of event.target.querySelectorAll?.(".scroll > * tr") ?? [])
            if (event.target.classList.contains("scroll")) each.dataset.reached = "yes";
        })
    """)
    stops = page.evaluate(
        "document.querySelectorAll('a, button, summary, [tabindex=\"0\"]').length"
    )
    for _ in range(stops + 1):
        page.keyboard.press("Tab")
    rows = "document.querySelectorAll('tr[data-wanted]{}').length"
    assert page.evaluate(rows.format("")) > 20
    assert page.evaluate(rows.format(":not([data-reached])")) == 0
    verdicts = page.locator("tr:has(summary)")
    assert verdicts.count() > 5
    summary = verdicts.first.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert verdicts.first.locator("details").evaluate("it => it.open")
    page.context.close()


def test_script_is_copied(browser: Browser, page_file: Path) -> None:
    """By the keyboard, and a screen reader hears of it; a link into a folded part opens it."""
    page, complaints = opened(browser, page_file, 1280, "light")
    button = page.locator("[data-copies]").first
    page.evaluate("location.hash = document.querySelector('[data-copies]').dataset.copies")
    button.wait_for(state="visible")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('[role=status]').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == "print('off')\n"
    assert complaints == []
    page.context.close()
