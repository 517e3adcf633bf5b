"""From the signatures that a report shows to causes in the order in which they count, with what to do and to ask."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.judge.rules import pages
from abicheck.judge.rules.subject import command_of, first_fixed_of
from abicheck.judge.triage.packages import DIRECTORY, distributions
from abicheck.judge.triage.signatures import data, questions
from abicheck.model.report import Remedy
from abicheck.model.triage import Cause, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.judge.triage.match import Hit
    from abicheck.judge.triage.template import Match
    from abicheck.judge.triage.text import Text
    from abicheck.model.report import Confidence
    from abicheck.model.triage import Question, ReportFacts, Signature

_EVIDENCE = 3
_MOST_SURE: tuple[Confidence, ...] = ("certain", "likely", "possible")
#: So much of a traceback before its last line tells who imported.
_FRAMES = 2000
_LIBRARY = re.compile(r"[\w+.-]{1,80}\.(?:so|dll|dylib)\b(?:[\w.]{0,40}\w)?")
_WHOLE_NAME = 40
_UNKNOWN = "PACKAGE"
#: The releases of glibc from which on it surely has a tunable that a rule's remedy sets.
_TUNABLES = {"tls_tunable": (2, 32), "execstack_tunable": (2, 42)}
#: The package managers of which the rules know packages, by distribution.
_MANAGERS = {"alpine": "apk", "debian": "apt", "ubuntu": "apt"}
_BOUND = re.compile(r"(>=|<=|<|>|==)(\d+(?:\.\d+)*)")


def diagnose(found: Sequence[Hit], facts: ReportFacts, text: Text) -> Diagnosis:
    """What `found` says together. Raises `DataError`.

    Where something that is no problem of the environment has the higher rank, or explains what there is, nothing is said of the
    environment.
    """
    found = _foremost(found)
    others = [hit for hit in found if not hit.signature.environment]
    explain = {hit.signature.class_ for hit in others}
    ours = [hit for hit in found if hit.signature.environment and explain.isdisjoint(hit.signature.consequence_of)]
    if _rank(others) > _rank(ours):
        ours = []
    nothing = () if ours or others else tuple(_asked(data("questions.toml")["nothing"], facts))
    return Diagnosis(_causes(ours, facts, text), _causes(others, facts, text), facts, nothing)


def _foremost(found: Sequence[Hit]) -> list[Hit]:
    """Of places that overlap those with the higher rank: what is said precisely may be read more broadly, too."""
    outdone: set[int] = set()
    open_: list[int] = []
    for number, hit in enumerate(found):  # in the order of their starts
        open_ = [each for each in open_ if found[each].match.end > hit.match.start]
        for other in open_:
            pair = sorted((number, other), key=lambda each: _weight(found[each]))
            lower, higher = (found[each] for each in pair)
            if _weight(lower) < _weight(higher) and lower.signature.class_ != higher.signature.class_ and higher.how != "cut":
                outdone.add(pair[0])
        open_.append(number)
    return [hit for number, hit in enumerate(found) if number not in outdone]


def _weight(hit: Hit) -> tuple[bool, int]:
    """What a place counts beside another one: a text that is there whole is no other's that was cut off."""
    return hit.how != "cut", hit.signature.rank


def _rank(found: Sequence[Hit]) -> int:
    return max((hit.signature.rank for hit in found), default=-1)


def _causes(found: Sequence[Hit], facts: ReportFacts, text: Text) -> tuple[Cause, ...]:
    """A cause for each class: consequences last, the more specific before others, else in the order of the report."""
    classes: dict[str, list[Hit]] = {}
    for hit in found:
        classes.setdefault(hit.signature.class_, []).append(hit)
    several = len({hit.match.start for hit in found if hit.how == "cut"}) < sum(hit.how == "cut" for hit in found)
    ranked = []
    for hits in classes.values():
        best = min(hits, key=lambda hit: _order(hit, _confidence(hit, facts, several=several)))
        consequence = any(other in classes for other in best.signature.consequence_of if other != best.signature.class_)
        confidence = _confidence(best, facts, several=several)
        order = (consequence, _MOST_SURE.index(confidence) == 2, -best.signature.rank, hits[0].match.start)
        ranked.append((order, _cause(best, hits, facts, text)._replace(confidence=confidence, consequence=consequence)))
    return tuple(cause for _, cause in sorted(ranked, key=lambda each: each[0]))


def _order(hit: Hit, confidence: Confidence) -> tuple[int, int, bool]:
    """Of the places of one class the one that is surest and most specific, and tells the file, comes first."""
    return _MOST_SURE.index(confidence), -hit.signature.rank, "object" not in hit.match.fields


def _confidence(hit: Hit, facts: ReportFacts, *, several: bool) -> Confidence:
    """How sure a place is: one whose text is whole is what the signature says; less where host and signature do not fit."""
    if _fits(hit.signature, facts) is False or (hit.how == "cut" and several and not _fits(hit.signature, facts)):
        return "possible"
    if hit.how == "whole":
        return hit.signature.confidence
    return "likely" if hit.signature.confidence == "certain" else "possible"


def _fits(signature: Signature, facts: ReportFacts) -> bool | None:
    """Whether the reported C library prints this text; None where that is not known."""
    libc, bounds = re.split(r"(?=[<>=])", signature.versions, maxsplit=1)[0], _BOUND.findall(signature.versions)
    if libc != "glibc" or facts.glibc is None or not bounds:
        return None
    have = _numbers(facts.glibc)
    holds = {">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, "<": lambda a, b: a < b, ">": lambda a, b: a > b}
    return all(holds.get(sign, lambda a, b: a == b)(have, _numbers(bound)) for sign, bound in bounds)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version)[:2])


def _cause(best: Hit, hits: Sequence[Hit], facts: ReportFacts, text: Text) -> Cause:
    signature, fields = best.signature, _fields(best, facts, text)
    page = pages.page(signature.rule) if signature.rule else None
    lines = dict.fromkeys(text.excerpt(hit.match.start, hit.match.end) for hit in (best, *hits))
    return Cause(
        class_=signature.class_,
        confidence=signature.confidence,
        summary=_filled(signature.cause, fields) or (page.summary if page else signature.cause),
        culprit=_culprit(fields, best.match, text),
        evidence=tuple(lines)[:_EVIDENCE],
        remedies=tuple(_remedies(signature, fields)),
        questions=tuple(_asked(signature.questions, facts)),
        package=None if fields["package"] == _UNKNOWN else fields["package"],
        rule=signature.rule,
        signature=signature.id,
        stage=signature.stage,
        sources=signature.sources,
    )


def _culprit(fields: dict[str, str], match: Match, text: Text) -> str | None:
    """The object that does not fit: the one that needs what is not there; where no field is about one, any library."""
    for field in ("object", "path", "needed_by", "provider"):
        if field in fields:
            return fields[field]
    line = text.excerpt(match.start, match.end)
    library = _LIBRARY.search(text.plain, match.start, match.end + _WHOLE_NAME) or _LIBRARY.search(line)
    return library[0] if library else None


def _fields(hit: Hit, facts: ReportFacts, text: Text) -> dict[str, str]:
    """What the templates of a cause may name: the fields of the text, and what is known of the object's package and host.

    A package that is not known has a name that tells the reader to put it in.
    """
    fields = dict(hit.match.fields)
    path = fields.get("object", "")
    fields |= {key: value for key in ("glibc", "python") if (value := getattr(facts, key))}
    fields |= {key: "yes" for key, since in _TUNABLES.items() if _numbers(facts.glibc or "") >= since}
    fields["file"] = posixpath.basename(path)
    fields.setdefault("path", path)
    owner = _package(path or fields.get("needed_by", ""), facts) or _importer(hit, facts, text)
    package = fields.setdefault("package", owner or _UNKNOWN)
    version = dict(facts.packages).get(package, "")
    fields.setdefault("version", version)  # a text's own {version} is not the package's
    rule, arch = hit.signature.rule or "", facts.arch or "x86_64"
    if rule == "library-missing":
        manager = _MANAGERS.get((facts.distribution or "").partition(" ")[0], "")
        fields |= {"name": fields["file"], "install": command_of(manager, fields["file"]) or ""}
    fields["fixed"] = (version and first_fixed_of(package, version, rule, arch, fields.get("name", ""))) or ""
    return {key: value for key, value in fields.items() if value}


def _package(path: str, facts: ReportFacts) -> str | None:
    """The package that an object belongs to: by its directory, else by its name."""
    named = DIRECTORY.search(path)
    if named:
        return _distribution(named[1], facts)
    stem = posixpath.basename(path).removeprefix("lib").replace("-", "_")
    names = (name for name, _ in facts.packages if stem.startswith(name.replace("-", "_")))
    return next((name for name in names if not stem[len(name) : len(name) + 1].isalnum()), None)


def _importer(hit: Hit, facts: ReportFacts, text: Text) -> str | None:
    """The package whose file is the last in the traceback above an error of an import."""
    above = DIRECTORY.findall(text.plain, max(0, hit.match.start - _FRAMES), hit.match.start)
    return _distribution(above[-1], facts) if above and hit.signature.stage == "import" else None


def _distribution(module: str, facts: ReportFacts) -> str:
    """The distribution of a module; of several the one that the report names."""
    names, known = distributions(module), dict(facts.packages)
    return next((name for name in names if name in known), names[0])


def _remedies(signature: Signature, fields: dict[str, str]) -> Iterator[Remedy]:
    """The signature's own; where it has none, those of its rule of which all is known."""
    if signature.remedies:
        for each in signature.remedies:
            text, command = _filled(each.text, fields), _filled(each.command or "", fields)
            if text is not None:
                yield Remedy(each.kind, text, command or None)
    elif signature.rule:
        yield from pages.remedies(pages.page(signature.rule), fields)


def _asked(keys: Sequence[str], facts: ReportFacts) -> Iterator[Question]:
    """The questions that the report does not answer."""
    reported = data("questions.toml")["reported"] if facts.report else ()
    for key in keys:
        known = facts.packages if key.startswith("package") else getattr(facts, key, None) or key in dict(facts.packages)
        if not known and key not in reported and not (key == "glibc" and (facts.distribution or facts.musl)):
            yield questions()[key]


def _filled(template: str, fields: dict[str, str]) -> str | None:
    """The template with its fields, None where one of them is not known."""
    try:
        return template.format_map(fields)
    except (KeyError, ValueError, IndexError):
        return None
