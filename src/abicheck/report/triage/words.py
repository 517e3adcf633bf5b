"""What triage says, in words that the formats for readers have in common. Foreign text in them is not yet escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.triage import Answer, Cause, Diagnosis, Question, Replay, ReportFacts, Triage

#: The sign of each answer, its style on a terminal, and the answer itself where no cause stands for it.
ANSWERS: dict[Answer, tuple[str, str, str]] = {
    "environment": ("✗", "bold red", ""),
    "not-environment": ("✓", "green", "No problem of the environment was found"),
    "unrecognised": ("?", "yellow", "Nothing in the report was recognised"),
}
_LIBRARIES = {"glibc": "glibc", "musl": "musl", "python": "Python", "kernel": "kernel", "arch": ""}
_GPU = {"gpu": "", "driver": "driver", "cuda": "CUDA", "cudnn": "cuDNN"}
_PROVEN = " (as its library's name proves)"
#: So many packages are listed; JSON has all.
_PACKAGES = 12


def title(cause: Cause) -> str:
    """The class, the object, and how sure it is where that is not certain."""
    sure = "" if cause.confidence == "certain" else f" ({cause.confidence})"
    return f"{cause.class_}{sure}" + (f" · {cause.culprit}" if cause.culprit else "")


def role(cause: Cause) -> str:
    """What a further cause is beside the first."""
    return "a consequence" if cause.consequence else "also reported"


def facts(known: ReportFacts) -> Iterator[tuple[str, str]]:
    """What the report says of where it comes from: a label and words."""
    if known.distribution or known.container:
        container = f"container {known.container}" if known.container else ""
        inside = f"{known.distribution} ({container})" if known.distribution and container else known.distribution or container
        yield "host", inside + (f" on {known.host_distribution}" if known.host_distribution else "")
    for label, names in (("system", _LIBRARIES), ("GPU", _GPU)):
        words = [f"{shown} {value}".strip() for name, shown in names.items() if (value := getattr(known, name))]
        if words:
            yield label, ", ".join(words)
    if known.kinds or known.installer:
        yield "installed", ", ".join([*known.kinds, *([f"by {known.installer}"] if known.installer else [])])
    if known.packages:
        proven = [each for each in known.packages if each[0] in known.wheels]
        order = [*proven, *(each for each in known.packages if each not in proven)]
        words = [f"{name} {version}{_PROVEN if (name, version) in proven else ''}" for name, version in order]
        more = f", {len(words) - _PACKAGES} more" if len(words) > _PACKAGES else ""
        yield "packages", ", ".join(words[:_PACKAGES]) + more


def replayed(replay: Replay) -> str:
    """What judging the reported load again gave."""
    if replay.agrees is None:
        return f"not judged again: {replay.reason}"
    python = f", Python {replay.python}" if replay.python else ""
    where = f"{replay.requirement} on {replay.host}{python}"
    if replay.agrees:
        return f"{where} says the same" + (f" ({replay.reason})" if replay.reason else "")
    return f"{where} says otherwise: {replay.reason}"


def questions(diagnosis: Diagnosis) -> list[Question]:
    """What to ask: for the first cause, or because nothing was recognised."""
    first = next(iter(diagnosis.causes or diagnosis.others), None)
    return list(first.questions if first else diagnosis.questions)


def asked(question: Question) -> str:
    """The question with the command that answers it."""
    return question.text + (f"  {question.command}" if question.command else "")


def unread(found: Triage) -> str:
    """What was too much to read; "" where all was read."""
    return f"{count(found.unread, 'byte')} in the middle of the report were not read" if found.unread else ""
