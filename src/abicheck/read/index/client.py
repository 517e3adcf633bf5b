"""pip as a program: it alone talks to indexes, so its configuration, credentials, certificates and proxies are the user's own.

Everything is asked of `python -m pip` in a process of its own, through options that all pips from 22.0 on know. The one thing
for which pip has no option, the list of a project's files, is `links.py`.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import PackageIndexError, UnreachableIndexError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Settings that would change what is asked; everything else that the user has configured counts.
_SETTINGS = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_COLOR": "1",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_QUIET": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_VERBOSE": "0",
    "PYTHONIOENCODING": "utf-8",
}

#: What `-vv` shows of `_handle_get_simple_fail` (pip/_internal/index/collector.py) and `is_secure_origin` (network/session.py).
_FAILED_FETCH = re.compile(
    r"(?:Could not fetch URL|The repository located at) (\S+?):? (.*?)(?: - skipping| and is being ignored.*)?$", re.MULTILINE
)
_ERRNO = re.compile(r"\[Errno -?\d+\] [^')\]]+")
_REFUSED = re.compile(r"40[13] Client Error")
_CREDENTIALS = re.compile(r"//[^/@\s]*@")


class Answer(NamedTuple):
    """How pip ended and all that it said, both streams in one, without credentials."""

    code: int
    text: str

    @property
    def last_line(self) -> str:
        """The last thing that it said."""
        return self.text.strip().rpartition("\n")[2] or "it said nothing"

    @property
    def errors(self) -> list[str]:
        """Its lines that begin with `ERROR:`."""
        return [line for line in map(str.strip, self.text.splitlines()) if line.startswith("ERROR:")]


def ask(arguments: Sequence[str]) -> Answer:
    """Run pip with `arguments`."""
    return _run(["-m", "pip", *arguments])


def ask_links(output: str, arguments: Sequence[str]) -> Answer:
    """Run pip with `arguments`, and have the files that it finds on the way written to `output` as JSON."""
    return _run([os.path.join(os.path.dirname(__file__), "links.py"), output, *arguments])


def demand_answer(answer: Answer, *, found: bool) -> str:
    """Raise what an index that did not answer calls for. That it does not know a project is an answer.

    An index that refuses access counts only when nothing was `found` elsewhere, since some say 403 for a project that they lack;
    else what it says is returned, "" where none refuses.

    Raises:
        PackageIndexError: no network (`UnreachableIndexError`), no access.

    """
    failed = [(url, reason) for url, reason in _FAILED_FETCH.findall(answer.text) if "404 Client Error" not in reason]
    for url, said in failed:
        reason = (_ERRNO.search(said) or [said])[0]
        if not _REFUSED.search(said):
            message = f"a package index does not answer ({reason}); check the network, and the proxy and index-url of pip"
            # An index that answers something else may answer well for another project.
            raise (UnreachableIndexError if _ERRNO.search(said) or "timed out" in said else PackageIndexError)(message, url)
    if not failed:
        return ""
    url, reason = failed[0]
    message = f"refuses access ({reason}); check the credentials that pip uses (netrc, keyring, index-url)"
    if not found:
        raise PackageIndexError(f"the package index {message}", url)
    return f"a package index {message}"


def _run(arguments: Sequence[str]) -> Answer:
    done = subprocess.run(  # noqa: S603 -- pip, with a list of arguments
        [_python_with_pip(os.environ.get("PATH", "")), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **_SETTINGS},
    )
    return Answer(done.returncode, _CREDENTIALS.sub("//", done.stdout))


@lru_cache(maxsize=4)
def _python_with_pip(path: str) -> str:
    """Our own Python, else the first one on PATH that has pip."""
    for python in [sys.executable, *_pythons(path)]:
        probe = [python, "-c", "import pip"]
        with contextlib.suppress(OSError):
            if subprocess.run(probe, check=False, capture_output=True).returncode == 0:  # noqa: S603 -- as above
                return python
    raise PackageIndexError("there is no pip for this Python nor for one on PATH; run `python -m ensurepip`, or install pip")


def _pythons(path: str) -> Iterator[str]:
    for directory in path.split(os.pathsep):
        for name in ("python3", "python", "python.exe"):
            candidate = os.path.join(directory, name)
            if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
                yield candidate
