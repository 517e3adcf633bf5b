"""Packages and their versions, from listings, lock files, installers' output, file names and sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from abicheck.judge.triage.signatures import data
from abicheck.judge.triage.template import compiled, find
from abicheck.model.names import normalized
from abicheck.model.triage import Clue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.triage.text import Text

_NAME, _VERSION = r"[A-Za-z][\w.-]{0,80}", r"\d[\w.+!]{0,40}"
#: `pip list`, `conda list` (with build and channel), a table in markdown, `uv` (` + name==version`), poetry (`name (version)`).
_ROW = re.compile(
    rf"\n[|+*-]? ?({_NAME})(?: \| | ?: ?v?| ?=+ ?| \(?)({_VERSION})\)?"
    r"(?: [\w.]{1,40}_\d{1,3}(?: [\w./-]{1,60})?)?(?: \|)?(?=\n|\Z)"
)
_BLOCK = re.compile(rf"\n(?:Name: |name = |name: )({_NAME})\n(?:Version: |version = |version: )({_VERSION})")
_PINNED_LEFT = re.compile(r"(?:\][\w,-]{0,80}\[)?([\w.-]{1,80})")
_PINNED_RIGHT = re.compile(rf" ?({_VERSION})")
_INSTALLED = re.compile(rf"({_NAME})-({_VERSION})\Z")
_FILE = re.compile(rf"({_NAME}?)-({_VERSION})(?:-(?:\d\w*-)?(?:cp|py|pp)\w|\.dist-info)")
_SENTENCE = re.compile(r"[ \n:=@(v*|,-]{0,12}(?:[Vv]ersion)?[ :=(v*|]{0,8}(\d+(?:\.\d+){1,5}[\w.+!]{0,20})")
_HASHED = re.compile(r"lib[\w+]{1,40}-([0-9a-f]{8})\.so[.\d]{0,20}")
#: What looks like a row and names no package.
_NO_PACKAGES = frozenset(
    (
        "alpine",
        "build",
        "centos",
        "code",
        "cpu",
        "cpython",
        "cuda",
        "cuda-version",
        "cudnn",
        "debian",
        "docker",
        "driver",
        "driver-version",
        "error",
        "exit",
        "fedora",
        "file",
        "from",
        "gcc",
        "glibc",
        "gpu",
        "kernel",
        "line",
        "linux",
        "macos",
        "musl",
        "name",
        "nvidia",
        "os",
        "package",
        "pip3",
        "python",
        "python-version",
        "ram",
        "rc",
        "release",
        "rhel",
        "status",
        "step",
        "took",
        "ubuntu",
        "version",
        "windows",
        "wsl",
    )
)
#: So many are listed at most; the largest environments have some hundreds.
_MOST = 1000
#: A directory of a distribution, in a traceback or a loader's text; the last two are AWS Lambda's for functions and layers.
DIRECTORY = re.compile(r"(?:(?:site|dist)-packages|/var/task|/opt/python)[/\\]([A-Za-z_]\w*)(?:\.libs)?[/\\]")


def packages(text: Text) -> tuple[dict[str, str], tuple[str, ...], list[Clue]]:
    """Versions by normalized name, the names of those that a hashed library proves, and the words that say so."""
    known: dict[str, str] = {}
    clues = []
    wheels: list[str] = []
    for name, version, start, end in _hashed(text):
        if name not in known:
            wheels.append(name)
            known[name] = version
            clues.append(Clue("package", f"{name} {version}", text.excerpt(start, end, 120)))
    for name, version, start, end in _all(text):
        names = distributions(name.partition("[")[0])
        key = normalized(name) if len(names) > 1 else names[0]
        if len(known) == _MOST:
            break
        if key not in known and key not in _NO_PACKAGES:
            known[key] = version.rstrip(".")
            clues.append(Clue("package", f"{key} {known[key]}", text.excerpt(start, end, 120)))
    return known, tuple(wheels), clues


def distributions(module: str) -> tuple[str, ...]:
    """The distributions that a module or another name may be of, by their normalized names, the most common first."""
    name = normalized(module)
    return tuple(data("facts.toml")["distributions"].get(name, (name,)))


#: Name, version, and the positions that say so.
_Version: TypeAlias = tuple[str, str, int, int]


def _all(text: Text) -> Iterator[_Version]:
    """What tools print first, then what is written."""
    for pattern in (_BLOCK, _ROW):
        for match in pattern.finditer("\n" + text.plain):
            yield match[1], match[2], match.start(), match.end() - 1
    yield from _told(text)
    yield from _installed(text)
    yield from _pinned(text)
    yield from _files(text)
    yield from _sentences(text)


def _pinned(text: Text) -> Iterator[_Version]:
    """`name==version`."""
    for at in text.places("=="):
        right = _PINNED_RIGHT.match(text.flat, at + 2)
        left = _PINNED_LEFT.match(text.flat[max(0, at - 170) : at].rstrip()[::-1])
        if right and left:
            yield left[1][::-1], right[1], at, right.end()


def _told(text: Text) -> Iterator[_Version]:
    """Sentences of tools."""
    for release in data("facts.toml")["release"]:
        for source in release["texts"]:
            for match in find(compiled(source), text):
                yield release.get("package") or match.fields["package"], match.fields["version"], match.start, match.end


def _installed(text: Text) -> Iterator[_Version]:
    """Pip's last line, and what it found before."""
    for at in text.places("Successfully installed "):
        for word in text.flat[at + 23 : at + 20_000].split(" "):
            match = _INSTALLED.match(word)
            if match is None:
                break
            yield match[1], match[2], at, at + 23
    for at in text.places("existing installation: "):
        name, _, rest = text.flat[at + 23 : at + 200].partition(" ")
        match = _PINNED_RIGHT.match(rest)
        if match:
            yield name, match[1], at, at + 23 + len(name)


def _files(text: Text) -> Iterator[_Version]:
    """Wheels and the directories that they leave."""
    for sign in (".whl", ".dist-info"):
        for at in text.places(sign):
            word = re.split(r"[\s/\\=,(]", text.plain[max(0, at - 200) : at])[-1] + sign
            match = _FILE.match(word)
            if match:
                yield match[1], match[2], at, at + 4


def _sentences(text: Text) -> Iterator[_Version]:
    """`ctranslate2 4.4.0`, for names that are known, or are those of directories."""
    named = (match[1] for at in text.places("-packages") if (match := DIRECTORY.match(text.plain, at - 4)))
    for name in dict.fromkeys((*data("facts.toml")["packages"], *named)):
        for at in text.places(name):
            before = text.flat[at - 1 : at] if at else ""
            match = _SENTENCE.match(text.plain, at + len(name))
            if match and not (before.isalnum() or before in ("-", "_", "/")):
                yield name, match[1], at, match.end()


def _hashed(text: Text) -> Iterator[_Version]:
    """Libraries whose names hold a hash of their content, which tells the release."""
    for package, libraries in data("libraries.toml").items():
        for library, hashes in libraries.items():
            for at in text.places(f"{library}-"):
                match = _HASHED.match(text.plain, at)
                versions = hashes.get(match[1], {}).get("versions", ()) if match else ()
                if match and versions:
                    named = [version for version in versions if match[0].endswith(f".so.{version}")]
                    yield package, (named or versions)[0], at, match.end()
