"""What every page in HTML has: its base, its style and its script."""

import base64
import hashlib
import re

from conformance.running.reporting.pages.rendering import FOLDER, page


def test_page_runs_no_other_script() -> None:
    """The policy of the page allows its own script by hash, and nothing from anywhere else."""
    made = page("base.html.jinja")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', made)
    (script,) = re.findall(r"<script>(.*?)</script>", made, re.S)
    (allowed,) = re.findall(r"script-src '([^']+)'", policy)
    assert policy.startswith("default-src 'none';")
    assert (
        allowed == f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
    )


def test_style_has_every_colour_in_the_dark_too() -> None:
    """A variable that the light has, the dark has as well."""
    light, dark, *_ = re.findall(r":root \{(.*?)\}", (FOLDER / "page.css").read_text("utf-8"), re.S)
    names = re.findall(r"--[\w-]+(?=:)", light)
    assert names == re.findall(r"--[\w-]+(?=:)", dark)
    assert "--ground" in names
