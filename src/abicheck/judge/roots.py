"""What the binaries of a distribution are to a user: what an import or a start begins with, and what is not for this host."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.elf import SharedObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host, Interpreter
    from abicheck.model.report import RootKind

_MACHINES = {"x86_64": 62, "aarch64": 183}
_NAMES = {3: "i386", 40: "ARM", 62: "x86_64", 183: "aarch64", 190: "CUDA", 224: "AMD GPU", 243: "RISC-V"}
_ET_EXEC, _ET_DYN = 2, 3
_LIBRARY_NAME = re.compile(r"\.so(\.|$)")
#: `.cpython-312-x86_64-linux-gnu.so`, `.cpython-313t-….so`, `.abi3.so` (importlib.machinery.EXTENSION_SUFFIXES on Linux).
_SUFFIX = re.compile(r"\.(?:cpython-(\d)(\d+)(t?)(?:-[\w-]+)?|(abi3)|pypy(\d)(\d+)-[\w-]+)\.so")
_DIGITS = re.compile(r"\d+")


class Role(NamedTuple):
    """What one binary is: a kind of root, or None with the reason why nothing on this host would load it."""

    kind: RootKind | None
    reason: str = ""


def role(path: str, facts: ElfFile, host: Host) -> Role:
    """What the binary at `path` is to the target Python of `host`."""
    other = _for_another_machine(facts, host)
    if other:
        return Role(None, other)
    name = posixpath.basename(path)
    module = name.partition(".")[0]
    suffix = _SUFFIX.fullmatch(name[len(module) :])
    if suffix is not None:
        misfit = _misfit(suffix, host.python)
        if misfit:
            return Role(None, misfit)
    if not isinstance(facts, SharedObject):
        return Role("extension" if suffix else "library")
    if facts.interpreter is not None and not _LIBRARY_NAME.search(name):
        return Role("executable")
    if name == f"{module}.so" or suffix is not None:
        return Role("extension" if f"PyInit_{module}" in facts.definitions or _is_damaged(facts) else "library")
    return Role("library")


def module_of(path: str, host: Host) -> str | None:
    """The module whose extension for the target Python has this path below site-packages; None for any other file."""
    directory, name = posixpath.split(path)
    module = name.partition(".")[0]
    suffix = _SUFFIX.fullmatch(name[len(module) :])
    if suffix is None or _misfit(suffix, host.python):
        return None
    return ".".join([*filter(None, directory.split("/")), module])


def _is_damaged(facts: SharedObject) -> bool:
    """True where it cannot be told what the object exports."""
    return facts.dynamic is None or bool(facts.faults)


def _for_another_machine(facts: ElfFile, host: Host) -> str:
    header = facts.header
    if header is None:
        return ""
    if header.machine != _MACHINES[host.arch] or header.ident[4:6] != b"\2\1":
        bits = "" if header.elf_class == 2 else ", 32 bits"
        return f"built for {_NAMES.get(header.machine, f'machine {header.machine}')}{bits}"
    if header.type not in (_ET_EXEC, _ET_DYN):
        return "neither a library nor a program"
    return ""


def _misfit(suffix: re.Match[str], python: Interpreter | None) -> str:
    """Why the target Python passes over a file with this suffix; empty where it does not."""
    if suffix[5]:
        return f"an extension for PyPy {suffix[5]}.{suffix[6]}"
    if python is None or python.version is None:
        return ""
    if suffix[4]:
        return "an extension for the stable ABI with the GIL" if python.free_threaded else ""
    version, free_threaded = (int(suffix[1]), int(suffix[2])), bool(suffix[3])
    if version == python.version and free_threaded == python.free_threaded:
        return ""
    kind = ", free-threaded" if free_threaded else ""
    return f"an extension for Python {version[0]}.{version[1]}{kind}"


def alternatives(libraries: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Sets of binaries of which one is enough: equal names but for their numbers, each made for another major of one library.

    `libraries` are the names that each binary needs, by its path. torchcodec has such a set with one for every FFmpeg that it
    knows, and others whose members each need another member of that one.
    """
    families: dict[str, list[str]] = {}
    for path in libraries:
        directory, name = posixpath.split(path)
        families.setdefault(f"{directory}/{_DIGITS.sub('#', name)}", []).append(path)
    sets = [tuple(paths) for paths in families.values() if len(paths) > 1]
    by_major = [paths for paths in sets if _differ([libraries[path] for path in paths], _stem_of_versioned)]
    members = {posixpath.basename(path) for paths in by_major for path in paths}

    def stem_of_member(name: str) -> str | None:
        return _DIGITS.sub("#", name) if name in members else None

    rest = [paths for paths in sets if paths not in by_major]
    return by_major + [paths for paths in rest if _differ([libraries[path] for path in paths], stem_of_member)]


def _stem_of_versioned(name: str) -> str | None:
    stem, dot, _ = name.partition(".so.")
    return stem if dot else None


def _differ(needed: Iterable[Sequence[str]], stem_of: Callable[[str], str | None]) -> bool:
    """True where all members need a library of one stem, each another one."""
    found = [{stem: name for name in names if (stem := stem_of(name)) is not None} for names in needed]
    common = set.intersection(*map(set, found))
    return any(len({each[stem] for each in found}) == len(found) for stem in common)
