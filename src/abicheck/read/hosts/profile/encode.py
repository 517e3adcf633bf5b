"""The facts of a file as plain values for JSON. Whether they say all is for whoever decodes them again to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.elf.reader import USUAL_IDENT
from abicheck.read.hosts.profile.names import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.elf import DynamicInfo, ElfFile, Header
    from abicheck.model.symbols import Definition, Reference, VersionNeed

#: Words for the usual numbers; any other number stands as such.
BINDINGS = {0: "local", 1: "", 2: "weak", 10: "unique"}
TYPES = {0: "notype", 1: "object", 2: "", 5: "common", 6: "tls", 10: "ifunc"}
VISIBILITIES = {0: "", 1: "internal", 2: "hidden", 3: "protected"}
#: Facts of a `SharedObject` that are plain numbers, texts or flags.
PLAIN = ("foreign", "interpreter", "versions_in_use", "bad_relative_count", "phdr_address")


def encode(facts: ElfFile) -> dict[str, Any]:
    """All that a loader looks at in `facts`, defaults left out."""
    if isinstance(facts, Malformed):
        found = {"malformed": facts.reason, "errno": facts.errno, **({} if facts.header is None else _header(facts.header))}
        return {key: value for key, value in found.items() if value or key == "malformed"}
    defaults = SharedObject._field_defaults
    found = {name: getattr(facts, name) for name in PLAIN if getattr(facts, name) != defaults[name]}
    found |= _header(facts.header)
    found["segments"] = [" ".join(map(hex, segment)) for segment in facts.segments]
    if facts.dynamic is not None:
        found["dynamic"] = _dynamic(facts.dynamic)
    properties = _changed(facts.properties)
    if properties:
        found["properties"] = properties
    if facts.version_needs:
        found["needs"] = [_need(each) for each in facts.version_needs]
    if facts.version_definitions:
        nodes = facts.version_definitions
        found["nodes"] = " ".join(f"{node.name}:{node.index}" + f":{node.flags}" * bool(node.flags) for node in nodes)
    defines = _defines(facts)
    if defines:
        found["defines"] = defines
    found |= _references(facts)
    return found


def _header(header: Header) -> dict[str, Any]:
    found: dict[str, Any] = {"header": " ".join(map(str, header[1:]))}
    if header.ident != USUAL_IDENT:
        found["ident"] = header.ident.hex()
    return found


def _changed(value: Any) -> dict[str, Any]:
    """The fields of a named tuple that are not at their default."""
    defaults = value._field_defaults
    return {
        name: list(each) if isinstance(each, tuple) else each for name, each in value._asdict().items() if each != defaults[name]
    }


def _dynamic(dynamic: DynamicInfo) -> dict[str, Any]:
    return _changed(dynamic) | {"tags": " ".join(map(str, dynamic.tags))}


def _need(need: VersionNeed) -> str:
    """As in `libc.so.6 GLIBC_2.4:3`: a file, and each version's name and index, and its flags if there are any."""
    return " ".join([need.file, *(f"{each.name}:{each.index}" + f":{each.flags}" * bool(each.flags) for each in need.versions)])


def _defines(facts: SharedObject) -> dict[str, str]:
    """Names by what their definitions have in common."""
    groups: dict[tuple[int, Definition], list[str]] = {}
    for name, definitions in facts.definitions.items():
        for place, definition in enumerate(definitions):
            groups.setdefault((place, definition), []).append(name)
    in_order = sorted(groups.items(), key=lambda each: (each[0][0], each[0][1].index, *each[0][1][2:7]))
    return {_kind(place, definition): pack(names) for (place, definition), names in in_order}


def _kind(place: int, definition: Definition) -> str:
    """As in `GLIBC_2.2.5:2 weak object`: version and index, then all that is not usual, then the place behind others."""
    words = [f"{definition.version.name if definition.version else '-'}:{definition.index}"]
    words += ["old"] if definition.hidden else []
    words += _word(BINDINGS, "binding", definition.binding)
    words += _word(VISIBILITIES, "visibility", definition.visibility)
    words += _word(TYPES, "type", definition.type)
    words += ["plt"] if definition.undefined else []
    words += [f"behind={place}"] if place else []
    return " ".join(words)


def _word(known: dict[int, str], name: str, value: int) -> list[str]:
    word = known.get(value, f"{name}={value}")
    return [word] if word else []


def _references(facts: SharedObject) -> dict[str, Any]:
    """What has to be found elsewhere, in the order in which the loader meets it; what the object itself has is left out."""
    demand = facts.demand
    if demand is None:
        return {}
    special = set(demand.special)
    indices = {each: index for index, each in _table(facts)}
    kept: dict[bool, list[str]] = {False: [], True: []}
    for each in facts.references:
        if each in special or (not each.weak and each.name in demand.symbols.get(each.version, ())):
            kept[each.in_plt].append(_reference(each, indices, special=each in special))
    found: dict[str, Any] = {"symbol_count": demand.symbol_count}
    found |= {key: " ".join(dict.fromkeys(words)) for key, words in (("data", kept[False]), ("plt", kept[True])) if words}
    return found


def _table(facts: SharedObject) -> Iterator[tuple[int, tuple[str, str | None]]]:
    for need in facts.version_needs:
        yield from ((each.index & 0x7FFF, (each.name, need.file)) for each in need.versions)
    yield from ((each.index & 0x7FFF, (each.name, None)) for each in facts.version_definitions)


def _reference(reference: Reference, indices: dict[tuple[str, str | None], int], *, special: bool) -> str:
    """As in `malloc@2`, where 2 is the version's index; a special one with its type and what else there is to it."""
    version = reference.version
    word = reference.name or ""
    if version is not None:
        word += f"@{indices[version.name, version.file]}"
    if special:
        word += f"%{reference.type}" + "?" * reference.weak + f"/{reference.visibility}" * bool(reference.visibility)
    return word


def size_of(encoded: Iterable[Any]) -> int:
    """About how many bytes these values take in a profile."""
    import json  # noqa: PLC0415 -- for what saves a profile only

    return sum(len(json.dumps(each, separators=(",", ":"), ensure_ascii=False)) for each in encoded)
