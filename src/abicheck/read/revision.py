"""Files as they are in a revision of a git repository: `git:REV:PATH`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.read.locks import is_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PREFIX = "git:"
#: Of blobs in `git ls-tree`.
_FILES, _LINK = ("100644", "100755"), "120000"


@contextmanager
def revision(given: str) -> Iterator[tuple[str, str]]:
    """The path of a file or directory as it is in a revision, and the directory that stands for the repository's root there.

    `given` is `git:REV:PATH`, with PATH relative to the current directory. Beside PATH there is everything that a lock file may
    include, and nothing else. Both are there as long as the block lasts.

    Raises:
        TargetError: that is no revision or path, there is no git, or git refuses.

    """
    name, _, path = given.removeprefix(PREFIX).partition(":")
    if not name or not path or name.startswith("-"):
        raise TargetError("write it as git:REV:PATH, as in git:origin/main:uv.lock", given)
    top = _git(given, os.curdir, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").rstrip("\n")
    commit = _git(given, top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", why=_unknown(name)).decode().strip()
    inner = os.path.relpath(os.path.realpath(os.path.dirname(path) or os.curdir), os.path.realpath(top))
    inner = os.path.normpath(os.path.join(inner, os.path.basename(path)))
    listed = _git(given, top, "ls-tree", "-r", "-z", "--full-tree", commit)
    entries = dict(_entry(each) for each in listed.decode("utf-8", "surrogateescape").split("\0") if each)
    wanted = [each for each in entries if each == inner or each.startswith(f"{inner}/") or _is_included(each)]
    if not any(each == inner or each.startswith(f"{inner}/") for each in wanted):
        raise TargetError(f"there is no {inner} in {name}; compare with a revision that has it", given)
    with tempfile.TemporaryDirectory(prefix="abicheck-git-") as directory:
        _write(given, top, {each: entries[each] for each in wanted}, directory)
        yield os.path.join(directory, inner), directory


def _unknown(name: str) -> str:
    return f"git knows no revision {name}; fetch it first (a shallow clone lacks it)"


def _is_included(path: str) -> bool:
    return is_lock(path) or os.path.basename(path) == "pyproject.toml"


def _entry(line: str) -> tuple[str, tuple[str, str]]:
    """Path, mode and object of a line of `git ls-tree`."""
    about, _, path = line.partition("\t")
    mode, _, blob = about.split(" ")
    return path, (mode, blob)


def _write(given: str, top: str, entries: dict[str, tuple[str, str]], directory: str) -> None:
    """Write blobs below a directory; links stay links if they point inside."""
    kept = {path: entry for path, entry in entries.items() if entry[0] in (*_FILES, _LINK)}
    blobs = _contents(given, top, (blob for _, blob in kept.values()))
    for (path, (mode, _)), content in zip(kept.items(), blobs, strict=True):
        place = os.path.join(directory, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if mode in _FILES:
            with open(place, "wb") as file:
                file.write(content)
        elif not os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(content))).startswith(("..", "/")):
            os.symlink(content, os.fsencode(place))


def _contents(given: str, top: str, blobs: Iterable[str]) -> Iterator[bytes]:
    """What `git cat-file --batch` prints for each object: a line that ends with the size, the content, a newline."""
    data = _git(given, top, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode())
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        size = int(data[at:end].rpartition(b" ")[2])
        yield data[end + 1 : end + 1 + size]
        at = end + size + 2


def _git(given: str, directory: str, *arguments: str, stdin: bytes = b"", why: str | None = None) -> bytes:
    try:
        command = ["git", "-C", directory, *arguments]  # whichever git the user has
        done = subprocess.run(command, input=stdin, capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        raise TargetError(f"git could not be run ({error.strerror}); install it, or give the file itself", given) from None
    if done.returncode:
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it failed"])[0]
        raise TargetError(why or f"git says: {said}; give the file itself", given)
    return done.stdout
