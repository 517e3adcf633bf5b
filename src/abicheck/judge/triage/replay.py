"""What the reported load should have said: which load it was, whether two texts are the same, and shipped facts for it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.triage.signatures import data
from abicheck.judge.triage.text import without_quotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.triage import Cause, Diagnosis, ReportFacts

#: Where a name says nothing of the release, since it goes on: what the report says of glibc counts there.
ROLLING = ("arch", "opensuse tumbleweed", "debian sid", "debian testing", "fedora rawhide")


class Plan(NamedTuple):
    """A load to judge again: the release, names that the host may have, its glibc, the target Python as in `3.12`."""

    cause: Cause
    package: str
    version: str
    hosts: tuple[str, ...]
    glibc: str | None
    python: str | None
    arch: str

    @property
    def requirement(self) -> str:
        """As `check` takes it."""
        return f"{self.package}=={self.version}"


def plan(diagnosis: Diagnosis) -> Plan | str:
    """The load that a report is about, or why it cannot be told, as a clause."""
    facts = diagnosis.facts
    if not diagnosis.causes:
        return "no problem of the environment was found"
    cause = diagnosis.causes[0]
    if cause.rule is None or cause.rule.startswith("wasm-") or cause.stage in ("install", "inference"):
        return "what it reports is not decided by loading a wheel"
    known = dict(facts.packages)
    package = cause.package or next(iter(facts.wheels), None)
    if package is None or package not in known:
        return f"the report does not say which {f'version of {package}' if package else 'package and version'} it was"
    hosts = tuple(_hosts(facts))
    if not hosts and facts.glibc is None:
        return "the report names neither the distribution nor its C library"
    python = re.match(r"3\.\d+t?", facts.python or "")
    arch = "aarch64" if facts.arch == "aarch64" else "x86_64"
    return Plan(cause, package, known[package].partition("+")[0], hosts, facts.glibc, python[0] if python else None, arch)


def _hosts(facts: ReportFacts) -> Iterator[str]:
    """Names that the host may have in the catalogue, the most exact first."""
    if facts.container is not None and ":" in facts.container:
        yield facts.container
    if facts.distribution is None or (facts.distribution in ROLLING and facts.glibc):
        return
    name, _, version = facts.distribution.partition(" ")
    while version:
        yield f"{name}:{version}"
        version = version.rpartition(".")[0]
    yield name


def same(predicted: str, lines: Iterable[str]) -> bool:
    """Whether one of the reported lines says what was predicted, wherever the files lay."""
    return any(_bare(predicted) in _bare(line) for line in lines)


def _bare(text: str) -> str:
    return " ".join(posixpath.basename(word.rstrip("/")) for word in without_quotes(text).split())


class Known(NamedTuple):
    """What shipped facts say of a load: `predicted` is None where it loads."""

    predicted: str | None


def known(load: Plan, glibc: tuple[int, int] | None) -> Known | None:
    """What ctranslate2.toml says of the load on a host with this glibc (None: no glibc); None where it says nothing.

    Raises `DataError`.
    """
    table = data("ctranslate2.toml")
    release = table["releases"].get(load.version) if load.package == "ctranslate2" else None
    if release is None or glibc is None or load.arch != "x86_64" or glibc < _pair(release["glibc"]):
        return None
    if release["exec_stack"] and glibc >= (2, 41):
        return Known(f"{release['library']}: cannot enable executable stack as shared object requires: Invalid argument")
    return Known(None)


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
