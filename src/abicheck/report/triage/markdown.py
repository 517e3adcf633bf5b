"""Triage as markdown, to paste as a reply to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.markup import advice, block, code, text
from abicheck.report.triage.words import ANSWERS, facts, questions, replayed, role, title, unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.triage import Cause, Triage


def render(found: Triage) -> str:
    """The answer in paragraphs."""
    return "\n\n".join(_blocks(found)) + "\n"


def _blocks(found: Triage) -> Iterator[str]:
    diagnosis = found.diagnosis
    _, _, answer = ANSWERS[diagnosis.answer]
    first, *others = diagnosis.causes or diagnosis.others or (None,)
    if answer:
        yield f"**{text(answer)}.**"
    if first is not None:
        yield from _cause(first)
    if others:
        yield "\n".join(f"- {text(title(cause))} ({role(cause)}): {text(cause.summary)}" for cause in others)
    known = [f"- {label}: {text(words)}" for label, words in facts(diagnosis.facts)]
    if known:
        yield "\n".join(("What the report says:", "", *known))
    if found.replay is not None:
        yield f"Judged again: {text(replayed(found.replay))}"
    asked = [f"- {text(each.text)}" + (f" {code(each.command)}" if each.command else "") for each in questions(diagnosis)]
    if asked:
        yield "\n".join(("Please tell:", "", *asked))
    if found.unread:
        yield text(unread(found))


def _cause(cause: Cause) -> Iterator[str]:
    yield f"**{text(title(cause))}**"
    yield text(cause.summary)
    if cause.evidence:
        yield block("\n".join(cause.evidence)) if len(cause.evidence) == 1 else "\n\n".join(map(block, cause.evidence))
    if cause.remedies:
        yield "\n".join(f"- {advice(remedy)}" for remedy in cause.remedies)
