"""What pip takes silently where a release has no wheel and nobody names a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import AbicheckError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.read.index.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.api.options import Options
    from abicheck.model.gate import Change
    from abicheck.model.report import Result


def with_fallback(changes: Iterable[Change], results: Sequence[Result], options: Options) -> Iterator[Change]:
    """The changes, and of what has no wheel any more what pip takes there where no release is named."""
    for change in changes:
        if change.kind == "newly-not-installable":
            refused = [each for each in results if each.artifact.name == change.package and each.host.name in change.hosts]
            taken = dict.fromkeys(filter(None, (_fallback(result, options) for result in refused)))
            said = f"{change.text} (unpinned, pip takes {' or '.join(taken)})" if taken else change.text
            yield change._replace(text=said)
        else:
            yield change


def _fallback(result: Result, options: Options) -> str | None:
    from abicheck.read.index.simple import taken_unpinned  # noqa: PLC0415 -- only where something was refused

    python = tuple(int(part) for part in (result.python.version or "").split(".") if part.isdigit())
    libc = Libc(result.host.libc, tuple(map(int, (result.host.libc_version or "").split("."))))  # type: ignore[arg-type]  # as in Libc
    target = Target(python, result.host.arch, libc)  # type: ignore[arg-type]  # as in Target
    try:
        return taken_unpinned(result.artifact.name, target, open_store(offline=options.offline)) if python else None
    except AbicheckError:  # it is an aside
        return None
