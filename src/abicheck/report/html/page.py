"""Fills the template of the page. All foreign text in it is inert: escaped, isolated, and barred from doing anything."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from abicheck.report.grid.arrange import WORST_FIRST
from abicheck.report.lines import escape

if TYPE_CHECKING:
    from abicheck.report.html.values import Detail, Page

#: So few explanations of what is not well are open from the start.
_FEW = 5


def render_page(page: Page) -> str:
    """The page as one HTML document, whose own style and script are the only ones that it lets a browser heed."""
    style, script = Markup(_source("style.css")), Markup(_source("script.js"))  # noqa: S704 -- our own files
    text = (
        _environment()
        .get_template("page.html")
        .render(
            page=page._replace(details=_opened(page.details)),
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )
    return text.encode("ascii", "xmlcharrefreplace").decode()  # whatever the encoding of standard output is, it stays the same


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_printable,
    )
    made.filters.update(foreign=_foreign, code=_code)
    return made


def _source(name: str) -> str:
    """The file `name` that stands beside this module."""
    content: bytes = globals()["__loader__"].get_data(__file__.removesuffix("page.py") + name)
    return content.decode()


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _printable(value: Any) -> Any:
    """Every text of the page: without what acts on a reader's screen (control characters, marks of direction)."""
    return escape(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _foreign(text: str) -> Markup:
    """Text whose letters may run from right to left, which must not turn around what stands beside it."""
    return Markup("<bdi>{}</bdi>").format(escape(text))


def _code(text: str) -> Markup:
    """Foreign text as it stands in a program or a file system."""
    return Markup("<code><bdi>{}</bdi></code>").format(escape(text))


def _opened(details: tuple[Detail, ...]) -> tuple[Detail, ...]:
    """The worst first, and where they are few, open."""
    ordered = sorted(details, key=lambda detail: WORST_FIRST.index(detail.mark.kind))
    problems = sum(detail.mark.kind not in ("loads", "none") for detail in details)
    few = len(details) == 1 or problems <= _FEW
    return tuple(each._replace(opened=few and (len(details) == 1 or each.mark.kind not in ("loads", "none"))) for each in ordered)
