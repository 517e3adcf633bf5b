"""Hosts and objects built by hand, so that a test of the loader says in a few words what is on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.judge.loader import dlopen, start
from abicheck.model.elf import DynamicInfo, ElfFile, Header, Segment, SharedObject
from abicheck.model.files import FileId
from abicheck.model.host import Host, Libc, LoaderConfig
from abicheck.model.symbols import Definition, NeededVersion, Reference, ReferenceKind, Version, VersionDefinition, VersionNeed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.process import LinkMap, Process

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_TLS, PT_GNU_STACK = 1, 2, 3, 7, 0x6474E551
LDSO = "/lib64/ld-linux-x86-64.so.2"
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
PROGRAM = "/usr/bin/python3"
IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)


def header(machine: int = 62, kind: int = 3, ident: bytes = IDENT) -> Header:
    return Header(ident=ident, type=kind, machine=machine, version=1, phoff=64, phentsize=56, phnum=4)


def elf_hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        value = (value ^ (value >> 24 & 0xF0)) & 0x0FFFFFFF
    return value


def version(name: str, file: str | None = None) -> Version:
    return Version(name, elf_hash(name), file)


def defined(node: str | None = None, index: int = 2, *, hidden: bool = False, tls: bool = False) -> Definition:
    return Definition(version(node) if node else None, index if node else 1, hidden, 1, 0, 6 if tls else 2)


def wanted(
    name: str, node: str | None = None, file: str | None = None, *, weak: bool = False, kind: ReferenceKind = "data"
) -> Reference:
    return Reference(name, version(node, file) if node else None, weak, kind, 6, kind != "data", in_plt=kind == "plt")


def needs(file: str, *nodes: str, weak: bool = False) -> VersionNeed:
    return VersionNeed(file, 1, tuple(NeededVersion(n, elf_hash(n), 2 if weak else 0, 2 + i) for i, n in enumerate(nodes)))


def defines(*nodes: str) -> tuple[VersionDefinition, ...]:
    return tuple(VersionDefinition(n, elf_hash(n), 2 + i, 0, 1) for i, n in enumerate(nodes))


def segments(*, stack: int | None = 6, align: int = 0x1000, tls: tuple[int, int] | None = None) -> tuple[Segment, ...]:
    found = [
        Segment(PT_LOAD, 5, 0, 0, 0x1000, 0x1000, align),
        Segment(PT_LOAD, 6, 0x1000, 0x1000, 0x800, 0x900, align),
        Segment(PT_DYNAMIC, 6, 0x1000, 0x1000, 0x200, 0x200, 8),
    ]
    if tls is not None:
        found.append(Segment(PT_TLS, 4, 0x1000, 0x1000, 0, tls[0], tls[1]))
    if stack is not None:
        found.append(Segment(PT_GNU_STACK, stack, 0, 0, 0, 0, 16))
    return tuple(found)


def library(
    needed: Sequence[str] = (),
    *,
    exports: Mapping[str, Definition | tuple[Definition, ...]] | None = None,
    wants: Sequence[Reference] = (),
    version_needs: Sequence[VersionNeed] = (),
    version_definitions: tuple[VersionDefinition, ...] = (),
    dynamic: Mapping[str, Any] | None = None,
    **more: Any,
) -> SharedObject:
    """A sound shared object; `dynamic` holds further fields of DynamicInfo, `more` those of SharedObject."""
    tables = {n: d if not isinstance(d, Definition) else (d,) for n, d in (exports or {}).items()}
    versions = bool(version_needs or version_definitions)
    info = DynamicInfo(
        needed=tuple(needed),
        has_verneed=bool(version_needs),
        has_verdef=bool(version_definitions),
        has_versym=versions,
        has_gnu_hash=True,
    )
    facts = SharedObject(
        header=header(),
        size=0x2000,
        segments=segments(),
        dynamic=info._replace(**(dynamic or {})),
        version_needs=tuple(version_needs),
        version_definitions=version_definitions,
        versions_in_use=versions,
        references=tuple(wants),
        definitions={name: tuple(found) for name, found in tables.items()},
    )
    return facts._replace(**more)


def libc(*nodes: str, **exports: Definition) -> SharedObject:
    return library(
        ["ld-linux-x86-64.so.2"],
        exports={"malloc": defined(nodes[0]), **exports},
        version_definitions=defines(*nodes),
        dynamic={"soname": "libc.so.6"},
    )


class Shelf:
    """`Files` from a dictionary; a value that is a string is a link to another path, an int is the errno of opening it."""

    def __init__(self, files: Mapping[str, ElfFile | str | int]) -> None:
        self.files = dict(files)
        self.directories = {"/"}
        for path in self.files:
            parts = path.split("/")
            self.directories.update("/".join(parts[:n]) + "/" for n in range(1, len(parts)))
        self.asked: list[str] = []

    def stat(self, path: str) -> FileId | int:
        self.asked.append(path)
        path = self.resolve(path)
        found = self.files.get(path)
        if isinstance(found, int):
            return found
        if found is None and path.rstrip("/") + "/" not in self.directories:
            return 2
        return FileId(1, sorted([*self.files, *self.directories, path]).index(path), 1, 1, 1)

    def facts(self, file: FileId) -> ElfFile:
        for path, found in self.files.items():
            if self.stat(path) == file and not isinstance(found, (str, int)):
                return found
        raise AssertionError(file)

    def resolve(self, path: str) -> str:
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                parts.pop()
            elif part != ".":
                parts.append(part)
            link = self.files.get("/".join(parts))
            if isinstance(link, str):
                parts = link.split("/")
        return "/".join(parts)


def host(files: Mapping[str, ElfFile | str | int], glibc: tuple[int, int] = (2, 36), **more: Any) -> Host:
    """A Debian-like x86-64 host with a small libc, ld.so and interpreter; `files` come on top."""
    base: dict[str, ElfFile | str | int] = {
        LDSO: library(exports={"__tls_get_addr": defined("GLIBC_2.3")}, version_definitions=defines("GLIBC_2.3"),
                      dynamic={"soname": "ld-linux-x86-64.so.2"}),
        LIBC: libc("GLIBC_2.2.5", *[f"GLIBC_2.{minor}" for minor in range(3, glibc[1] + 1)]),
        PROGRAM: library(["libc.so.6"], exports={"PyLong_FromLong": defined()}, interpreter=LDSO),
    }  # fmt: skip
    loader = LoaderConfig(path=LDSO, system_dirs=("/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/"),
                          lib="lib/x86_64-linux-gnu", vendor="Debian", execstack_tunable_max=2)  # fmt: skip
    made = Host(
        name="test", kind="rootfs", arch="x86_64", libc=Libc(kind="glibc", version=glibc), files=Shelf({**base, **files}),
        loader=loader, isa_level=3,
    )  # fmt: skip
    return made._replace(**more)


def load(path: str, on: Host, *, process: Process | None = None, lazy: bool = False) -> LinkMap:
    """Dlopen `path` in a fresh interpreter process of `on`."""
    if process is None:
        begun, process = start(on, PROGRAM)
        assert begun.errors == ()
    return dlopen(process, path, on, lazy=lazy)[0]


def only(name: str, needed: Sequence[str] = (), **more: Any) -> dict[str, SharedObject]:
    """A one-file machine: the library `name` under /x."""
    return {f"/x/{name}": library(needed, **more)}
