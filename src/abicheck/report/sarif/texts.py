"""The message of a SARIF result: the loader's text first where it is the verdict's, then what is wrong, where, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.report import markup
from abicheck.report.lines import escape
from abicheck.report.words import advice, does, place, raised, title, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.model.report import Remedy
    from abicheck.report.sarif.problems import Problem

#: How much of a list is shown: all hosts are in the properties, everything is in the JSON.
_MOST_TEXTS, _MOST_PLACES, _MOST_REMEDIES = 6, 8, 6
#: A foreign text without end is no message.
_MOST_CHARACTERS = 8_000
#: What a viewer would take for a link or, though there are no arguments, for one's place (SARIF 2.1.0, 3.11.5 and 3.11.6).
_LINK, _ARGUMENT = re.compile(r"(?<!\\)\[(?=[^\[\]]*\]\()"), re.compile(r"\{([0-9]+)\}")


class _Words(NamedTuple):
    said: list[str]
    where: str
    sentences: list[str]
    evidence: list[str]
    remedies: list[Remedy]


def message(group: Sequence[Problem]) -> dict[str, str]:
    """The message for one problem on all the hosts that have it, as plain text and as markdown."""
    words = _words(group)
    plain = [*words.said, *words.sentences[: 0 if words.said else 1], words.where]
    plain += [*words.sentences[0 if words.said else 1 :], *words.evidence, *(f"→ {advice(each)}" for each in words.remedies)]
    marked = [*map(markup.block, words.said), markup.text(words.where)]
    marked += [*map(markup.text, words.sentences), *map(markup.code, words.evidence)]
    marked += ["\n".join(f"- {markup.advice(each)}" for each in words.remedies)] if words.remedies else []
    return {"text": plain_text("\n".join(map(escape, plain))), "markdown": _cut(_ARGUMENT.sub(r"{{\1}}", "\n\n".join(marked)))}


def plain_text(text: str) -> str:
    """Escaped text as a message that means nothing else."""
    return _cut(_ARGUMENT.sub(r"{{\1}}", _LINK.sub(r"\\[", text)))


def _words(group: Sequence[Problem]) -> _Words:
    finding, result, decides, _ = group[0]
    said = _shown((raised(each.result) for each in group if each.decides), _MOST_TEXTS)
    places = _shown((place(each.result) for each in group), _MOST_PLACES, "and {:,} more")
    about = title(result) if finding.object == result.artifact.name else f"{finding.object} of {title(result)}"
    verdict = f"{title(result)} {does(result)}" if decides else f"{about} on"
    predicted = {each.result.predicted for each in group}
    messages = (each.finding.message for each in group if each.finding.message not in ("", *predicted))
    ((_, lines),) = told([finding], result)
    remedies = {remedy.text: remedy for each in reversed(group) for remedy in reversed(each.finding.remedies)}
    return _Words(
        said=said,
        where=f"{verdict} {', '.join(places)}",
        sentences=_shown(messages, _MOST_TEXTS, "and {:,} more like this"),
        evidence=[line for line in lines if line != finding.message],
        remedies=list(reversed(remedies.values()))[:_MOST_REMEDIES],
    )


def _shown(texts: Iterable[str], most: int, more: str = "") -> list[str]:
    """Each text once, and how many there are beyond `most`."""
    every = list(dict.fromkeys(texts))
    return every[:most] + ([more.format(len(every) - most)] if more and len(every) > most else [])


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
