"""Confirms cells of which only the loader is asked: every shared object of a wheel, listed by musl's own loader."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.act.confirm.listing import list_object
from abicheck.act.confirm.places import SITE
from abicheck.act.confirm.sites import make_site
from abicheck.api.summaries import python_of, summary_of
from abicheck.errors import AbicheckError
from abicheck.judge.loader import Memo, musl
from abicheck.model.confirm import Confirmed, Observed
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target
from abicheck.model.report import Artifact, Result, RootResult
from abicheck.read.files import Root, View
from abicheck.read.index.fetch import fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abicheck.act.confirm.observe import Place
    from abicheck.model.confirm import Cell
    from abicheck.model.host import Host
    from abicheck.model.index import Wheel
    from abicheck.read.index.store import Store

#: Whose wheel is taken where there is none for musl: what somebody meets who copies it there.
_LENT = Libc("glibc", (2, 28))


def confirm_listing(cell: Cell, host: Host, store: Store, directory: str, place_of: Callable[[str], Place]) -> Confirmed:
    """List each shared object of the cell's distribution with the host's loader, and compare every line with the prediction.

    Raises:
        AbicheckError: the host's C library is not musl, or it has no wheel at all.
        TargetError: there is no such project or release.
        PackageIndexError: no network, no access, no pip.

    """
    if host.libc.kind != "musl":
        raise AbicheckError("only musl's loader lists all errors; import it instead", cell.name)
    wheel = _wheel(cell, host, store)
    site = make_site((wheel,), directory)
    assert isinstance(host.files, Root)
    # Nothing of this machine but the site, and the directory that an engine makes to mount it in.
    view = View(directory="/", local="/", only="", places=((os.path.dirname(SITE), directory), (SITE, site)))
    shown = host._replace(files=host.files.showing(view))
    place, memo = place_of(site), Memo()
    differences: list[str] = []
    roots: list[RootResult] = []
    extensions: list[tuple[str, str | None]] = []
    seconds = 0.0
    for path in _objects(site):
        well, lines = _predicted(shown, path, memo)
        listing = list_object(place, host.loader.path, path)
        seconds += listing.seconds
        roots.append(RootResult(path, "library", "loads" if well else "fails", _first(lines, well=well)))
        extensions.append((path, _first(listing.lines, well=listing.well)))
        if (well, lines) != (listing.well, listing.lines):
            only = [f"predicted: {line}" for line in sorted(lines - listing.lines)[:2]]
            only += [f"observed: {line}" for line in sorted(listing.lines - lines)[:2]]
            differences.append(f"{path}: {'; '.join(only) or 'the same lines, and another exit status'}")
    failed = next((root for root in roots if root.verdict == "fails"), None)
    text = next((said for _, said in extensions if said is not None), None)
    result = Result(
        artifact=Artifact(wheel.name, os.path.basename(wheel.path), "wheel", wheel.version, wheel.sha256, host.arch),
        host=summary_of(host),
        python=python_of(host),
        verdict="fails" if failed else "loads",
        predicted=failed.predicted if failed else None,
        prefix=SITE,
        roots=tuple(roots),
    )
    observed = Observed("fails" if text else "loads", text, seconds=seconds, extensions=tuple(extensions))
    by_hand = place.by_hand([host.loader.path, "--list", roots[0].path if roots else SITE], (site,), {})
    return Confirmed(cell, result, observed, not differences, tuple(differences), by_hand)


def _wheel(cell: Cell, host: Host, store: Store) -> Wheel:
    from packaging.requirements import Requirement  # noqa: PLC0415 -- only here

    major, minor = cell.python.split(".")
    text = ""
    for libc in (host.libc, _LENT):
        found = fetch(Requirement(cell.requirements[0]), Target((int(major), int(minor)), host.arch, libc), store)
        if not isinstance(found, NotInstallable):
            return found
        text = found.text
    raise AbicheckError(f"no wheel of it for Python {cell.python} ({text}); name another version", cell.requirements[0])


def _objects(site: str) -> Iterator[str]:
    """The paths inside of all shared objects."""
    for folder, _, names in sorted(os.walk(site)):
        for name in sorted(names):
            if re.search(r"\.so(\.|$)", name):
                yield os.path.join(SITE, os.path.relpath(os.path.join(folder, name), site))


def _predicted(host: Host, path: str, memo: Memo) -> tuple[bool, frozenset[str]]:
    """Whether the listing ends well, and its lines."""
    link_map, _ = musl.list_objects(host, path, memo)
    lines = {re.sub(r"^exit \d+: ", "", error.text) for error in link_map.errors}
    lines |= {f"\t{item.names[0]} => {item.path}" for item in link_map.objects[1:] if item.search.found != "built-in"}
    return not link_map.errors, frozenset(lines)


def _first(lines: frozenset[str], *, well: bool) -> str | None:
    """The error that comes first in the alphabet: the loader's own order is that of its relocations."""
    return None if well else next((line for line in sorted(lines) if line.startswith("Error")), min(lines, default=""))
