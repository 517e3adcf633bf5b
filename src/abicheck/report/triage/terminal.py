"""Triage for a reader: the cause first, the reported line, what to do; then the facts, the replay, and what to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import Line, escape, join
from abicheck.report.triage.words import ANSWERS, asked, facts, questions, replayed, role, title, unread
from abicheck.report.words import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.triage import Cause, Triage


def render(found: Triage, *, colour: bool) -> str:
    """The answer as text; with `colour` for a terminal that has it."""
    return join(list(_lines(found)), colour=colour)


def _lines(found: Triage) -> Iterator[Line]:
    diagnosis = found.diagnosis
    sign, style, answer = ANSWERS[diagnosis.answer]
    first, *others = diagnosis.causes or diagnosis.others or (None,)
    yield Line(f" {escape(answer or title(first) if first else answer)}", sign, style)
    yield Line()
    if first is not None:
        yield from _cause(first)
    for cause in others:
        yield Line(f" {escape(title(cause))}  {role(cause)}", " ·", "bold")
        yield Line(f"    {escape(cause.summary)}")
    if others:
        yield Line()
    yield from (Line(f"  {label}: {escape(words)}") for label, words in facts(diagnosis.facts))
    if found.replay is not None:
        yield Line(f"  replay: {escape(replayed(found.replay))}")
        if found.replay.predicted is not None:
            yield Line(f"    {escape(found.replay.predicted)}")
    for question in questions(diagnosis):
        yield Line(f"  ask: {escape(asked(question))}")
    if found.unread:
        yield Line(f"  {unread(found)}")


def _cause(cause: Cause) -> Iterator[Line]:
    yield Line(f"  {escape(cause.summary)}")
    yield from (Line(f"  | {escape(line)}") for line in cause.evidence)
    yield from (Line(f"  → {escape(advice(remedy))}") for remedy in cause.remedies)
    yield Line()
