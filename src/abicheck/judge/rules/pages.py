"""The pages beside this file: read when a rule has fired, checked as they are read, and filled in for a finding."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from abicheck.errors import DataError
from abicheck.model.report import Finding, Remedy
from abicheck.model.rule import Page, PageRemedy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.report import Confidence, Severity

#: What the templates of a page may name. Only `object` is known of every finding.
FIELDS = {
    "object": "the file that the finding is about, below the site-packages where it belongs to a distribution",
    "file": "the file name of the object",
    "path": "the path of the object on the host",
    "name": "the library, version or symbol that is missed",
    "needed_by": "the object that needs it",
    "provider": "the object that should have it",
    "host": "the host's name",
    "libc": "the host's C library and its version, as in `glibc 2.36`",
    "glibc": "the version of the host's glibc",
    "python": "the version of the target Python",
    "package": "the distribution that the object belongs to",
    "version": "its version",
    "target": "what `abicheck repair` takes: the wheel with the object, or the name of the installed distribution",
    "fixed": "the first version of the distribution without this fault, from fixed.toml",
    "window": "the glibc versions on which all of it loads",
    "needed": "what the object needs",
    "offered": "what there is",
    "install": "the command that installs the missing library on this host, from providers.toml",
    "execstack_tunable": "known where this glibc has the tunable that makes the stack executable from the start",
    "tls_tunable": "known where this glibc has the tunable for more static TLS",
    "others": "the other objects that take part",
    "count": "how many",
    "manylinux": "known where the host has musl, and there are wheels for glibc only on this machine",
    "pin": "what pins the package: `whisperx 3.4.2`, or a line of the user's, as FILE:LINE",
    "pinning": "the distribution that pins it",
    "line": "the user's line that pins it",
    "loading": "the release of the package to aim at, which loads",
    "admitted": "a release of the package that loads and that the upgrade of `pinning` allows",
    "allowing": "the first newer release of `pinning` that allows one",
    "latest": "the newest release of `pinning`, where none allows one",
    "unknown": "releases of which it is not known whether they load",
    "held": "pins on `pinning` that shut out `allowing`",
    "reason": "why something is not known",
    "sdist": "known where the release has a source distribution",
}

_SEVERITIES = ("error", "warning", "note")
_TEXTS = {"severity", "summary", "why", "meaning"}
_LISTS = {"message", "sources", "patterns", "matching", "other"}
_OPTIONAL = {"patterns", "matching", "other"}
#: What a rule for sources has besides.
_SOURCES = {"example", "fix"}


@cache
def data(name: str) -> dict[str, Any]:
    """The TOML file `name` that stands beside this module, as plain values. Raises `DataError`."""
    # tomllib is for findings only: a run in which all is well is to pay nothing for it. (importlib.resources costs even more.)
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 -- as above
    else:
        import tomli as tomllib  # noqa: PLC0415 -- as above

    try:
        content: bytes = globals()["__loader__"].get_data(__file__.removesuffix("pages.py") + name)
        return tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise DataError(f"{error}; install abicheck anew", name) from None


@cache
def page(name: str) -> Page:
    """The page of the rule `name`. Raises `DataError`, whose message begins with the path of the key that is wrong."""
    return parse(name, data(f"{name}.toml"))


def parse(name: str, plain: Mapping[str, Any]) -> Page:
    """The page that the values of a TOML file make, checked. Raises `DataError`."""
    checks = _Checks(f"{name}.toml")
    checks.keys("", plain, _TEXTS | _LISTS | _SOURCES | {"remedies"}, optional=_OPTIONAL | _SOURCES)
    texts: dict[str, Any] = {key: checks.text(key, plain[key]) for key in sorted(_TEXTS | (_SOURCES & plain.keys()))}
    lists: dict[str, Any] = {key: checks.texts(key, plain.get(key, []), empty=key in _OPTIONAL) for key in sorted(_LISTS)}
    if texts["severity"] not in _SEVERITIES:
        raise checks.wrong("severity", f"one of {', '.join(_SEVERITIES)}")
    remedies = [checks.remedy(f"remedies[{number}]", each) for number, each in enumerate(plain["remedies"])]
    return Page(name=name, remedies=tuple(remedies), **texts, **lists)


class _Checks:
    """Checks of one file's values, with the key path in what they raise."""

    def __init__(self, file: str) -> None:
        self._file = file

    def wrong(self, key: str, expected: str) -> DataError:
        return DataError(f"{key}: must be {expected}; install abicheck anew", self._file)

    def keys(self, path: str, plain: Any, known: set[str], *, optional: set[str]) -> None:
        if not isinstance(plain, dict):
            raise self.wrong(path, "a table")
        dot = f"{path}." if path else ""
        for key in sorted(known - optional - plain.keys()):
            raise self.wrong(f"{dot}{key}", "there")
        for key in sorted(plain.keys() - known):
            raise self.wrong(f"{dot}{key}", f"one of {', '.join(sorted(known))}")

    def text(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value.strip()

    def texts(self, key: str, value: Any, *, empty: bool) -> tuple[str, ...]:
        if not isinstance(value, list) or not (value or empty):
            raise self.wrong(key, "a list of texts")
        return tuple(self.text(f"{key}[{number}]", each) for number, each in enumerate(value))

    def remedy(self, path: str, plain: Any) -> PageRemedy:
        optional = {"command", "where", "without"}
        self.keys(path, plain, {"kind", "text"} | optional, optional=optional)
        return PageRemedy(**{key: self.text(f"{path}.{key}", value) for key, value in plain.items()})


def finding(
    rule: str,
    fields: Mapping[str, str | None],
    *,
    evidence: Sequence[str] = (),
    confidence: Confidence = "certain",
    severity: Severity | None = None,
) -> Finding:
    """What the page of `rule` says about one object; `fields` are `FIELDS` (None: not known), `object` among them."""
    return filled(page(rule), fields, evidence=evidence, confidence=confidence, severity=severity)


def filled(
    about: Page,
    fields: Mapping[str, str | None],
    *,
    evidence: Sequence[str] = (),
    confidence: Confidence = "certain",
    severity: Severity | None = None,
) -> Finding:
    """What a page says about one object, as `finding` does."""
    known = {key: value for key, value in fields.items() if value}
    return Finding(
        rule=about.name,
        severity=severity or about.severity,
        confidence=confidence,
        object=known.get("object", ""),
        message=" ".join(filter(None, (_filled(sentence, known) for sentence in about.message))),
        evidence=tuple(evidence),
        remedies=tuple(remedies(about, known)),
    )


def remedies(about: Page, known: Mapping[str, str]) -> list[Remedy]:
    """Those remedies of a page of which all fields are known."""
    found = []
    for remedy in about.remedies:
        text, command = _filled(remedy.text, known), _filled(remedy.command or "", known)
        applies = remedy.without not in known and (remedy.where is None or remedy.where in known)
        if applies and text is not None and command is not None:
            found.append(Remedy(remedy.kind, text, command or None))
    return found


def _filled(template: str, known: Mapping[str, str]) -> str | None:
    """The template with its fields, None where one of them is not known."""
    try:
        return template.format_map(known)
    except KeyError:
        return None


def names() -> list[str]:
    """The names of all rules."""
    from importlib.resources import files  # noqa: PLC0415 -- for the command `rule` and for tests only

    every = (entry.name for entry in files(__package__ or "").iterdir() if entry.name.endswith(".toml"))
    return sorted(name.removesuffix(".toml") for name in every if name not in NO_PAGES)


#: The files beside the pages that are no pages: facts that fill their fields.
NO_PAGES = ("fixed.toml", "providers.toml")
