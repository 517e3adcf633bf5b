"""What pip takes silently where a release has no wheel and nobody names a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import AbicheckError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.model.report import Remedy
from abicheck.read.index.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.api.options import Options
    from abicheck.model.gate import Change
    from abicheck.model.report import Result


def with_fallback(changes: Iterable[Change], old: Sequence[Result], new: Sequence[Result], options: Options) -> Iterator[Change]:
    """The changes, and of what has no wheel any more what pip takes there where no release is named: a way out, too."""
    before = {(each.artifact.name, each.host.name): each for each in old}
    for change in changes:
        if change.kind != "newly-not-installable":
            yield change
            continue
        refused = [each for each in new if each.artifact.name == change.package and each.host.name in change.hosts]
        pythons = (before.get((each.artifact.name, each.host.name), each).python.version for each in refused)
        found = (_fallback(each, python, options) for each, python in zip(refused, pythons, strict=True))
        yield _told(change, list(dict.fromkeys(filter(None, found))))


def _told(change: Change, taken: Sequence[str]) -> Change:
    if not taken:
        return change
    # What is known takes the place of the guess that a newer one may have a wheel.
    kept = [each for each in change.remedies if each.command != f"pip install --upgrade {change.package}"]
    known = [
        Remedy("downgrade", f"{change.package} {version} has a wheel there", f"pip install '{change.package}=={version}'")
        for version in taken
        if " " not in version and not change.why
    ]
    commands = {each.command for each in kept}
    remedies = (*(each for each in known if each.command not in commands), *kept)
    return change._replace(text=f"{change.text} (unpinned, pip takes {' or '.join(taken)})", remedies=remedies)


def _fallback(result: Result, version: str | None, options: Options) -> str | None:
    """What pip takes, for the Python `version`: that of OLD, since where no Python has a wheel the result names any."""
    from abicheck.read.index.simple import taken_unpinned  # noqa: PLC0415 -- only where something was refused

    python = tuple(int(part) for part in (version or "").rstrip("t").split(".") if part.isdigit())
    libc = Libc(result.host.libc, tuple(map(int, (result.host.libc_version or "").split("."))))  # type: ignore[arg-type]  # as in Libc
    free_threaded = (version or "").endswith("t")
    target = Target(python, result.host.arch, libc, free_threaded)  # type: ignore[arg-type]  # as in Target
    try:
        return taken_unpinned(result.artifact.name, target, open_store(offline=options.offline)) if python else None
    except AbicheckError:  # it is an aside
        return None
