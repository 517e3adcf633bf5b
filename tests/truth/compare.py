"""Predictions beside what really happened: pair by pair, and as a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.truth.causes import cause_of
from tests.truth.predict import Predictor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.truth.corpus import Subject
    from tests.truth.oracle import Observation
    from tests.truth.roots import Host

#: The least share of equal texts.
TEXTS_EQUAL = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One object on one host. `depends` is true where abicheck says that a fact is missing; that is neither right nor wrong.

    `late` is true where it says that the process will die of what the loader left undone, which shows in a constructor.
    """

    host: Host
    subject: Subject
    predicted: str | None
    depends: bool
    observed: Observation
    late: bool = False

    @property
    def expected(self) -> str | None:
        """The text that a right prediction has."""
        return None if self.loads else self.observed.text

    @property
    def loads(self) -> bool:
        """True where the loader did its work to the end, and all of it."""
        return self.observed.loads and not (self.late and self.observed.phase == "constructor")

    @property
    def counted(self) -> bool:
        """False for what does not come out the same twice, for IFUNC resolvers, and where abicheck says that it cannot know."""
        return self.observed.stable and self.observed.phase != "resolver" and not self.depends

    @property
    def verdict_equal(self) -> bool:
        """Both load or both fail."""
        return (self.predicted is None) == self.loads

    @property
    def text_equal(self) -> bool:
        """Equal to the letter."""
        return self.predicted == self.expected

    def as_json(self) -> dict[str, Any]:
        """The pair for `--json`."""
        return {
            "host": self.host.name,
            "object": self.subject.path,
            "family": self.subject.family,
            "edit": self.subject.edit,
            "predicted": self.predicted,
            "depends": self.depends,
            "outcome": self.observed.outcome,
            "observed": self.observed.text,
            "phase": self.observed.phase,
            "stable": self.observed.stable,
            "verdict_equal": self.verdict_equal,
            "text_equal": self.text_equal,
        }


def compare(host: Host, corpus: Path, observed: Mapping[str, Observation], subjects: Sequence[Subject]) -> list[Pair]:
    """Predict each of `subjects` on `host` and put it beside what was observed."""
    predictor = Predictor(host, corpus)
    pairs = []
    for subject in subjects:
        predicted, depends, late = predictor.predict(subject.path)
        seen = observed[subject.path]
        pairs.append(Pair(host=host, subject=subject, predicted=predicted, depends=depends, late=late, observed=seen))
    return pairs


def table(pairs: Sequence[Pair]) -> Iterator[str]:
    """Figures for each host and for each family."""
    heads = ("pairs", 6), ("fail", 6), ("verdicts", 14), ("texts", 11), ("depends", 8), ("unstable", 9), ("resolver", 9)
    yield f"{'':40} {' '.join(f'{head:>{width}}' for head, width in heads)} {'constructor':>12}"
    for title, key in (("host", _host_of), ("family", _family_of), ("all", lambda _: "all")):
        groups: dict[str, list[Pair]] = {}
        for pair in pairs:
            groups.setdefault(key(pair), []).append(pair)
        if title != "all":
            yield f"by {title}"
        yield from (_row(name, group) for name, group in groups.items())


def _host_of(pair: Pair) -> str:
    """The host's name; those that differ by the variables of one rule count as one."""
    return f"{re.sub('(?<=[+]rule).*', '', pair.host.name)}{' (rolling)' if pair.host.rolling else ''}"


def _family_of(pair: Pair) -> str:
    return re.sub("^rule .*", "rule with variables", pair.subject.family)


def _row(name: str, pairs: Sequence[Pair]) -> str:
    counted = [pair for pair in pairs if pair.counted]
    total = max(len(counted), 1)
    verdicts = sum(pair.verdict_equal for pair in counted)
    texts = sum(pair.text_equal for pair in counted)
    fail = sum(not pair.loads for pair in counted)
    shares = f"{100 * verdicts / total:13.2f}% {100 * texts / total:10.2f}%"
    depends = sum(pair.depends for pair in pairs)
    unstable = sum(not pair.observed.stable for pair in pairs)
    resolver, constructor = (sum(pair.observed.phase == phase for pair in pairs) for phase in ("resolver", "constructor"))
    return f"{name:40} {len(counted):6} {fail:6} {shares} {depends:8} {unstable:9} {resolver:9} {constructor:12}"


def differences(pairs: Sequence[Pair]) -> Iterator[str]:
    """Every counted pair whose text differs, those with another verdict first, each with its cause if that is known."""
    wrong = [pair for pair in pairs if pair.counted and not pair.text_equal]
    for pair in sorted(wrong, key=lambda pair: pair.verdict_equal):
        what = "text" if pair.verdict_equal else "VERDICT"
        died = f" in the {pair.observed.phase}" if pair.observed.phase else ""
        yield f"{what}: {pair.host.name}: {pair.subject.path} ({pair.subject.family}; {pair.subject.edit or 'intact'})"
        yield f"    predicted: {pair.predicted or 'loads'}"
        yield f"    observed:  {pair.observed.text or 'loads'}{died}"
        if pair.host.glibc:
            yield f"    cause:     {cause_of(pair) or 'NOT KNOWN'}"


def passes(pairs: Sequence[Pair]) -> bool:
    """Whether every verdict is equal, and nearly every text, and the causes of all differences are known.

    Rolling suites do not count.
    """
    gating = [pair for pair in pairs if pair.counted and not pair.host.rolling]
    texts = sum(pair.text_equal for pair in gating)
    explained = all(pair.text_equal or cause_of(pair) for pair in gating)
    return explained and texts >= TEXTS_EQUAL * len(gating)
