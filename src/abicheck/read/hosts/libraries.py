"""The libraries of a host that is not here: those of Debian's releases as they are, those of others put together from tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck.model.elf import DynamicInfo, Header, Partial, Property, Segment, SharedObject
from abicheck.model.symbols import Definition, Reference, Version, VersionDefinition
from abicheck.read.elf.hashes import sysv_hash
from abicheck.read.hosts.glibc import exports
from abicheck.read.hosts.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.host import Arch

_MACHINES = {"x86_64": 62, "aarch64": 183}
#: The newest glibc whose symbols the table of glibc holds.
_TABLE_LAST = 44
#: What one node's symbols are, as `type binding visibility hidden index`: a function that unversioned references find.
_DEFAULT, _COMPAT = "2 1 0 0 0", "2 1 0 1 0"
_NUMBERED = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC|ZLIB)_([\d.]+)$")
_RUNTIME = ("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libatomic.so.1", "libz.so.1")


class Build(NamedTuple):
    """One Debian release on one machine: what `libraries` of that `glibc` (2.N) and `gcc` look like, and its loader."""

    arch: Arch
    number: int
    name: str
    glibc: int
    gcc: int
    loader: Mapping[str, Any]
    libraries: Mapping[str, Any]
    links: Mapping[str, str]


class Limits(NamedTuple):
    """How far the libraries of a host go: glibc 2.`glibc`, the highest node of each prefix, as in `GLIBCXX: 3.4.29`.

    `gomp` are the nodes of libgomp. `markers` are the GLIBC_ABI_* nodes that are there; `maybe` holds by soname the nodes that a
    point release may have.
    """

    glibc: int
    highest: tuple[tuple[str, str], ...]
    gomp: frozenset[str]
    markers: tuple[str, ...]
    maybe: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=2)
def _table(arch: Arch) -> dict[str, Any]:
    return unpacked(f"libraries.{arch}.json.z")


@lru_cache(maxsize=2)
def builds(arch: Arch) -> tuple[Build, ...]:
    """The releases whose libraries are known, oldest first. Raises `DataError`."""
    found = []
    for number, each in enumerate(_table(arch)["builds"]):
        gcc = next(int(name.split("-")[1]) for name in each["packages"] if name.startswith("gcc-"))
        known = (each["name"].partition("-")[0], each["glibc"], gcc, each["loader"], each["libraries"], each["links"])
        found.append(Build(arch, number, *known))
    return tuple(found)


@lru_cache(maxsize=64)
def glibc_exports(arch: Arch, glibc: int) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """What the libraries of glibc 2.`glibc` define, by soname and node; those of the newest that is known for a newer one."""
    return exports(arch, min(glibc, _TABLE_LAST))


@lru_cache(maxsize=512)
def _symbols(arch: Arch, number: int, soname: str) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """What one library of one build defines: by name the nodes, each with the kind of the definition."""
    found: dict[str, list[tuple[str, str]]] = {}
    for node, kinds in _table(arch)["symbols"].get(soname, {}).items():
        for kind, groups in kinds.items():
            for numbers, names in groups.items():
                if str(number) in numbers.split():
                    for name in names.split():
                        found.setdefault(name, []).append((node, kind))
    return {name: tuple(each) for name, each in found.items()}


@lru_cache(maxsize=512)
def known(arch: Arch, number: int, file: str, maybe: tuple[str, ...] = ()) -> SharedObject:
    """A library as Debian built it; `maybe` are nodes of it that only some point releases have."""
    shape = builds(arch)[number].libraries[file]
    nodes = [tuple(each) for each in shape["nodes"]]
    symbols = _symbols(arch, number, shape["soname"] or file)
    return _object(arch, shape, nodes, symbols, Partial(nodes=frozenset(maybe)) if maybe else None)


@lru_cache(maxsize=512)
def derived(arch: Arch, number: int, file: str, limits: Limits) -> SharedObject:
    """A library of another distribution, of GCC or of those in `glibc_exports`; `number` is the build that it is like."""
    shape = builds(arch)[number].libraries[file]
    soname = shape["soname"] or file
    # Which libraries have a node of a release that the table does not hold is not known.
    newer = (f"GLIBC_2.{minor}" for minor in range(_TABLE_LAST + 1, limits.glibc + 1))
    maybe = frozenset((*dict(limits.maybe).get(soname, ()), *newer))
    if soname in _RUNTIME:
        return _runtime(arch, number, shape, soname, limits)
    table = glibc_exports(arch, limits.glibc)[soname]
    own = _symbols(arch, number, soname)
    kinds = {(name, node): kind for name, each in own.items() for node, kind in each}
    symbols: dict[str, list[tuple[str, str]]] = {}
    for node in sorted(table, key=_order):
        for name in table[node]:
            kind = kinds.get((name, node))
            older = symbols.setdefault(name, [])
            if kind is None or kind == _DEFAULT:
                older[:] = [(other, _COMPAT if known_as == _DEFAULT else known_as) for other, known_as in older]
            older.append((node, kind or _DEFAULT))
    template = [each[0] for each in shape["nodes"]]
    names = {name for name in (*template, *table) if _is_there(name, limits) and not name.startswith("GLIBC_ABI_")}
    names |= set(limits.markers) if soname == "libc.so.6" else set()
    private = frozenset({"GLIBC_PRIVATE"} & set(template))
    return _object(
        arch,
        {**shape, "special": [each for each in shape["special"] if each[0] is None]},
        _numbered(soname, sorted(names - {soname}, key=_order)),
        {name: tuple(each) for name, each in symbols.items()},
        Partial(maybe, private),
    )


def _runtime(arch: Arch, number: int, shape: Mapping[str, Any], soname: str, limits: Limits) -> SharedObject:
    """A library of GCC: what has no newer node than the distribution's."""
    names = [each[0] for each in shape["nodes"]]
    kept = {name for name in names if _is_there(name, limits)}
    if soname == "libgomp.so.1":
        kept = {name for name in names if name in limits.gomp or name == soname}
    fitting = {"", *kept}
    symbols = {
        name: found
        for name, each in _symbols(arch, number, soname).items()
        if (found := each if len(each) == 1 and each[0][0] in fitting else tuple(one for one in each if one[0] in fitting))
    }
    nodes = [tuple(each) for each in shape["nodes"] if each[0] in kept]
    return _object(arch, shape, nodes, symbols, Partial(by_node=True))


def _is_there(node: str, limits: Limits) -> bool:
    found = _NUMBERED.fullmatch(node)
    if found is None:
        return True
    highest = {**dict(limits.highest), "GLIBC": f"2.{limits.glibc}"}.get(found[1])
    return highest is None or _numbers(found[2]) <= _numbers(highest)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _order(node: str) -> tuple[int, tuple[int, ...], str]:
    found = _NUMBERED.fullmatch(node)
    return (0, _numbers(found[2]), node) if found else (1, (), node)


def _numbered(soname: str, nodes: Iterable[str]) -> list[tuple[Any, ...]]:
    return [(soname, 1, 1), *((name, index, 0) for index, name in enumerate(nodes, 2))]


def _hash(name: str) -> int:
    return sysv_hash(name.encode())


class _Definitions(Mapping[str, tuple[Definition, ...]]):
    """The definitions of a library, each made when somebody asks for it."""

    def __init__(self, symbols: Mapping[str, tuple[tuple[str, str], ...]], versions: Mapping[str, tuple[int, Version]]) -> None:
        self._symbols = symbols
        self._versions = versions
        self._made: dict[tuple[str, str], Definition] = {}

    def __getitem__(self, name: str) -> tuple[Definition, ...]:
        return tuple(self._definition(each) for each in self._symbols[name])

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dictionary, without the exception that `Mapping` would catch."""
        return self[name] if name in self._symbols else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._symbols)

    def __len__(self) -> int:
        return len(self._symbols)

    def _definition(self, key: tuple[str, str]) -> Definition:
        found = self._made.get(key)
        if found is None:
            node, text = key
            symbol, binding, visibility, hidden, own = map(int, text.split())
            index, version = self._versions.get(node, (own, None))
            found = self._made[key] = Definition(version, index, bool(hidden), binding, visibility, symbol)
        return found


def _object(
    arch: Arch,
    shape: Mapping[str, Any],
    nodes: Iterable[tuple[Any, ...]],
    symbols: Mapping[str, tuple[tuple[str, str], ...]],
    partial: Partial | None,
) -> SharedObject:
    kind, phoff, ident = shape["header"]
    segments = tuple(Segment(*each) for each in shape["segments"])
    definitions = tuple(VersionDefinition(name, _hash(name), index, flags, 1) for name, index, flags in nodes)
    versions = {each.name: (each.index, Version(each.name, each.hash)) for each in definitions if not each.flags & 1}
    return SharedObject(
        header=Header(bytes.fromhex(ident), kind, _MACHINES[arch], 1, phoff, 56, len(segments)),
        size=shape["size"],
        segments=segments,
        interpreter=shape["interpreter"],
        dynamic=DynamicInfo(
            needed=tuple(shape["needed"]),
            soname=shape["soname"],
            flags=shape["flags"][0],
            flags_1=shape["flags"][1],
            bind_now=shape["bind_now"],
            has_relr=False,  # its own relocations are no matter: it was applied where the library was made
            has_gnu_hash=True,
            has_versym=shape["versions"],
            has_verdef=bool(definitions),
        ),
        properties=Property(x86_isa_needed=shape["isa"], abi_tag=tuple(shape["tag"]) if shape["tag"] else None),
        version_definitions=definitions,
        versions_in_use=shape["versions"],
        references=tuple(_reference(*each) for each in shape["special"]),
        definitions=_Definitions(symbols, versions),
        phdr_address=shape["phdr"],
        partial=partial,
    )


def _reference(name: str | None, version: list[Any] | None, kind: Any, number: int, weak: bool, plt: bool) -> Reference:  # noqa: FBT001 -- as in the table
    wanted = Version(version[0], _hash(version[0]), version[1]) if version else None
    return Reference(name, wanted, weak, kind, number, plt, in_plt=False)
