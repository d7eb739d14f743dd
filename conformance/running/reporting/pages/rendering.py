"""Making a page, in HTML or Markdown, from a template of this folder."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent

SPECIAL = re.compile(r"[\\`*\[\]|#~$]|:(?=[\w+-]+:)|(?<![^\W_])_|_(?![^\W_])")
"""What may have a meaning in Markdown, beside HTML; an underscore has none within a word."""


def page(template: str, **values: Any) -> str:
    """Render the page of a `template` in this folder, such as ``run.html.jinja``.

    In HTML whatever text the `values` hold is escaped. The page has the style and the script of
    this folder inside, and lets the browser load and run nothing else. In Markdown the filter
    ``md`` escapes.
    """
    return _environment().get_template(template).render(values)


def escaped(text: str) -> str:
    """Return a line of Markdown that shows `text` as it is, also in a table."""
    line = SPECIAL.sub(r"\\\g<0>", html.escape(" ".join(text.split()), quote=False))
    return re.sub(r"(?i)(www|https?|ftp)(?=[.:])", r"\1&#8203;", line)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=lambda name: name is None or ".md." not in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["md"] = escaped
    style, script = (
        (FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
    )
    # by which a Content-Security-Policy allows the script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals |= {"style": Markup(style), "script": Markup(script)}
    made.globals["script_hash"] = f"sha256-{digest}"
    return made
