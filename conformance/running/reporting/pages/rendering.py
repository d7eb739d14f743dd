"""Making a page from a template of this folder."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def page(template: str, **values: Any) -> str:
    """Render the page of a `template` in this folder, such as ``run.html.jinja``.

    Whatever text the `values` hold is escaped. The page has the style and the script of this folder
    inside, and lets the browser load and run nothing else.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (
        (FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js")
    )
    # by which a Content-Security-Policy allows the script
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made.globals |= {"style": Markup(style), "script": Markup(script)}
    made.globals["script_hash"] = f"sha256-{digest}"
    return made
