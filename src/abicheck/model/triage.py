"""What a bug report says: signatures of what is known, causes in the order that they count, and the facts they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.report import Confidence, Remedy, Tool

Stage: TypeAlias = Literal["install", "startup", "import", "model-load", "inference", "silent"]
Answer: TypeAlias = Literal["environment", "not-environment", "unrecognised"]


class Signature(NamedTuple):
    """One thing that is known to be said, as `judge/triage/data/*.toml` has it.

    `texts`, `needs` and `unless` are templates: one of `texts` must be there, near it one of each of `needs` and none of
    `unless`. `locales` are the same texts as translated messages have them, by language. `versions` says which loaders,
    interpreters or tools print it. Where `environment` is false, it is no problem of the environment. `consequence_of` are
    classes that explain it; of two first causes the one with the higher `rank` comes first. `confidence` is what a full match is
    worth. `matches` and `rejects` are samples.
    """

    id: str
    class_: str
    environment: bool
    texts: tuple[str, ...]
    locales: tuple[tuple[str, tuple[str, ...]], ...] = ()
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    rule: str | None = None
    versions: str = ""
    stage: Stage = "import"
    consequence_of: tuple[str, ...] = ()
    rank: int = 50
    confidence: Confidence = "certain"
    cause: str = ""
    remedies: tuple[Remedy, ...] = ()
    questions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    rejects: tuple[str, ...] = ()


class Question(NamedTuple):
    """What to ask the reporter while the fact `key` is not known, and the command that tells it."""

    key: str
    text: str
    command: str | None = None


class Clue(NamedTuple):
    """A fact that a report holds, and the words that say so."""

    fact: str
    value: str
    text: str


class ReportFacts(NamedTuple):
    """What a report tells of where it comes from. None: it does not say.

    `distribution` is the one that the code ran on, as in `debian 13`; where that was a container, `container` is its image, or
    what shows that there is one, and `host_distribution` what it ran on. `packages` are pairs of a normalized name (PEP 503) and
    a version, `wheels` those of them that a hashed library name proves. `kinds` tells sorts of environments that paths show:
    conda, venv, snap, … `report` is the version of abicheck whose `host --report` is in it. `clues` are the words that say it.
    """

    distribution: str | None = None
    host_distribution: str | None = None
    container: str | None = None
    glibc: str | None = None
    musl: str | None = None
    python: str | None = None
    kernel: str | None = None
    arch: str | None = None
    gpu: str | None = None
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    installer: str | None = None
    report: str | None = None
    packages: tuple[tuple[str, str], ...] = ()
    wheels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clues: tuple[Clue, ...] = ()


class Cause(NamedTuple):
    """One thing that a report shows: `culprit` is the object that it is about, `evidence` lines of the report.

    `package` is the distribution that the culprit belongs to, where that can be told. `consequence` is true where another cause
    of the same report explains this one.
    """

    class_: str
    confidence: Confidence
    summary: str
    culprit: str | None = None
    evidence: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    questions: tuple[Question, ...] = ()
    package: str | None = None
    rule: str | None = None
    signature: str = ""
    stage: Stage = "import"
    consequence: bool = False
    sources: tuple[str, ...] = ()


class Replay(NamedTuple):
    """The reported load, judged again: `agrees` is None where it could not be, for the `reason` given.

    `basis` says what was judged: the wheel, or shipped facts about it.
    """

    agrees: bool | None
    reason: str
    requirement: str | None = None
    host: str | None = None
    python: str | None = None
    predicted: str | None = None
    reported: str | None = None
    basis: Literal["wheel", "facts"] | None = None


class Diagnosis(NamedTuple):
    """What the text of a report alone says.

    `causes` are problems of the environment, the first one first; `others` what was recognised and is none. `questions` are for
    a report in which nothing was recognised.
    """

    causes: tuple[Cause, ...]
    others: tuple[Cause, ...]
    facts: ReportFacts
    questions: tuple[Question, ...] = ()

    @property
    def answer(self) -> Answer:
        """What the report is about."""
        return "environment" if self.causes else "not-environment" if self.others else "unrecognised"


class Triage(NamedTuple):
    """A diagnosis, and the replay of its first cause. `unread` counts bytes in the middle of a report that were too many."""

    tool: Tool
    diagnosis: Diagnosis
    replay: Replay | None = None
    unread: int = 0
    seconds: float = 0.0
