"""The result for what an installer finds no wheel of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.api.summaries import python_of, summary_of
from abicheck.judge.rules import pages
from abicheck.model.report import Artifact, Result

if TYPE_CHECKING:
    from abicheck.model.host import Host
    from abicheck.model.index import NotInstallable
    from abicheck.model.report import Finding


def refusal(name: str, refused: NotInstallable, host: Host, library: str) -> Result:
    """The result for what no installer would install on the host, in whose directory `library` it would be."""
    return Result(
        artifact=Artifact(name=name, version=refused.version, kind="requirement", path=refused.requirement, tags=refused.tags),
        host=summary_of(host),
        python=python_of(host),
        verdict="not-installable",
        predicted=refused.text,
        prefix=library,
        capabilities=(("cpu", "not-installable"),),
        assumptions=host.assumptions,
        findings=(_no_wheel(refused, host),),
    )


def _no_wheel(refused: NotInstallable, host: Host) -> Finding:
    """What there is instead of the wheel that is lacking."""
    pythons = [f"{major}.{minor}" for major, minor in refused.pythons]
    for_glibc = re.compile(rf".*-manylinux\w*_{host.arch}").fullmatch
    fields = {
        "object": refused.requirement,
        "package": re.split(r"[^\w.-]", refused.requirement, maxsplit=1)[0],
        "version": refused.version,
        "host": host.name,
        "python": python_of(host).version,
        "offered": f"{host.arch} with {host.libc}",
        "needed": pythons[0] if pythons else None,
        "others": ", ".join(pythons[1:]),
        "manylinux": "yes" if host.libc.kind == "musl" and not pythons and any(map(for_glibc, refused.tags)) else None,
        "sdist": "yes" if refused.sdist else None,
    }
    tags = () if pythons else refused.tags
    return pages.finding("no-wheel", fields, evidence=(f"its wheels are for {', '.join(tags)}",) if tags else ())
