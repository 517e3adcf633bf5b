"""A distribution that is not here, as a host: with its Python, and with what is not known of it."""

from __future__ import annotations

import hashlib
import posixpath
import re
import zlib
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from abicheck.errors import DataError, HostError
from abicheck.model.host import Assumption, Host, Interpreter, LoaderConfig
from abicheck.read.files import Entry, Memory, Root
from abicheck.read.hosts import catalogue, musl
from abicheck.read.hosts.cpu import Cpu, baseline, legacy_subdirs
from abicheck.read.hosts.libraries import Limits, builds, derived, glibc_exports, known
from abicheck.read.hosts.machine import Machine, environment, root_assumptions
from abicheck.read.hosts.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.elf import SharedObject
    from abicheck.read.files import FactStore
    from abicheck.read.hosts import Wanted
    from abicheck.read.hosts.libraries import Build

_LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
_ON_X86_ONLY = {"GLIBC_ABI_GNU2_TLS", "GLIBC_ABI_DT_X86_64_PLT"}
_MEMORY = 1 << 34
_KERNEL = (5, 10, 0)
#: Libraries that are often on a system and not in the base of any Debian release.
_COMMON = (
    "libcrypt.so.2",
    "libffi.so.6",
    "libffi.so.7",
    "libffi.so.8",
    "libexpat.so.1",
    "libsqlite3.so.0",
    "libnsl.so.2",
    "libnsl.so.3",
)
#: Libraries of GCC, zlib and libxcrypt, which are no part of glibc.
_RUNTIMES = ("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libatomic.so.1", "libcrypt.so.1", "libz.so.1")
_VERSION = re.compile(r"(\d+)\.(\d+)(t?)")


def open_distribution(spec: str, wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host | None:
    """The host that a name from the catalogue means, None for any other name.

    Raises `UsageError` for a wrong qualifier, `HostError` for a Python that this image has not, `DataError`.
    """
    named = catalogue.find(spec)
    if named is None:
        return None
    found = named.distribution
    interpreter = _interpreter(named, wanted)
    if spec not in store.systems:  # it is the same whatever the Python
        system = musl.system(named) if found.musl else _system(named)
        directories = ["/usr/local/bin", "/usr/bin", *system.directories, *_own_directories(named)]
        identity = zlib.crc32(repr((found, named.arch)).encode())
        store.systems[spec] = system, Root(Memory(system.entries, identity, directories), store)
    system, files = store.systems[spec]
    machine = Machine(found.kernel or _KERNEL, named.page, _MEMORY, _cpu(named), own=False)
    packages = Assumption("packages", f"those of the base image{f' {found.image}' if found.image else ''} and no others")
    return Host(
        name=spec,
        kind="distribution",
        arch=named.arch,
        libc=found.libc,
        files=files,
        loader=system.loader,
        kernel=machine.kernel,
        page_size=named.page,
        memory=_MEMORY,
        isa_level=named.level,
        environment=environment(settings, {}),
        python=interpreter,
        assumptions=(*root_assumptions(machine, settings), packages, *system.assumptions),
        uncertain=system.uncertain,
        unread=found.unread,
        any_python=not found.fixed,
    )


def _system(named: catalogue.Named) -> System:
    """What glibc and the libraries beside it are there."""
    build = _like(named)
    files = dict(_files(named, build))
    links = {"/lib": "usr/lib", "/lib64": "usr/lib64", "/bin": "usr/bin", "/sbin": "usr/sbin"}
    return System(
        entries={**{path: Entry(link=target) for path, target in links.items()}, **files},
        directories=("/usr/lib64",),
        loader=_loader(named, build),
        uncertain=_uncertain(named, {path.rpartition("/")[2] for path in files}),
        assumptions=tuple(_assumptions(named, build)),
    )


def _like(named: catalogue.Named) -> Build:
    """The Debian release itself, or the one whose glibc is built most alike: 2.34 made most of its libraries empty."""
    known_builds = builds(named.arch)
    if named.distribution.build is not None:
        found = next((each for each in known_builds if each.name == named.distribution.build), None)
        if found is None:
            raise DataError(f"builds: no {named.distribution.build}; install abicheck anew", f"libraries.{named.arch}.json.z")
        return found
    glibc = named.distribution.glibc
    alike = [each for each in known_builds if (each.glibc >= 34) == (glibc >= 34)]
    return next((each for each in alike if each.glibc >= glibc), alike[-1])


def _limits(named: catalogue.Named) -> Limits:
    found = named.distribution
    highest = {**found.highest, "GCC": found.highest["GCC"][named.arch]}
    others = set() if named.arch == "x86_64" else _ON_X86_ONLY
    maybe: dict[str, tuple[str, ...]] = {}
    for key, nodes in found.maybe.items():
        soname, _, arch = key.partition(" ")
        if arch in ("", named.arch):
            soname = posixpath.basename(_LOADERS[named.arch]) if soname == "ld-linux" else soname
            maybe[soname] = (*maybe.get(soname, ()), *(node for node in nodes if node not in others))
    return Limits(
        glibc=found.glibc,
        highest=tuple(sorted((prefix, version) for prefix, version in highest.items() if version)),
        gomp=frozenset(found.gomp),
        markers=tuple(each for each in found.markers if each not in others),
        maybe=tuple(sorted(maybe.items())),
    )


def _files(named: catalogue.Named, build: Build) -> Iterator[tuple[str, Entry]]:
    """Every library at its path: a release's own where they are known, else those that all of its kind have."""
    found, family, limits = named.distribution, named.distribution.family, _limits(named)
    directory = "/usr/" + family.dirs[0].format(triplet=f"{named.arch}-linux-gnu").strip("/").removeprefix("usr/")
    absent = family.absent - found.also
    for file, shape in build.libraries.items():
        soname = shape["soname"] or file
        load = None if absent & {soname, file} else _load_of(named, build, file, soname, limits)
        if load is not None:
            entry = Entry(size=shape["size"], load=load, content=_content(load.func.__name__, load.args))
            yield f"{directory}/{soname}", entry
            if found.build is not None and file != soname:
                yield f"{directory}/{file}", entry
    loader = _LOADERS[named.arch]
    if directory != posixpath.dirname("/usr" + loader):
        yield "/usr" + loader, Entry(link=f"{directory}/{posixpath.basename(loader)}")
    sonames = {shape["soname"] for shape in build.libraries.values()}
    for name, target in build.links.items() if found.build is not None else ():
        if name not in sonames and not absent & {build.libraries[target]["soname"], name}:
            yield f"{directory}/{name}", Entry(link=target)


@lru_cache(maxsize=1 << 12)
def _content(made_by: str, of: tuple[object, ...]) -> int:
    """A number for what `made_by` makes of these, so that one library of two hosts is known for the same."""
    plain = (
        sorted(each) if isinstance(each, frozenset) else each
        for item in of
        for each in (item if isinstance(item, Limits) else [item])
    )
    return int.from_bytes(hashlib.blake2b(repr((made_by, *plain)).encode(), digest_size=8).digest(), "big")


def _load_of(named: catalogue.Named, build: Build, file: str, soname: str, limits: Limits) -> partial[SharedObject] | None:
    """What makes the facts of one library, None where it is not known to be there."""
    found, family = named.distribution, named.distribution.family
    if found.build is not None:
        return partial(known, named.arch, build.number, file, dict(limits.maybe).get(soname, ()))
    if soname not in _RUNTIMES:
        there = soname in glibc_exports(named.arch, found.glibc)
        own = tuple(each for each in limits.maybe if each[0] == soname)
        markers = limits.markers if soname == "libc.so.6" else ()
        own_limits = Limits(limits.glibc, (), frozenset(), markers, own)  # no more, so that hosts share it
        return partial(derived, named.arch, build.number, file, own_limits) if there else None
    if soname not in family.certain | found.also:
        return None
    if soname == "libcrypt.so.1":
        return partial(known, named.arch, build.number, file)
    template = _runtime_build(named)
    return partial(derived, named.arch, template.number, _file_of(template, soname), limits)


def _runtime_build(named: catalogue.Named) -> Build:
    """The oldest release whose libstdc++ has all that the distribution's has."""
    wanted = int(named.distribution.highest["GLIBCXX"].split(".")[2])
    newest = {10: 28, 12: 30, 14: 33, 16: 36}
    return next((each for each in builds(named.arch) if newest.get(each.gcc, 0) >= wanted), builds(named.arch)[-1])


def _file_of(build: Build, soname: str) -> str:
    return next(file for file, shape in build.libraries.items() if (shape["soname"] or file) == soname)


def _loader(named: catalogue.Named, build: Build) -> LoaderConfig:
    found, family, triplet = named.distribution, named.distribution.family, f"{named.arch}-linux-gnu"
    exact = found.build is not None
    cpu = _cpu(named)
    levels = [f"glibc-hwcaps/x86-64-v{level}/" for level in range(named.level, 1, -1)] if found.glibc >= 33 else []
    execstack = 2 if found.glibc >= 42 else int(found.glibc == 41)
    return LoaderConfig(
        path=_LOADERS[named.arch],
        system_dirs=tuple(each.format(triplet=triplet) for each in family.dirs),
        lib=family.lib.format(triplet=triplet),
        platform=cpu.platform,
        hwcap_subdirs=(*levels, *legacy_subdirs(cpu, named.arch, (2, found.glibc))),
        min_kernel=(3, 7, 0) if named.arch == "aarch64" else (3, 2, 0) if found.glibc >= 24 else (2, 6, 32),
        execstack_tunable_max=build.loader["execstack"] if exact else execstack,
        tunables=frozenset(build.loader["tunables"]) if exact else None,
        vendor=family.vendor,
    )


def _cpu(named: catalogue.Named) -> Cpu:
    cpu = baseline(named.arch)
    return (
        cpu if named.arch == "aarch64" else cpu._replace(level=named.level, platform="haswell" if named.level > 2 else "x86_64")
    )


def _interpreter(named: catalogue.Named, wanted: Wanted) -> Interpreter:
    """The distribution's own Python or, since people bring theirs, any other; an image's is what it is."""
    found, asked = named.distribution, wanted.python
    version = _VERSION.search(posixpath.basename(asked)) if asked else None
    if asked and version is None:
        raise HostError(f"no version can be told from {asked!r}; give --python X.Y")
    own = found.python or (3, 12)
    chosen = (int(version[1]), int(version[2])) if version else own
    threads = bool(version and version[3])
    if found.fixed and (chosen != found.python or threads):
        raise HostError(f"its Python is {'.'.join(map(str, own))}; leave out --python, or name another image")
    name = f"python{chosen[0]}.{chosen[1]}{'t' if threads else ''}"
    if asked and asked.startswith("/"):
        path = asked
    elif found.path:
        path = posixpath.join(posixpath.dirname(found.path), name)
    else:
        path = f"/usr/bin/{name}" if chosen == found.python and not threads else f"/usr/local/bin/{name}"
    return Interpreter(path, chosen, at_hand=False, free_threaded=threads)


def _own_directories(named: catalogue.Named) -> list[str]:
    """What tells where the own Python's packages lie."""
    found = named.distribution
    if found.family.vendor in ("Debian", "Ubuntu"):
        return ["/usr/lib/python3/dist-packages"] if not found.fixed or found.path == "/usr/bin/python3" else []
    if found.python is None or found.fixed or found.family.lib != "lib64":
        return []
    return [f"/usr/lib64/python{found.python[0]}.{found.python[1]}/lib-dynload"]


def _uncertain(named: catalogue.Named, present: set[str]) -> frozenset[str]:
    """What a base image may have: all that some release of Debian has in its base and that is not known to be absent."""
    found = named.distribution
    names = set(found.uncertain)
    if found.build is None or found.more:
        for build in builds(named.arch):
            names |= {*build.libraries, *build.links}
        names |= {*_COMMON, *(["*"] if found.more else [])}
    return frozenset(names - present - (found.family.absent - found.also))


def _assumptions(named: catalogue.Named, build: Build) -> Iterator[Assumption]:
    found = named.distribution
    if found.build is None:
        highest = found.highest["GLIBCXX"]
        yield Assumption(
            "runtime-libraries", f"libstdc++ up to GLIBCXX_{highest}, like libz, as others build it: bound by version node"
        )
    elif found.build == build.name:
        mixed = f": {found.source['libraries']}" if "libraries" in found.source else ""
        yield Assumption("point-release", f"libraries as in Debian's packages of 2026-11{mixed}")
