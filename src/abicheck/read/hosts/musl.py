"""A distribution with musl: the symbols of each release of that (made by tools/make_musl_table.py), and what is beside it."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.elf import DynamicInfo, Header, Partial, Segment, SharedObject
from abicheck.model.host import Assumption, LoaderConfig
from abicheck.model.symbols import Definition
from abicheck.read.files import Entry
from abicheck.read.hosts.cpu import baseline
from abicheck.read.hosts.libraries import Limits, builds, derived
from abicheck.read.hosts.packed import unpacked
from abicheck.read.hosts.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.host import Arch
    from abicheck.read.hosts.catalogue import Named

_FILE = "musl.json.z"
_MACHINES = {"x86_64": 62, "aarch64": 183}
_PT_LOAD, _PT_DYNAMIC, _ET_DYN = 1, 2, 3


class Exports(NamedTuple):
    """What one musl defines: by name the type and the binding of a symbol, and the names that it may define or not."""

    certain: Mapping[str, tuple[int, int]]
    maybe: frozenset[str]


@lru_cache(maxsize=32)
def exports(arch: Arch, releases: tuple[str, ...]) -> Exports:
    """What the musl of a distribution defines, which is of one release, or from the first to the last of `releases`.

    It has what upstream released, and may have what a later one of these does or what a distribution adds to any of them. Raises
    `DataError`.
    """
    table = unpacked(_FILE)
    first, last = _numbers(releases[0]), _numbers(releases[-1])
    there = {str(at) for at, each in enumerate(table["builds"]) if (each["release"], each["by"]) == (releases[0], "upstream")}
    like = {str(at) for at, each in enumerate(table["builds"]) if first <= _numbers(each["release"]) <= last}
    certain: dict[str, tuple[int, int]] = {}
    maybe: set[str] = set()
    for kind, groups in table["arches"][arch].items():
        symbol_type, binding = map(int, kind.split())
        for numbers, names in groups.items():
            if there & set(numbers.split()):
                certain |= dict.fromkeys(names.split(), (symbol_type, binding))
            elif like & set(numbers.split()):
                maybe |= set(names.split())
    return Exports(certain, frozenset(maybe - set(certain)))


@lru_cache(maxsize=32)
def library(arch: Arch, releases: tuple[str, ...], maybe: tuple[str, ...] = ()) -> SharedObject:
    """The C library, which is the loader; `maybe` are further names that may be found or not."""
    known = exports(arch, releases)
    segments = (
        Segment(_PT_LOAD, 5, 0, 0, 0x1000, 0x1000, 0x10000),
        Segment(_PT_LOAD, 6, 0x1000, 0x11000, 0x800, 0x900, 0x10000),
        Segment(_PT_DYNAMIC, 6, 0x1000, 0x11000, 0x200, 0x200, 8),
    )
    kinds = {
        kind: (Definition(None, 1, hidden=False, binding=kind[1], visibility=0, type=kind[0]),)
        for kind in set(known.certain.values())
    }
    return SharedObject(
        header=Header(b"\x7fELF\2\1\1" + bytes(9), _ET_DYN, _MACHINES[arch], 1, 64, 56, len(segments)),
        size=0x1800,
        segments=segments,
        dynamic=DynamicInfo(has_gnu_hash=True),
        definitions={name: kinds[kind] for name, kind in known.certain.items()},
        partial=Partial(names=known.maybe | set(maybe)),
    )


def system(named: Named) -> System:
    """What musl and the libraries beside it are there; what is not named is not there."""
    found = named.distribution
    return System(
        entries=dict(_files(named)),
        directories=("/usr/lib", "/usr/local/lib"),
        loader=LoaderConfig(path=_loader(named), system_dirs=found.family.dirs, platform=baseline(named.arch).platform),
        uncertain=found.uncertain - found.family.absent,
        assumptions=(
            Assumption(
                "runtime-libraries", f"libz has the symbols of ZLIB_{found.highest['ZLIB']} and older, as others build it"
            ),
            Assumption(
                "point-release", f"musl {' to '.join(found.musl)} as upstream released it, but for symbols that are added"
            ),
        ),
    )


def _loader(named: Named) -> str:
    return f"/lib/ld-musl-{named.arch}.so.1"


def _files(named: Named) -> Iterator[tuple[str, Entry]]:
    found, arch = named.distribution, named.arch
    load = partial(library, arch, found.musl, found.maybe.get("libc", ()))
    yield _loader(named), Entry(size=load().size, load=load)
    yield f"/lib/libc.musl-{arch}.so.1", Entry(link=_loader(named).rpartition("/")[2])
    build = builds(arch)[-1]
    limits = Limits(0, tuple(found.highest.items()), frozenset(), (), ())
    for file, shape in build.libraries.items():
        if shape["soname"] in found.family.certain:
            yield f"/lib/{shape['soname']}", Entry(size=shape["size"], load=partial(derived, arch, build.number, file, limits))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
