"""From the plain values of a profile to the facts of a file, each value checked."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from abicheck.model.elf import DynamicInfo, Header, Malformed, MalformedReason, Property, Segment, SharedObject
from abicheck.model.symbols import Definition, Demand, NeededVersion, Reference, VersionDefinition, VersionNeed
from abicheck.read.elf.hashes import sysv_hash
from abicheck.read.elf.machines import EM_X86_64, MACHINES
from abicheck.read.elf.reader import USUAL_IDENT
from abicheck.read.elf.versions import Versions, fill_table
from abicheck.read.hosts.profile.encode import BINDINGS, PLAIN, TYPES, VISIBILITIES
from abicheck.read.hosts.profile.names import homely, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.symbols import Version
    from abicheck.read.hosts.profile.checked import Checked

_KEYS: tuple[str, ...] = (
    "also",
    "size",
    "malformed",
    "errno",
    "header",
    "ident",
    "segments",
    "dynamic",
    "properties",
    "needs",
    "nodes",
    "defines",
)
_KEYS += ("symbol_count", "data", "plt", *PLAIN)
_REASONS: tuple[str, ...] = get_args(MalformedReason)
_REFERENCE = re.compile(r"([^@%]*)(?:@(\d+))?(?:%(\d+)(\?)?(?:/(\d))?)?")
_VERSION = re.compile(r"([^\s:]*):(\d+)(?::(\d+))?")
_JUMP_SLOT, _GLOB_DAT = (7, 1026), (6, 1025)
_MASK32 = 0xFFFFFFFF


def decode(given: Checked) -> ElfFile:
    """The facts that `given` describes. Raises `HostError` that names what makes no sense."""
    given.only(*_KEYS)
    size = given["size"].number()
    if (reason := given.get("malformed")) is not None:
        errno = given.get("errno")
        header = _header(given) if given.get("header") else None
        return Malformed(reason.choice(_REASONS), size, header, errno.number(most=4095) if errno else 0)
    versions = _versions(given)
    header = _header(given)
    plain: dict[str, Any] = {name: _plain(name, each) for name in PLAIN if (each := given.get(name)) is not None}
    references, demand = _references(given, header.machine, versions)
    return SharedObject(
        header=header,
        size=size,
        segments=tuple(_segment(each) for each in given["segments"].items()),
        dynamic=None if (each := given.get("dynamic")) is None else DynamicInfo(**_fields(each, DynamicInfo)),
        properties=Property() if (each := given.get("properties")) is None else Property(**_fields(each, Property)),
        version_needs=tuple(versions.needs),
        version_definitions=tuple(versions.definitions),
        references=references,
        demand=demand,
        definitions=MappingProxyType(_definitions(given, versions)),
        **plain,
    )


def _header(given: Checked) -> Header:
    ident = given.get("ident")
    numbers = _numbers(given["header"], 10, 6)
    if ident is not None and not re.fullmatch("[0-9a-f]{32}", ident.text()):
        ident.fail("16 bytes in hexadecimal digits must stand here")
    return Header(bytes.fromhex(ident.text()) if ident is not None else USUAL_IDENT, *numbers)


def _segment(given: Checked) -> Segment:
    return Segment(*_numbers(given, 16, 7))


def _numbers(given: Checked, base: int, count: int | None = None) -> list[int]:
    """The numbers in a text, `count` of them."""
    try:
        numbers = [int(word, base) for word in given.words()]
    except ValueError:
        numbers = [-1]
    if min(numbers, default=0) < 0 or (count is not None and len(numbers) != count):
        given.fail("whole numbers must stand here" if count is None else f"{count} whole numbers must stand here")
    return numbers


def _plain(name: str, given: Checked) -> object:
    return homely(given.text()) if name == "interpreter" else given.number() if name == "phdr_address" else given.flag()


def _fields(given: Checked, kind: Any) -> dict[str, Any]:
    """The fields of the named tuple `kind`, whose defaults or names tell what a field holds."""
    found: dict[str, Any] = {}
    defaults = kind._field_defaults
    given.only(*kind._fields)
    for name, value in given.fields():
        default = defaults[name]
        if name == "tags":
            found[name] = tuple(_numbers(value, 10))
        elif isinstance(default, bool):
            found[name] = value.flag()
        elif name == "abi_tag":
            found[name] = tuple(each.number(most=_MASK32) for each in value.items())
            if len(found[name]) != 4:
                value.fail("4 whole numbers must stand here")
        elif isinstance(default, tuple):
            found[name] = tuple(map(homely, value.texts()))
        elif name in ("soname", "rpath", "runpath", "build_id"):
            found[name] = homely(value.text())
        else:
            found[name] = value.number()
    return found


def _versions(given: Checked) -> Versions:
    """What is needed and what is defined, and the table of both."""
    found = Versions()
    if (needs := given.get("needs")) is not None:
        for need in needs.items():
            file, *words = need.words() or [""]
            wanted = [NeededVersion(name, _hash(name), flags, index) for name, index, flags in _triples(words, need)]
            found.needs.append(VersionNeed(homely(file), 1, tuple(wanted)))
    if (nodes := given.get("nodes")) is not None:
        for name, index, flags in _triples(nodes.words(), nodes):
            found.definitions.append(VersionDefinition(name, _hash(name), index, flags, 1))
    fill_table(found)
    return found


def _triples(words: list[str], given: Checked) -> Iterator[tuple[str, int, int]]:
    for word in words:
        parts = _VERSION.fullmatch(word)
        if parts is None or max(int(parts[2]), int(parts[3] or 0)) > 0xFFFF:
            given.fail(f"{word!r} is no version like GLIBC_2.2.5:2, a name and its index")
        yield parts[1], int(parts[2]), int(parts[3] or 0)


def _hash(name: str) -> int:
    return sysv_hash(name.encode("utf-8", "surrogateescape"))


def _definitions(given: Checked, versions: Versions) -> dict[str, tuple[Definition, ...]]:
    found: dict[str, tuple[Definition, ...]] = {}
    groups = given.get("defines")
    for kind, names in groups.fields() if groups is not None else ():
        place, definition = _definition(kind, names, versions)
        alone = (definition,)
        try:
            unpacked = unpack(names.words())
        except ValueError as error:
            names.fail(f"{error} repeats more of the name before it than there is")
        for name in unpacked:
            before = found.get(name, ())
            if len(before) != place:
                names.fail(f"{name} stands in two groups that are not one behind the other")
            found[name] = (*before, definition) if before else alone
    return found


def _definition(kind: str, given: Checked, versions: Versions) -> tuple[int, Definition]:
    """The place and the definition that a key like `GLIBC_2.2.5:2 weak object` describes."""
    first, *words = kind.split() or [""]
    triple = next(_triples([first], given))
    version = versions.entry(triple[1])
    if triple[0] != (version.name if version is not None else "-"):
        given.fail(f"the table of versions has {version.name if version else 'nothing'} at index {triple[1]}, not {triple[0]}")
    values: dict[str, Any] = {"binding": 1, "visibility": 0, "type": 2, "behind": 0}
    flags = {"old": False, "plt": False}
    for word in words:
        name, equals, number = word.partition("=")
        if word in flags:
            flags[word] = True
        elif equals and name in values and number.isdecimal() and int(number) < 256:
            values[name] = int(number)
        else:
            known = [(group, key) for group, table in _WORDS.items() for key, each in table.items() if each == word]
            if not known:
                given.fail(f"{word!r} says nothing of a definition")
            values[known[0][0]] = known[0][1]
    place = values.pop("behind")
    return place, Definition(version, triple[1], hidden=flags["old"], undefined=flags["plt"], **values)


_WORDS = {"binding": BINDINGS, "visibility": VISIBILITIES, "type": TYPES}


def _references(given: Checked, machine: int, versions: Versions) -> tuple[tuple[Reference, ...], Demand | None]:
    count = given.get("symbol_count")
    if count is None:
        return (), None
    found: list[tuple[Reference, bool]] = []
    for key, types in (("data", _GLOB_DAT), ("plt", _JUMP_SLOT)):
        words = given.get(key)
        usual = _Usual(machine, types[machine != EM_X86_64], in_plt=key == "plt")
        found += [_reference(word, usual, versions, words) for word in words.words()] if words is not None else []
    symbols: dict[Version | None, set[str]] = {}
    special: list[Reference] = []
    for each, is_special in found:
        if is_special:
            special.append(each)
        elif each.name is not None:
            symbols.setdefault(each.version, set()).add(each.name)
    demanded: Mapping[Version | None, frozenset[str]] = {version: frozenset(names) for version, names in symbols.items()}
    return tuple(each for each, _ in found), Demand(demanded, tuple(special), count.number())


class _Usual(NamedTuple):
    """What a reference has that does not say otherwise: its machine, its relocation type, and the table it stands in."""

    machine: int
    type: int
    in_plt: bool


def _reference(word: str, usual: _Usual, versions: Versions, given: Checked) -> tuple[Reference, bool]:
    """What a word like `malloc@2` asks for, and whether its relocation may fail in ways of its own."""
    parts = _REFERENCE.fullmatch(word)
    known = MACHINES.get(usual.machine)
    if parts is None or known is None or not (parts[1] or parts[3]):
        given.fail(f"{word!r} is no reference like malloc@2, a name and the index of its version")
    version = None
    if parts[2] is not None:
        version = versions.entry(int(parts[2]))
        if version is None or version.hash < 0:
            given.fail(f"{word!r}: there is no version with this index")
    kind = int(parts[3] or usual.type)
    asked = known.kinds.get(kind, "unknown")
    weak, visibility = bool(parts[4]), int(parts[5] or 0)
    found = Reference(parts[1] or None, version, weak, asked, kind, kind in known.plt_class, usual.in_plt, visibility)
    return found, parts[3] is not None
