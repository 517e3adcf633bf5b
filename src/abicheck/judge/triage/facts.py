"""What a report says of where it comes from: host, container, Python, GPU, and the packages with their versions."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.triage.packages import packages
from abicheck.judge.triage.signatures import data
from abicheck.judge.triage.template import compiled, find
from abicheck.model.triage import Clue, ReportFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.judge.triage.text import Text

#: Facts of which the first in the report counts; of the others the one whose text stands first in facts.toml.
_FIRST_IN_REPORT = {"image", "arch"}
#: Facts that are taken over as they are.
_PLAIN = ("glibc", "musl", "kernel", "driver", "cuda", "cudnn", "gpu", "installer", "arch", "report")


#: Fields of which the first that a text has is the value.
_VALUES = ("version", "release", "number", "model")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*t?)")
_PYTHON_TAG = re.compile(r"3\d{1,2}t?")


class _Found(NamedTuple):
    clue: Clue
    position: int


def extract(text: Text) -> ReportFacts:
    """All facts of a report. Raises `DataError` where facts.toml is damaged."""
    found: dict[str, list[_Found]] = {}
    for each in _clues(text):
        found.setdefault(each.clue.fact, []).append(each)
    for fact in _FIRST_IN_REPORT & found.keys():
        found[fact].sort(key=lambda each: each.position)
    known, wheels, shown = packages(text)
    place = _place(found)
    clues = [*shown, *place.values(), *(found[fact][0].clue for fact in _PLAIN if fact in found)]
    python = _python(found)
    if python is not None:
        clues.append(python)
    return ReportFacts(
        **{fact: clue.value for fact, clue in place.items()},
        **{fact: found[fact][0].clue.value for fact in _PLAIN if fact in found},
        python=python.value if python else None,
        packages=tuple(sorted(known.items())),
        wheels=wheels,
        kinds=tuple(dict.fromkeys(each.clue.value for each in found.get("kind", ()))),
        clues=tuple(clues),
    )


def _clues(text: Text) -> Iterator[_Found]:
    table = data("facts.toml")
    for fact in table["fact"]:
        elsewhere = table["elsewhere"] if fact.get("said") else ()
        for source in fact["texts"]:
            here = (match for match in find(compiled(source), text) if not _says(text.line(match.start).lower(), elsewhere))
            for match in islice(here, 1):
                fields = {key: _bare(value) if key == "version" else value for key, value in match.fields.items()}
                told = next((fields[key] for key in _VALUES if key in fields), "")
                value = fact["give"].format_map(fields) if "give" in fact else told
                yield _Found(Clue(fact["fact"], value, text.excerpt(match.start, match.end, 120)), match.start)


def _says(line: str, words: Iterable[str]) -> bool:
    return any(word in line for word in words)


def _bare(value: str) -> str:
    """A version without what a build adds."""
    number = _NUMBER.match(value)
    return number[1] if number else value


def _dotted(clue: Clue) -> Clue:
    """A tag of file names, `311`, as the version that it means."""
    return clue._replace(value=f"3.{clue.value[1:]}") if _PYTHON_TAG.fullmatch(clue.value) else clue


def _place(found: dict[str, list[_Found]]) -> dict[str, Clue]:
    """The distribution that the code ran on, which is the container's where there is one; that of the host beside it."""
    images, distributions = found.get("image", []), [each.clue for each in found.get("distribution", ())]
    place: dict[str, Clue] = {}
    if images:
        image = images[0].clue
        place["container"] = image._replace(fact="container", value=_image(image.text, image.value))
        place["distribution"] = image._replace(fact="distribution")
    elif "container" in found:
        place["container"] = found["container"][0].clue
    for clue in distributions:
        if "distribution" not in place:
            place["distribution"] = clue
        elif clue.value.split(" ")[0] != place["distribution"].value.split(" ")[0] and "container" in place:
            place["host_distribution"] = clue._replace(fact="host_distribution")
            break
    return place


def _image(line: str, otherwise: str) -> str:
    """The word of a line that is an image's name."""
    words = (word.strip("`'\"()[],.;") for word in line.split())
    return next((word for word in words if ":" in word[1:-1]), otherwise.replace(" ", ":"))


def _python(found: dict[str, list[_Found]]) -> Clue | None:
    """Paths of a traceback tell the minor version; what else says the same one may tell more."""
    paths, others = ([_dotted(each.clue) for each in found.get(fact, ())] for fact in ("python", "python-full"))
    if not paths:
        return others[0]._replace(fact="python") if others else None
    longer = (each for each in others if f"{each.value}.".startswith(f"{paths[0].value}."))
    return next(longer, paths[0])._replace(fact="python")
