"""What musl's own loader says of every shared object of a wheel, also of one that was made for glibc and copied there."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.act.confirm.places import SITE
from abicheck.api.summaries import python_of, summary_of
from abicheck.errors import AbicheckError
from abicheck.judge.loader import Memo, musl
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target
from abicheck.model.report import Artifact, Result, RootResult
from abicheck.read.files import Overlay
from abicheck.read.index.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.confirm import Cell
    from abicheck.model.host import Host
    from abicheck.model.index import Wheel
    from abicheck.read.artifacts.wheel import Wheel as Package
    from abicheck.read.index.store import Store

#: Whose wheel is taken where there is none for musl: what somebody meets who copies it there.
_LENT = Libc("glibc", (2, 28))


def predict_listing(wheel: Wheel, package: Package, host: Host) -> Result:
    """What `ldd` would say of the shared objects of a wheel, `package` being the same at its place on the host."""
    host = host._replace(files=Overlay(host.files, package))
    memo, roots = Memo(), []
    for path in sorted(package.distribution.files, key=posixpath.split):
        if re.search(r"\.so(\.|$)", posixpath.basename(path)):
            well, lines = listed(host, path, memo)
            roots.append(RootResult(path, "library", "loads" if well else "fails", first(lines, well=well)))
    return listing_result(wheel, host, roots)


def listing_result(wheel: Wheel, host: Host, roots: Sequence[RootResult]) -> Result:
    """The result for a wheel whose shared objects were listed."""
    failed = next((root for root in roots if root.verdict == "fails"), None)
    return Result(
        artifact=Artifact(wheel.name, os.path.basename(wheel.path), "wheel", wheel.version, wheel.sha256, host.arch),
        host=summary_of(host),
        python=python_of(host),
        verdict="fails" if failed else "loads",
        predicted=failed.predicted if failed else None,
        prefix=SITE,
        roots=tuple(roots),
    )


def lent_wheel(cell: Cell, host: Host, store: Store) -> Wheel:
    """The wheel that a cell is about: musl's, else one of glibc. Raises `AbicheckError` where there is none at all."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

    major, minor = cell.python.split(".")
    text = ""
    for libc in (host.libc, _LENT):
        found = fetch(Requirement(cell.requirements[0]), Target((int(major), int(minor)), host.arch, libc), store)
        if not isinstance(found, NotInstallable):
            return found
        text = found.text
    raise AbicheckError(f"no wheel of it for Python {cell.python} ({text}); name another version", cell.requirements[0])


def listed(host: Host, path: str, memo: Memo) -> tuple[bool, frozenset[str]]:
    """Whether the listing ends well, and its lines."""
    link_map, _ = musl.list_objects(host, path, memo)
    lines = {re.sub(r"^exit \d+: ", "", error.text) for error in link_map.errors}
    lines |= {f"\t{item.names[0]} => {item.path}" for item in link_map.objects[1:] if item.search.found != "built-in"}
    return not link_map.errors, frozenset(lines)


def first(lines: frozenset[str], *, well: bool) -> str | None:
    """The error that comes first in the alphabet: the loader's own order is that of its relocations."""
    return None if well else next((line for line in sorted(lines) if line.startswith("Error")), min(lines, default=""))
