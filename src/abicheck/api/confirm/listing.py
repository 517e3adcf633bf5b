"""Confirms cells of which only the loader is asked: every shared object of a wheel, listed by musl's own loader."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.act.confirm.listing import list_object
from abicheck.act.confirm.places import SITE
from abicheck.act.confirm.sites import make_site
from abicheck.api.listing import first, lent_wheel, listed, listing_result
from abicheck.errors import AbicheckError
from abicheck.judge.loader import Memo
from abicheck.model.confirm import Confirmed, Observed
from abicheck.model.report import RootResult
from abicheck.read.files import Root, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abicheck.act.confirm.observe import Place
    from abicheck.model.confirm import Cell
    from abicheck.model.host import Host
    from abicheck.read.index.store import Store


def confirm_listing(cell: Cell, host: Host, store: Store, directory: str, place_of: Callable[[str], Place]) -> Confirmed:
    """List each shared object of the cell's distribution with the host's loader, and compare every line with the prediction.

    Raises:
        AbicheckError: the host's C library is not musl, or it has no wheel at all.
        TargetError: there is no such project or release.
        PackageIndexError: no network, no access, no pip.

    """
    if host.libc.kind != "musl":
        raise AbicheckError("only musl's loader lists all errors; import it instead", cell.name)
    wheel = lent_wheel(cell, host, store)
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
        well, lines = listed(shown, path, memo)
        listing = list_object(place, host.loader.path, path)
        seconds += listing.seconds
        roots.append(RootResult(path, "library", "loads" if well else "fails", first(lines, well=well)))
        extensions.append((path, first(listing.lines, well=listing.well)))
        if (well, lines) != (listing.well, listing.lines):
            only = [f"predicted: {line}" for line in sorted(lines - listing.lines)[:2]]
            only += [f"observed: {line}" for line in sorted(listing.lines - lines)[:2]]
            differences.append(f"{path}: {'; '.join(only) or 'the same lines, and another exit status'}")
    result = listing_result(wheel, host, roots)
    text = next((said for _, said in extensions if said is not None), None)
    observed = Observed("fails" if text else "loads", text, seconds=seconds, extensions=tuple(extensions))
    by_hand = place.by_hand([host.loader.path, "--list", roots[0].path if roots else SITE], (site,), {})
    return Confirmed(cell, result, observed, not differences, tuple(differences), by_hand)


def _objects(site: str) -> Iterator[str]:
    """The paths inside of all shared objects."""
    for folder, _, names in sorted(os.walk(site)):
        for name in sorted(names):
            if re.search(r"\.so(\.|$)", name):
                yield os.path.join(SITE, os.path.relpath(os.path.join(folder, name), site))
