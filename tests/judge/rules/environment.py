"""Distributions and contexts built by hand, on the machines of the loader's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.judge.rules.context import Context, Load, Target
from abicheck.judge.rules.environment import reached
from abicheck.judge.verdict import root_kind
from abicheck.model.artifact import Distribution, Scheme
from abicheck.model.host import Interpreter
from tests.judge.loader.machine import PROGRAM, host, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.report import Finding

SITE = "/site"
SCHEME = Scheme(SITE, "/bin", "/share")


def distribution(name: str, *binaries: str, version: str = "1.0", **more: Any) -> Distribution:
    """A distribution whose `binaries` lie below its site-packages."""
    paths = tuple(f"{SITE}/{path}" for path in binaries)
    made = Distribution("distribution", name, version, name, f"{SITE}/{name}-{version}.dist-info", SCHEME, paths, paths)
    return made._replace(**more)


def context(
    files: Mapping[str, ElfFile],
    *,
    distribution: Distribution,
    others: tuple[Distribution, ...] = (),
    roots: Mapping[str, str] | None = None,
    on: Host | None = None,
    **more: Any,
) -> Context:
    """What a rule sees: `files` lie below site-packages or, with a slash before them, elsewhere; `roots` are loaded, each for
    the distribution named."""
    placed = {path if path.startswith("/") else f"{SITE}/{path}": facts for path, facts in files.items()}
    machine = host(placed) if on is None else on
    machine = machine._replace(python=Interpreter(PROGRAM, (3, 12)))
    loads = tuple(
        Load(owner, f"{SITE}/{path}", root_kind(placed[f"{SITE}/{path}"], path, (3, 12)), load(f"{SITE}/{path}", machine))
        for path, owner in (roots or {}).items()
    )
    made = Context(machine, distribution, placed, loads, others, Target((3, 12)), reached=reached(loads))
    return made._replace(**more)


def named(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """The rules that fired, each with its object."""
    return [(finding.rule, finding.object) for finding in findings]
