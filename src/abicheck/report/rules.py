"""The pages of the rules as text: for the terminal, as JSON, and as the pages of docs/rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.rule import Page, PageRemedy

_SCHEMA_VERSION = 1
_FIELD = re.compile(r"\{(\w+)\}")
#: What stands for a field where there is no finding, if its name in capitals would not say it.
_FIELD_NAMES = {"fixed": "VERSION", "install": "apt-get install …"}
_TITLES = {"error": "What does not load", "warning": "What loads, but will hurt", "note": "What is good to know"}
_OF_SOURCES = "What is wrong in sources of bindings (abicheck lint)"


def one_line(text: str) -> str:
    """A text of several lines as one."""
    return " ".join(text.split())


def _told(template: str) -> str:
    """A template as a reader sees it who has no finding: its fields as words in capitals."""
    return _FIELD.sub(lambda match: _FIELD_NAMES.get(match[1], match[1].upper().replace("_", "-")), template)


def _remedy(remedy: PageRemedy) -> str:
    return _told(remedy.text) + (f": {_told(remedy.command)}" if remedy.command else "")


def render_list(pages: Sequence[Page]) -> str:
    """All rules, a line each, by severity."""
    width = max(len(page.name) for page in pages)
    blocks = []
    for title, about in _by_title(pages):
        lines = [f"  {page.name:{width}}  {one_line(page.summary)}" for page in about]
        blocks.append("\n".join((title, *lines)))
    return "\n\n".join((*blocks, "abicheck rule NAME says why, and what to do.")) + "\n"


def _by_title(pages: Sequence[Page]) -> Iterator[tuple[str, list[Page]]]:
    """The rules under each title that has any."""
    of_sources = [page for page in pages if page.example]
    groups = [(title, [page for page in pages if page.severity == each and not page.example]) for each, title in _TITLES.items()]
    return ((title, about) for title, about in (*groups, (_OF_SOURCES, of_sources)) if about)


def render_page(page: Page) -> str:
    """One rule for the terminal."""
    return "\n\n".join(_paragraphs(page)) + "\n"


def _paragraphs(page: Page) -> Iterator[str]:
    yield f"{page.name} ({page.severity})"
    for paragraph in (page.summary, page.why, page.meaning):
        yield _wrapped(one_line(paragraph))
    yield "\n".join(("What to do, most useful first:", *(f"  → {_remedy(remedy)}" for remedy in page.remedies)))
    for title, code in (("What it finds:", page.example), ("The same without the fault:", page.fix)):
        if code:
            yield "\n".join((title, *(f"  {line}".rstrip() for line in code.splitlines())))
    if page.matching:
        yield "\n".join(("How it is told elsewhere:", *(f"  {text}" for text in page.matching)))
    yield "\n".join(("Sources:", *(f"  {source}" for source in page.sources)))


def _wrapped(text: str) -> str:
    from textwrap import fill  # noqa: PLC0415 -- for this command only

    return fill(text, 100, initial_indent="  ", subsequent_indent="  ")


def render_json(pages: Sequence[Page]) -> str:
    """The rules as one JSON document; `schema/rule.json` beside this file describes it."""
    import json  # noqa: PLC0415 -- for this format only

    return json.dumps({"schema_version": _SCHEMA_VERSION, "rules": [_plain(page) for page in pages]}, indent=2) + "\n"


def _plain(page: Page) -> dict[str, object]:
    return {
        "name": page.name,
        "severity": page.severity,
        "summary": one_line(page.summary),
        "why": one_line(page.why),
        "meaning": one_line(page.meaning),
        "remedies": [
            {"kind": each.kind, "text": _told(each.text), "command": _told(each.command) if each.command else None}
            for each in page.remedies
        ],
        "samples": list(page.matching),
        "sources": list(page.sources),
        "example": page.example or None,
        "fix": page.fix or None,
    }


def markdown_page(page: Page) -> str:
    """One rule as a page of the documentation."""
    lines = [f"# {page.name}", "", f"*{page.severity.capitalize()}.* {one_line(page.summary)}", ""]
    lines += ["## Why", "", one_line(page.why), "", "## What it means", "", one_line(page.meaning), "", "## What to do", ""]
    for number, remedy in enumerate(page.remedies, 1):
        lines.append(f"{number}. {_told(remedy.text)}")
        if remedy.command:
            lines += ["", f"   `{_told(remedy.command)}`", ""]
    lines += [] if lines[-1] == "" else [""]
    for title, code in (("What it finds", page.example), ("The same without the fault", page.fix)):
        lines += [f"## {title}", "", f"```{_language(code)}", code, "```", ""] if code else []
    if page.matching:
        lines += ["## How it is told elsewhere", "", "```", *page.matching, "```", ""]
    lines += ["## Sources", "", *(f"- {source}" for source in page.sources)]
    return "\n".join(lines) + "\n"


def markdown_index(pages: Sequence[Page]) -> str:
    """The list of all rules as a page of the documentation."""
    lines = [
        "# Rules",
        "",
        "Made by `tools/make_rule_docs.py` from the pages in `judge/rules` and `lint/rules`; `abicheck rule` shows the same.",
    ]
    for title, about in _by_title(pages):
        rows = [f"| [{page.name}]({page.name}.md) | {one_line(page.summary)} |" for page in about]
        lines += ["", f"## {title}", "", "| rule | what is wrong |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _language(code: str) -> str:
    """What an example is written in, for who colours it."""
    return "html" if code.startswith("<") else "js" if "Module." in code else "cpp"
