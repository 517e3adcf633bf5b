"""What musl's loader lists for a shared object: the libraries that it finds, and every error."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.act.confirm.observe import Place

#: In seconds: a listing takes milliseconds.
_SECONDS = 60.0
_ADDRESS = re.compile(r" \(0x[0-9a-f]+\)$")


class Listing(NamedTuple):
    """What `ld-musl-ARCH.so.1 --list FILE` printed: whether it ended well, and its lines without addresses."""

    well: bool
    lines: frozenset[str]
    seconds: float


def list_object(place: Place, loader: str, path: str) -> Listing:
    """Ask the loader about one object, by its path there."""
    ended = place.run([loader, "--list", path], _SECONDS)
    lines = {_ADDRESS.sub("", line) for line in (ended.stdout + ended.stderr).splitlines()}
    # The loader itself comes first, under the name that the object's own PT_INTERP gives it.
    loaders = {line.strip() for line in lines if line.startswith("\t") and " => " not in line}
    lines = {line for line in lines if line.strip() not in loaders and line.rpartition(" => ")[2] not in loaders}
    if ended.status is None:
        lines.add(f"no end after {_SECONDS:g} s")
    elif ended.status > 128:
        lines.add(f"signal: {signal.Signals(ended.status - 128).name}")
    return Listing(ended.status == 0, frozenset(lines), ended.seconds)
