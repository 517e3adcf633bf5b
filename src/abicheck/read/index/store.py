"""What was fetched before: wheels by their SHA-256, and for each question to an index the answer that it got.

Everything is written under a temporary name and renamed, so runs at the same time do not disturb one another. What cannot be read
(damaged, of another version) is as good as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from abicheck.errors import PackageIndexError, UnreachableIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from abicheck.model.index import Offer

T = TypeVar("T")

#: How long (in seconds) "the newest that meets it" stays true: as long as indexes and installers let a listing live.
FRESH_S = 600.0


def open_store(*, offline: bool) -> Store:
    """The store in the user's cache."""
    from abicheck.read.verdicts import cache_directory  # noqa: PLC0415 -- other stores know their directory

    return Store(cache_directory(os.environ), offline=offline)


class Store:
    """Wheels and answers below `directory`, which count for `fresh` seconds.

    `offline` takes answers of any age, and lets nobody ask for more. Nor may anybody ask again in a run in which an index was
    found `unreachable`: each try takes pip a quarter of a minute. `offers` are the files of projects that this run asked for.
    """

    def __init__(self, directory: str, *, offline: bool = False, fresh: float = FRESH_S) -> None:
        self.offline = offline
        self._fresh = fresh
        self.unreachable: UnreachableIndexError | None = None
        self.offers: dict[str, tuple[Offer, ...]] = {}
        self._wheels = os.path.join(directory, "wheels")
        self._answers = os.path.join(directory, "index")
        self._configuration = _configuration(os.environ)

    def recall(self, question: str, about: str, read: Callable[[Any], T]) -> T | None:
        """The stored answer to a question about something, made a value by `read`, if it still counts; else None.

        Raises PackageIndexError when nobody else may be asked.
        """
        with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
            with open(self._path(question, about), encoding="utf-8") as file:
                written, lasting, document = json.load(file)
            value = read(document)
            if value is not None and (self.offline or lasting or time.time() - written < self._fresh):
                return value
        if self.offline:
            raise PackageIndexError("this was never asked of the index; run once without --offline", question)
        if self.unreachable is not None:
            raise UnreachableIndexError(self.unreachable.message, self.unreachable.subject)
        return None

    def remember(self, question: str, about: str, document: Any, *, lasting: bool = False) -> None:
        """Store an answer, a `lasting` one for good. Where that fails, the index will be asked again."""
        path = self._path(question, about)
        with contextlib.suppress(OSError):
            os.makedirs(self._answers, exist_ok=True)
            temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
            with open(temporary, "w", encoding="utf-8") as file:
                json.dump([time.time(), lasting, document], file)
            os.replace(temporary, path)

    @contextlib.contextmanager
    def workspace(self) -> Iterator[str]:
        """A directory for the time of a download, on the file system of the wheels.

        Raises PackageIndexError when nothing can be written there.
        """
        try:
            os.makedirs(self._wheels, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=self._wheels) as directory:
                yield directory
        except OSError as error:
            message = f"wheels cannot be stored: {error.strerror}; free some space, or set ABICHECK_CACHE to another directory"
            raise PackageIndexError(message, self._wheels) from error

    def keep(self, path: str) -> tuple[str, str]:
        """Move a downloaded file to its place: where that is, and its SHA-256."""
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        final = self.path(digest.hexdigest(), os.path.basename(path))
        os.makedirs(os.path.dirname(final), exist_ok=True)
        if not os.path.isfile(final):
            os.replace(path, final)
        return final, digest.hexdigest()

    def path(self, sha256: str, filename: str) -> str:
        """Where the wheel of that hash lies, once it is there."""
        return os.path.join(self._wheels, sha256, filename)

    def _path(self, question: str, about: str) -> str:
        key = repr((question, about, self._configuration)).encode("utf-8", "surrogateescape")
        return os.path.join(self._answers, hashlib.blake2b(key, digest_size=16).hexdigest() + ".json")


def _configuration(environment: Mapping[str, str]) -> tuple[object, ...]:
    """What tells one configuration of pip from another, without reading it: its variables, and the state of its files.

    The files are those of pip's documentation ("Configuration", location). Credentials among the variables are only hashed.
    """
    home = os.path.expanduser("~")
    if os.name == "nt":
        places = [environment.get(name, "") + r"\pip\pip.ini" for name in ("PROGRAMDATA", "APPDATA")]
        places += [home + r"\pip\pip.ini", os.path.join(sys.prefix, "pip.ini")]
    else:
        shared = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg:/Library/Application Support"
        own = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
        directories = [f"{each}/pip" for each in [*shared.split(":"), own, f"{home}/Library/Application Support"]]
        places = [f"{each}/pip.conf" for each in ("/etc", *directories, f"{home}/.pip", sys.prefix)]
    places.append(environment.get("PIP_CONFIG_FILE", ""))
    states = []
    for place in places:
        with contextlib.suppress(OSError):
            status = os.stat(place)
            states.append((place, status.st_size, status.st_mtime_ns))
    return (*sorted(item for item in environment.items() if item[0].startswith("PIP_")), *states)
