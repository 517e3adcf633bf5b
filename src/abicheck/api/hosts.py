"""`describe`: a host as abicheck sees it, with every fact that decides verdicts."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from abicheck import __version__
from abicheck.api.absent import with_python
from abicheck.api.places import place
from abicheck.errors import HostError
from abicheck.judge import description
from abicheck.model.description import Description
from abicheck.model.host import KnownHost
from abicheck.model.report import Tool
from abicheck.read.files import FactStore
from abicheck.read.hosts import Wanted
from abicheck.read.hosts.glibc import exports

if TYPE_CHECKING:
    from abicheck.api.places import Place
    from abicheck.model.host import Host

#: Stands for a Python where a host has none: what its loader finds does not depend on the version.
ANY_PYTHON = Wanted("3.0", may_lack=True)


def describe(spec: str = "local", *, python: str | None = None) -> Description:
    """All that decides verdicts on the host `spec`; `python` is the target Python, `X.Y` or a path on the host.

    A host without Python is described all the same. Home directories are written as `~`. Raises `UsageError` for an unknown kind
    of host, and `HostError` for one that cannot be read.
    """
    with place(spec) as found:
        return _describe(found, python)


def _describe(place: Place, python: str | None) -> Description:
    host, no_python = _open(place, python)
    table = exports(host.arch, host.libc.version[1]) if host.libc.kind == "glibc" else {}
    found = description.describe(host, Tool("abicheck", __version__), table, no_python)
    shown = Discretion(os.path.expanduser("~")).shown(found)
    assert isinstance(shown, Description)
    return shown


def known_hosts() -> tuple[KnownHost, ...]:
    """Every built-in distribution, in the order of its family and age. Raises `DataError`."""
    from abicheck.read.hosts.catalogue import catalogue  # noqa: PLC0415 -- for those who ask

    return tuple(
        KnownHost(
            name=each.name,
            libc=f"musl {' or '.join(each.musl)}" if each.musl else str(each.libc),
            python=".".join(map(str, each.python)) if each.python else None,
            arches=each.arches,
            level=each.level,
            end_of_life=each.eol,
            extended=each.extended,
            image=each.image,
            sources=tuple(each.source.items()),
        )
        for each in catalogue().values()
    )


def collecting_script() -> str:
    """A POSIX shell script that collects a host without Python; what it writes is a host: `FILE.txt`."""
    from abicheck.read.hosts.collected import script  # noqa: PLC0415 -- few runs print it

    return script()


def _open(place: Place, python: str | None) -> tuple[Host, str | None]:
    """The host, and why it has no Python where it has none."""
    store = FactStore()
    try:
        host = place.open(python=python, store=store)
    except HostError as error:
        if python is not None:
            raise
        host = place.open(python=ANY_PYTHON, store=store)
        return with_python(host), error.message
    return with_python(host), None


class Discretion:
    """Home directories become `~`, so that what is printed can be shown to others; `home` is that of the user."""

    def __init__(self, home: str) -> None:
        user = re.escape(os.path.basename(home))
        own = [re.escape(home)] if home.strip("/") else []
        homes = "|".join((*own, r"/~", r"/root", r"(?:/var|/usr|/export)?/home/[^/:;,\s]+", r"/Users/[^/:;,\s]+"))
        # A path begins behind anything that is no part of one, and a directory's name ends where no more of it follows.
        self._homes = re.compile(rf"(?<![\w.~/-])(?:{homes})(?![\w.-])")
        self._media = re.compile(rf"(?<![\w.~/-])((?:/run)?/media)/{user}(?![\w.-])") if user else None

    def text(self, value: str) -> str:
        """One text rewritten."""
        text = self._homes.sub("~", value) if "/" in value else value
        return self._media.sub(r"\1/~", text) if self._media else text

    def shown(self, value: Any) -> Any:
        """`value`, a tuple of tuples and plain values, with every text in it rewritten."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, tuple):
            parts = [self.shown(each) for each in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value
