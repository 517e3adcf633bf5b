"""What the collecting script (`data/collect.sh`) wrote on a host without Python: its lines, and the host that they make."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError
from abicheck.model.elf import ElfFile, Malformed
from abicheck.read.elf import parse_elf
from abicheck.read.files import Entry, Memory, Root
from abicheck.read.hosts.cpu import parse_cpuinfo
from abicheck.read.hosts.interpreter import ROOT_PATH, find_interpreter
from abicheck.read.hosts.machine import Machine, memory_of, noexec_mounts, parse_kernel
from abicheck.read.hosts.profile.encode import encode

if TYPE_CHECKING:
    from abicheck.model.host import Interpreter
    from abicheck.read.files import FactStore
    from abicheck.read.hosts import Wanted

_FIRST = "abicheck-collected\t1"
_ANEW = "run the script again, and give all that it wrote"
#: No file of a host is larger: a number beyond it is none that `ls` printed.
_LARGEST = 1 << 32
#: A library is made anew in memory, twice; of what is larger nothing is known.
_LARGEST_READ = 1 << 30
#: The script writes some MB; a device has no end.
_MAX_SIZE = 1 << 28


class _Pieces:
    """The parts of one file that are at hand: blocks by their offset."""

    def __init__(self, size: int, same: int | None) -> None:
        self.size = size
        self.same = same
        self.readable = True
        self.parts: dict[int, list[str]] = {}
        self.banner = b""

    def data(self, decoded: Decoder, filling: bytes, limit: int = -1) -> bytes:
        """The first `limit` bytes of the file, or all, with `filling` where nothing is at hand."""
        size = self.size if limit < 0 else min(limit, self.size)
        content = bytearray(filling) * size
        for offset, lines in self.parts.items():
            if offset < size:
                part = decoded("".join(lines))
                content[offset : offset + len(part)] = part[: size - offset]
        return bytes(content)


class Decoder(NamedTuple):
    """Lines to bytes, as the host could write them."""

    hexadecimal: bool

    def __call__(self, text: str) -> bytes:
        """The bytes; ValueError where they are none."""
        return bytes.fromhex(text) if self.hexadecimal else base64.b64decode(text, validate=True)


class Collection(NamedTuple):
    """All that the script wrote. `values` are lines of one value, `texts` are values of several lines."""

    decoder: Decoder
    values: dict[str, str]
    texts: dict[str, str]
    links: dict[str, str]
    directories: tuple[str, ...]
    files: dict[str, _Pieces]
    selinux: frozenset[str]


class Collected(NamedTuple):
    """A collected host as far as it is read: its files, its machine, its Python, and what it says of itself."""

    files: Root
    machine: Machine
    interpreter: Interpreter
    environment: dict[str, str]
    noexec: tuple[tuple[str, int], ...]
    selinux: frozenset[str]
    live: bool


def script() -> str:
    """The script that collects a host."""
    return package_files("abicheck.read.hosts").joinpath("data", "collect.sh").read_text(encoding="utf-8")


def read_collected(path: str, wanted: Wanted, store: FactStore) -> Collected:
    """The host that was collected in the file `path`. Raises `HostError` where lines are missing or make no sense."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise HostError(f"{error.strerror}; give a file that the script of `abicheck host --script` wrote") from None
    if len(text) > _MAX_SIZE:
        raise HostError(f"more than {_MAX_SIZE >> 20} MiB; give a file that the script of `abicheck host --script` wrote")
    lines = text.splitlines()
    if not lines or lines[0] != _FIRST:
        raise HostError("the script of `abicheck host --script` did not write this, or another version of it; " + _ANEW)
    if lines[-1] != "end":
        raise HostError(f"its end is missing; {_ANEW}")
    found = _parse(lines[1:-1])
    try:
        files = Root(_volume(found, lines), store)
    except ValueError:
        raise HostError(f"what stands for bytes of a file is none; {_ANEW}") from None
    machine = _machine(found)
    directories = [posixpath.dirname(found.values["python"])] if "python" in found.values else []
    python = find_interpreter(files, wanted.python, (*directories, *ROOT_PATH), may_lack=wanted.may_lack)
    return Collected(
        files=files,
        machine=machine,
        interpreter=python,
        environment={name: text for name, text in found.texts.items() if name.isupper()},
        noexec=noexec_mounts(found.texts.get("mountinfo", "")),
        selinux=found.selinux,
        live="live" in found.values,
    )


def _parse(lines: list[str]) -> Collection:
    """The lines by what they are about."""
    hexadecimal = "encoding\thex" in lines[:2]
    found = Collection(Decoder(hexadecimal), {}, {}, {}, (), {}, frozenset())
    directories: list[str] = []
    selinux: set[str] = set()
    pieces: _Pieces | None = None
    texts: dict[str, _Pieces] = {}
    part: list[str] = []
    for number, line in enumerate(lines, 2):
        word, tab, rest = line.partition("\t")
        fields = rest.split("\t")
        if word == "file" and len(fields) == 3 and fields[1].isdecimal() and int(fields[1]) < _LARGEST:
            pieces = found.files[fields[0]] = _Pieces(int(fields[1]), int(fields[2]) if fields[2].isdecimal() else None)
        elif word == "text" and tab:
            pieces = texts[rest] = _Pieces(0, None)
        elif word == "@" and pieces is not None and rest.isdecimal():
            part = pieces.parts.setdefault(int(rest), [])
        elif word == "banner" and pieces is not None:
            pieces.banner = rest.encode("utf-8", "surrogateescape")
        elif word == "unreadable" and pieces is not None:
            pieces.readable = False
        elif word == "link" and len(fields) == 2:
            found.links[fields[0]] = fields[1]
        elif word == "directory" and tab:
            directories.append(rest)
        elif word == "selinux" and tab:
            selinux.add(rest)
        elif tab or word == "live":
            found.values[word] = rest
        elif pieces is not None and pieces.parts:
            part.append(line.replace(" ", ""))
        else:
            raise HostError(f"line {number} makes no sense; {_ANEW}")
    decoded = {name: _text(each, found.decoder) for name, each in texts.items()}
    return found._replace(texts=decoded, directories=tuple(directories), selinux=frozenset(selinux))


def _text(pieces: _Pieces, decoder: Decoder) -> str:
    try:
        return decoder("".join(pieces.parts.get(0, ()))).decode("utf-8", "surrogateescape")
    except ValueError:
        raise HostError(f"what stands for bytes of a text is none; {_ANEW}") from None


def _volume(found: Collection, lines: list[str]) -> Memory:
    entries = {path: Entry(link=target) for path, target in found.links.items()}
    entries |= {path: _entry(each, found.decoder) for path, each in found.files.items()}
    for path in (*entries, *found.directories):
        if posixpath.normpath(path) != path or not path.startswith("/"):
            raise HostError(f"{path!r} is no path of a host; {_ANEW}")
    digest = hashlib.blake2b("\n".join(lines).encode("utf-8", "surrogateescape"), digest_size=7).digest()
    return Memory(entries, int.from_bytes(digest, "big"), found.directories)


def _entry(pieces: _Pieces, decoder: Decoder) -> Entry:
    if not pieces.readable:
        return Entry(mode=0)

    def load() -> ElfFile:
        return _facts(pieces, decoder)

    def read(limit: int) -> bytes:
        data = pieces.data(decoder, b"\0", _LARGEST_READ if limit < 0 else limit)
        return data + b"\n" + pieces.banner if limit < 0 else data

    for lines in pieces.parts.values():
        decoder("".join(lines))  # so that what is no bytes is found at once
    return Entry(size=pieces.size, load=load, read=read, same=pieces.same)


def _facts(pieces: _Pieces, decoder: Decoder) -> ElfFile:
    """The facts of a file of which parts are at hand; where they hang on other parts, nothing is known of it."""
    if pieces.size > _LARGEST_READ:
        return Malformed("left-out", pieces.size)
    facts, other = (parse_elf(pieces.data(decoder, filling)) for filling in (b"\0", b"\xff"))
    try:
        sure = encode(facts) == encode(other)
    except LookupError:
        sure = False
    return facts if sure else Malformed("left-out", pieces.size)


def _machine(found: Collection) -> Machine:
    arch = found.values.get("machine")
    page = found.values.get("page_size", "4096")
    if arch not in ("x86_64", "aarch64") or not re.fullmatch("4096|16384|65536", page):
        raise HostError(f"its machine is {arch} with pages of {page} bytes; abicheck knows x86_64 and aarch64 hosts")
    memory = memory_of(found.values.get("overcommit", ""), found.texts.get("meminfo", ""))
    cpu = parse_cpuinfo(found.texts.get("cpuinfo", ""), arch)  # type: ignore[arg-type]  # checked above
    return Machine(parse_kernel(found.values.get("kernel", "")), int(page), memory, cpu, own=True)
