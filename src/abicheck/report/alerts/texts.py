"""What an alert says: the loader's text first where it is the verdict's, then what is wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.report import markup
from abicheck.report.lines import escape
from abicheck.report.words import advice, does, place, raised, title, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from abicheck.model.report import Remedy
    from abicheck.report.alerts.problems import Problem

    #: A text, and how it looks in markdown.
    Part = tuple[Callable[[str], str], str]

#: How much of a list is shown: all hosts are in the properties, everything is in the JSON.
_MOST_TEXTS, _MOST_PLACES, _MOST_REMEDIES = 6, 8, 6
#: A foreign text without end is no message.
_MOST_CHARACTERS = 8_000


class Message(NamedTuple):
    """The same as plain text and as markdown."""

    text: str
    markdown: str


def message(parts: Sequence[Part], remedies: Iterable[Remedy]) -> Message:
    """Foreign texts as a message, what to do last."""
    listed = list(dict.fromkeys(remedies))[:_MOST_REMEDIES]
    marked = [markdown(text) for markdown, text in parts]
    marked += ["\n".join(f"- {markup.advice(each)}" for each in listed)] if listed else []
    plain = [*(text for _, text in parts), *(f"→ {advice(each)}" for each in listed)]
    return Message(cut("\n".join(map(escape, plain))), cut("\n\n".join(marked)))


def cut(text: str) -> str:
    """The beginning of a text that is too long."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def of_problem(group: Sequence[Problem]) -> Message:
    """The message for one problem on all the hosts that have it."""
    finding, result = group[0].finding, group[0].result
    said: list[Part] = [(markup.block, text) for text in _shown((raised(each.result) for each in group if each.decides), "")]
    predicted = {each.result.predicted for each in group}
    messages = (each.finding.message for each in group if each.finding.message not in ("", *predicted))
    sentences: list[Part] = [(markup.text, text) for text in _shown(messages, "and {:,} more like this")]
    first = said or sentences[:1]
    ((_, lines),) = told([finding], result)
    evidence: list[Part] = [(markup.code, line) for line in lines if line != finding.message]
    parts = [*first, (markup.text, _where(group)), *(each for each in sentences if each not in first), *evidence]
    return message(parts, (remedy for each in group for remedy in each.finding.remedies))


def _where(group: Sequence[Problem]) -> str:
    finding, result, decides, _ = group[0]
    places = _shown((place(each.result) for each in group), "and {:,} more", _MOST_PLACES)
    about = title(result) if finding.object == result.artifact.name else f"{finding.object} of {title(result)}"
    return f"{f'{title(result)} {does(result)}' if decides else f'{about} on'} {', '.join(places)}"


def _shown(texts: Iterable[str], more: str, most: int = _MOST_TEXTS) -> list[str]:
    """Each text once, and how many there are beyond `most`."""
    every = list(dict.fromkeys(texts))
    return every[:most] + ([more.format(len(every) - most)] if more and len(every) > most else [])
