"""A host from a tree of files: its interpreter's loader, and what that loader and its C library say about themselves."""

from __future__ import annotations

import os
import posixpath
import struct
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError
from abicheck.model.host import Libc, LoaderConfig
from abicheck.read.hosts import ldso
from abicheck.read.hosts.cpu import legacy_subdirs
from abicheck.read.hosts.ldcache import CacheReader, parse_cache
from abicheck.read.hosts.machine import this_machine

if TYPE_CHECKING:
    from abicheck.model.host import Arch, Interpreter, LibcKind
    from abicheck.read.files import Disk, Root
    from abicheck.read.hosts.cpu import Cpu
    from abicheck.read.hosts.machine import Machine

KNOWN_LOADERS = (
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
)

_ARCHES: dict[int, Arch] = {62: "x86_64", 183: "aarch64"}
_OTHER_MACHINES = {3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 243: "riscv", 258: "loongarch"}
_ELFCLASS64 = 2
_ELFDATA2LSB = 1
_PT_INTERP = 3

# Of the header the identification, e_machine, e_phoff, e_phentsize and e_phnum; of a segment p_type, p_offset and p_filesz. The
# whole reader of ELF files is not asked: what a run stored can be trusted again in less time than it takes to load it.
_HEADER = struct.Struct("<16s2xH12xQ14xHH")
_SEGMENT = struct.Struct("<I4xQ16xQ")
_PROGRAM_HEADERS = 1 << 16


class Tree(NamedTuple):
    """What a tree of files tells about the machine that starts from it, and that machine."""

    arch: Arch
    machine: Machine
    libc: Libc
    loader: LoaderConfig


def read_tree(files: Disk | Root, interpreter: Interpreter, libc: LibcKind | None = None, machine: Machine | None = None) -> Tree:
    """The loader and the C library of the interpreter in `files`; for one that is not there those of `libc`, else the first.

    They run on `machine`, by default this one.
    """
    python = interpreter.path
    arch, path = _program(files, python) if interpreter.at_hand else _known_loader(files, libc)
    machine = machine or this_machine(arch)
    data = files.read(path)
    if data is None:
        raise HostError(f"no C library: {python} asks for the loader {path}, which is not there; give a root with its C library")
    musl = ldso.parse_musl_version(data)
    if musl is not None:
        return Tree(arch, machine, Libc(kind="musl", version=musl), _musl(files, path, arch, machine.cpu))
    built_in = ldso.parse_glibc_loader(data)
    banner = None if built_in is None else _banner(files, built_in.system_dirs, path)
    if built_in is None or banner is None:
        raise HostError(f"{path} belongs to no C library that abicheck knows (glibc, musl); use a root of one of these")
    return Tree(arch, machine, Libc(kind="glibc", version=banner.version), _glibc(files, path, arch, machine, built_in, banner))


def _glibc(
    files: Disk | Root, path: str, arch: Arch, machine: Machine, built_in: ldso.Glibc, banner: ldso.Banner
) -> LoaderConfig:
    cpu = machine.cpu
    named = tuple(each for each in built_in.hwcaps if int(each[-1]) <= cpu.level)
    reader = CacheReader(
        arch=arch,
        version=banner.version,
        kernel=machine.kernel,
        cpu=cpu,
        named=named,
        knows_named=banner.version >= (2, 33) or bool(built_in.hwcaps),
    )
    cache = files.read("/etc/ld.so.cache")
    return LoaderConfig(
        path=path,
        system_dirs=built_in.system_dirs,
        lib=built_in.lib,
        platform=cpu.platform,
        hwcap_subdirs=(*(f"glibc-hwcaps/{each}/" for each in named), *legacy_subdirs(cpu, arch, banner.version)),
        cache=None if cache is None else parse_cache(cache, reader),
        min_kernel=banner.min_kernel,
        execstack_tunable_max=built_in.execstack_tunable_max,
        tunables=built_in.tunables,
        vendor=banner.vendor,
        preload=_preload_file(files.read("/etc/ld.so.preload")),
    )


def machine_name(number: int, elf_class: int, data: int) -> str:
    """The machine that a file is for, as in `x86_64`; the 32-bit and big-endian kinds of one are others."""
    name = _ARCHES.get(number) or _OTHER_MACHINES.get(number) or f"machine {number}"
    if number in _ARCHES and (elf_class, data) != (_ELFCLASS64, _ELFDATA2LSB):
        return f"{name} (ELF class {elf_class}, data {data})"
    return name


def _program(files: Disk | Root, path: str) -> tuple[Arch, str]:
    """Architecture and PT_INTERP of the interpreter."""
    data = files.read(path, _PROGRAM_HEADERS) or b""
    if data[:4] != b"\x7fELF" or len(data) < _HEADER.size:
        raise HostError(f"{path} is no ELF program; name the Python itself with --python, not a script that starts it")
    ident, number, table, size, count = _HEADER.unpack_from(data)
    arch = _ARCHES.get(number)
    machine = machine_name(number, ident[4], ident[5])
    if arch is None or arch != machine:
        raise HostError(f"{path} is built for {machine}; abicheck knows x86_64 and aarch64 hosts, so give one of these")
    for index in range(count):
        if table + index * size + _SEGMENT.size > len(data):
            break
        kind, offset, length = _SEGMENT.unpack_from(data, table + index * size)
        if kind == _PT_INTERP:
            return arch, os.fsdecode(data[offset : offset + length].partition(b"\0")[0])
    raise HostError(f"{path} is statically linked and loads no libraries; name another Python with --python")


def _known_loader(files: Disk | Root, libc: LibcKind | None) -> tuple[Arch, str]:
    """The first loader (of `libc`, if it is given) that is there under its usual path."""
    for path in KNOWN_LOADERS:
        if libc in (None, "musl" if "musl" in path else "glibc") and not isinstance(files.stat(path), int):
            return ("aarch64" if "aarch64" in path else "x86_64"), path
    raise HostError(f"no C library in it (none of {', '.join(KNOWN_LOADERS)}); give an unpacked root file system")


def _banner(files: Disk | Root, directories: tuple[str, ...], loader: str) -> ldso.Banner | None:
    """The banner of the libc.so.6 that this loader finds first."""
    for directory in (*directories, posixpath.dirname(files.resolve(loader)) + "/"):
        data = files.read(directory + "libc.so.6")
        if data is not None:
            return ldso.parse_glibc_banner(data)
    return None


def _musl(files: Disk | Root, path: str, arch: Arch, cpu: Cpu) -> LoaderConfig:
    """A musl loader searches the directories of its path file, which stands two directories above its loader (ldso/dynlink.c)."""
    prefix = posixpath.dirname(posixpath.dirname(path)).rstrip("/")
    paths = files.read(f"{prefix}/etc/ld-musl-{arch}.path")
    return LoaderConfig(path=path, system_dirs=ldso.musl_dirs(paths), platform=cpu.platform)


def _preload_file(data: bytes | None) -> tuple[str, ...]:
    """The names in /etc/ld.so.preload: blanks and colons separate, `#` starts a comment (`dl_main`, elf/rtld.c)."""
    text = "" if data is None else data.decode("utf-8", "surrogateescape")
    return tuple(" ".join(line.partition("#")[0].replace(":", " ") for line in text.splitlines()).split())
