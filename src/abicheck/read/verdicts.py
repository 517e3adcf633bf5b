"""Verdicts of earlier runs, each trusted only while every question about files that led to it gets the same answer.

A judgement is a pure function of the host, the target and the answers of `Files`; so a shelf (one file for each host and kind of
question) holds the answers once, and for each target its judgement with the numbers of the questions that it asked. Whatever is
wrong with a shelf (damaged, of another version, not to be read or written) makes it as good as absent, and is no error.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from abicheck.model.files import FileId
from abicheck.read.files import Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abicheck.model.files import Files

#: A judgement as plain JSON values, and the paths that it opened and resolved.
_Stored: TypeAlias = "tuple[Any, list[str], list[str]]"

_DIGEST = 32
_MAX_TARGETS = 2000

#: A file that changed so short a time ago could change again without its times showing it: the kernel's clock ticks (jiffies).
_SETTLED_NS = 20_000_000
_MAX_SHELVES = 64


def cache_directory(environment: Mapping[str, str]) -> str:
    """Where verdicts are kept: $ABICHECK_CACHE, else the user's own cache directory."""
    base = environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return environment.get("ABICHECK_CACHE") or os.path.join(base, "abicheck")


def code_state(version: str, *rooms: str) -> str:
    """The version, and the state of abicheck's own files: what another code found out is not trusted, released or not.

    `rooms` are the parts of the package that it depends on (none: all).
    """
    package = os.path.dirname(os.path.dirname(__file__))
    state = [version]
    for directory, _, names in (each for room in rooms or ("",) for each in os.walk(os.path.join(package, room))):
        for name in sorted(names):
            if name.endswith((".py", ".toml", ".json", ".z")):
                status = os.stat(os.path.join(directory, name))
                state.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    return "\n".join(state)


def _digest(data: bytes) -> bytes:
    import hashlib  # noqa: PLC0415 -- takes 3 ms, and a run that stores nothing needs it not

    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


class Shelf:
    """The stored judgements for one host and one kind of question."""

    def __init__(self, directory: str, key: Iterable[str]) -> None:
        name = _digest("\0".join(key).encode("utf-8", "surrogateescape"))[:16].hex()
        self._directory = directory
        self._path = os.path.join(directory, f"{name}.verdicts")
        self._opened, self._resolved, self._targets = self._load()
        self._used: dict[str, _Stored] = {}
        self._fresh = Trace()

    def get(self, target: str, files: Files) -> Any | None:
        """The stored judgement of `target`, if all that it asked of `files` is still so; None otherwise."""
        stored = self._targets.get(target)
        if stored is None:
            return None
        judgement, opened, resolved = stored
        try:
            for path in opened:
                if files.stat(path) != self._opened[path]:
                    return None
            for path in resolved:
                if files.resolve(path) != self._resolved[path]:
                    return None
        except KeyError:
            return None
        self._used[target] = stored
        return judgement

    def put(self, target: str, judgement: Any, traces: Iterable[Trace]) -> None:
        """Remember a judgement and what it asked."""
        opened: list[str] = []
        resolved: list[str] = []
        for trace in traces:
            self._fresh.opened.update(trace.opened)
            self._fresh.resolved.update(trace.resolved)
            opened += trace.opened
            resolved += trace.resolved
        self._used[target] = (judgement, opened, resolved)

    def save(self) -> None:
        """Write the shelf if anything is new: what this run used, then older judgements up to a limit.

        An older judgement goes when it rests on an answer that is no longer the same, a new one when it rests on a file that may
        still be being written.
        """
        fresh = self._fresh
        if not fresh.opened:
            return
        settled = time.time_ns() - _SETTLED_NS
        unsettled = {path for path, answer in fresh.opened.items() if not isinstance(answer, int) and answer.ctime_ns > settled}
        kept = {target: stored for target, stored in self._used.items() if unsettled.isdisjoint(stored[1])}
        opened = {path: self._opened[path] for _, paths, _ in kept.values() for path in paths if path in self._opened}
        resolved = {path: self._resolved[path] for _, _, paths in kept.values() for path in paths if path in self._resolved}
        opened.update(fresh.opened)
        resolved.update(fresh.resolved)
        # Another run may have written in the meantime, and what it found out is as good.
        older_opened, older_resolved, older = self._load()
        changed = {path for path, answer in older_opened.items() if opened.setdefault(path, answer) != answer}
        moved = {path for path, answer in older_resolved.items() if resolved.setdefault(path, answer) != answer}
        for target, stored in older.items():
            if len(kept) >= _MAX_TARGETS:
                break
            if changed.isdisjoint(stored[1]) and moved.isdisjoint(stored[2]):
                kept.setdefault(target, stored)
        with contextlib.suppress(OSError, ValueError):
            self._write(_encode(kept, opened, resolved))

    def _write(self, data: bytes) -> None:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        temporary = f"{self._path}.{os.getpid()}"
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, self._path)
        self._prune()

    def _prune(self) -> None:
        """Drop the shelves that were not written for longest."""
        with os.scandir(self._directory) as entries:
            shelves = [(entry.stat().st_mtime_ns, entry.path) for entry in entries if ".verdicts" in entry.name]
        for _, path in sorted(shelves)[:-_MAX_SHELVES]:
            os.unlink(path)

    def _load(self) -> tuple[dict[str, FileId | int], dict[str, str], dict[str, _Stored]]:
        try:
            with open(self._path, "rb") as file:
                data = file.read()
            payload = data[_DIGEST:]
            if _digest(payload) != data[:_DIGEST]:
                return {}, {}, {}
            document = json.loads(payload)
            paths = [path for path, _ in document["paths"]]
            links = [path for path, _ in document["links"]]
            opened = {path: each if isinstance(each, int) else FileId(*each) for path, each in document["paths"]}
            targets = {
                target: (judgement, [paths[number] for number in asked], [links[number] for number in followed])
                for target, (judgement, asked, followed) in document["targets"].items()
            }
        except (OSError, ValueError, TypeError, KeyError, IndexError):
            return {}, {}, {}
        return opened, dict(document["links"]), targets


def _encode(kept: Mapping[str, _Stored], opened: Mapping[str, FileId | int], resolved: Mapping[str, str]) -> bytes:
    """The shelf as bytes: its digest, then JSON with every path once."""
    paths: dict[str, int] = {}
    links: dict[str, int] = {}
    targets = {
        target: [
            judgement,
            [paths.setdefault(path, len(paths)) for path in asked],
            [links.setdefault(path, len(links)) for path in followed],
        ]
        for target, (judgement, asked, followed) in kept.items()
    }
    document = {
        "paths": [[path, opened[path]] for path in paths],
        "links": [[path, resolved[path]] for path in links],
        "targets": targets,
    }
    payload = json.dumps(document, separators=(",", ":")).encode("ascii")
    return _digest(payload) + payload
