"""The corpus: one small case for each rule of the loader, described in TOML and made without a compiler.

A case opens with a comment, the rule and its source, and holds

    open          a path or a list of them, opened one after the other in one process
    says          what the loader says to each of them: a text, "loads", "signal: SIGBUS" and the like; a table gives it from a
                  version of glibc on: {"2.17" = "loads", "2.41" = "..."}
    environment   variables of the loader
    directory     the working directory, where it matters
    arch          the one machine that the rule is about
    system        true where it loads a library of the host, or starts with a tunable, which is not to be had of another glibc
    crashes_before    the glibc before which the process dies in a constructor, beyond what a loader can be asked
    files         by path: `link`, `text` or `directory`, else the fields of a shared object

In every text {folder} is the folder of the case. Fields of a shared object are those of `tests.elfwriter.Elf` and

    exports       symbols that it defines: "f", "f@@V" (default version), "f@V", or {name = "f", binding = "weak", ...}
    references    relocations: "f" or {name = "f@V", file = "libf.so", kind = "jump_slot", offset = 64, ...}
    mentions      undefined symbols that no relocation names
    tls           size and alignment of its thread-local variables
    stack         the flags of PT_GNU_STACK, as in "RWE", or "absent"
    flags         names of DT_FLAGS, flags_1 those of DT_FLAGS_1
    isa, abi_tag  notes
    machine       "other" for a machine that is not this one
    patches       bytes written over the file, {at = 4, hex = "01"}, or 64 bits of an offset, {at = 40, place = "end"}; offsets
                  are numbers or count from what is in `Elf.layout`, as in "verneed+2"
    append, cut   so many bytes added at its end; the offset at which it ends
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import elfparts, elfwriter
from tests.elfparts import NeededVersion, Relocation, Symbol, abi_tag, gnu_property
from tests.elfwriter import Elf

if TYPE_CHECKING:
    from collections.abc import Mapping

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DIRECTORY = Path(__file__).parent
_LOADS = "loads"
_STACK = {"R": 4, "W": 2, "E": 1}
_FLAGS = {"SYMBOLIC": 2, "TEXTREL": 4, "BIND_NOW": 8, "STATIC_TLS": 16}
_FLAGS_1 = {"NOW": 1, "GLOBAL": 2, "NODELETE": 8, "NOOPEN": 0x40, "NODEFLIB": 0x800, "PIE": 0x0800_0000}
_DT_FLAGS, _DT_FLAGS_1 = 30, 0x6FFF_FFFB
_ISA_NEEDED = 0xC000_8002


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule; see the module for its fields."""

    name: str
    rule: str
    open: str | list[str]
    says: str | list[str] | dict[str, str | list[str]]
    files: Mapping[str, Mapping[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    arch: str | None = None
    system: bool = False
    crashes_before: str = "2.17"

    def __str__(self) -> str:
        return self.name

    def opened(self, folder: str) -> list[str]:
        """The paths to open, in their order."""
        return [_at(path, folder) for path in _listed(self.open)]

    def variables(self, folder: str) -> dict[str, str]:
        """The loader's environment."""
        return {name: _at(value, folder) for name, value in self.environment.items()}

    def working_directory(self, folder: str) -> str:
        """The directory that the process is in."""
        return str(_at(self.directory, folder))

    def expected(self, folder: str, glibc: tuple[int, ...]) -> list[str | None] | None:
        """What the loader of this glibc says to each of the paths, None where they load; nothing where the case does not tell."""
        expected = None
        for since, says in (self.says if isinstance(self.says, dict) else {"2.17": self.says}).items():
            if tuple(map(int, since.split("."))) <= glibc:
                expected = [None if text == _LOADS else _at(text, folder) for text in _listed(says)]
        return expected

    def build(self, place: Path, machine: str, folder: str | None = None) -> None:
        """Write the files under `place`, which the loader will know as `folder`."""
        folder = str(place) if folder is None else folder
        for name, described in self.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            description = _at(dict(described), folder)
            if "link" in description:
                path.symlink_to(description["link"])
            elif "directory" in description:
                path.mkdir()
            elif "text" in description:
                path.write_text(description["text"], encoding="utf-8")
            else:
                path.write_bytes(_shared_object(description, machine))


def cases() -> list[Case]:
    """All cases, in the order of their names."""
    return [_read(path) for path in sorted(DIRECTORY.glob("*.toml"))]


def build_all(place: Path, machine: str, folder: str) -> None:
    """Build every case that `machine` is asked, each in a folder of its name under `place`, known to the loader as `folder`."""
    for case in cases():
        if case.arch in (None, machine):
            case.build(place / case.name, machine, f"{folder}/{case.name}")


def digest() -> str:
    """Changes with the cases and with what makes them."""
    found = blake2b(digest_size=6)
    for path in (*sorted(DIRECTORY.glob("*.toml")), Path(__file__), *map(Path, (elfwriter.__file__, elfparts.__file__))):
        found.update(path.read_bytes())
    return found.hexdigest()


def _read(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    comment = [line[1:].strip() for line in text.partition("\n\n")[0].splitlines() if line.startswith("#")]
    return Case(name=path.stem, rule=" ".join(comment), **tomllib.loads(text))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _at(value: Any, folder: str) -> Any:
    """`value` with {folder} replaced in every string."""
    if isinstance(value, str):
        return value.replace("{folder}", folder)
    if isinstance(value, dict):
        return {key: _at(each, folder) for key, each in value.items()}
    return [_at(each, folder) for each in value] if isinstance(value, list) else value


def _shared_object(description: dict[str, Any], machine: str) -> bytes:
    """The bytes of one object."""
    patches, appended, cut = (description.pop(name, None) for name in ("patches", "append", "cut"))
    if description.get("machine") == "other":
        machine = next(other for other in elfparts.MACHINES if other != machine)
    elf = Elf(**{**_fields(description), "machine": machine})
    content = bytearray(elf.build()) + bytes(appended or 0)
    for patch in patches or ():
        at = _place(patch["at"], elf)
        new = _place(patch["place"], elf).to_bytes(8, "little") if "place" in patch else bytes.fromhex(patch["hex"])
        content[at : at + len(new)] = new
    return bytes(content if cut is None else content[: _place(cut, elf)])


def _place(at: int | str, elf: Elf) -> int:
    table, _, distance = str(at).rpartition("+")
    if not table:
        return int(distance) if distance.isdigit() else elf.layout[distance]
    return elf.layout[table] + int(distance)


def _fields(description: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Elf` from those of a case."""
    fields = dict(description)
    exports = [_symbol(each, defined=True) for each in fields.pop("exports", ())]
    references = [_named(each) for each in fields.pop("references", ())]
    relocations = [(each["name"], each.pop("kind", "glob_dat"), each.pop("offset", None)) for each in references]
    defined = {symbol.name for symbol in exports}
    wanted = [_symbol(each) for each in [*fields.pop("mentions", ()), *references]]
    undefined = list(dict.fromkeys(symbol for symbol in wanted if symbol.name not in defined))
    fields["symbols"] = [*undefined, *exports]
    fields["relocations"] = [Relocation(kind, name.partition("@")[0], offset) for name, kind, offset in relocations]
    fields["version_needs"] = [NeededVersion(**each) for each in fields.pop("version_needs", ())]
    fields["notes"] = _notes(fields)
    fields["dynamic"] = [tuple(entry) for entry in fields.pop("dynamic", ())] + _flags(fields)
    fields["headers"] = [tuple(header) for header in fields.pop("headers", ())]
    if "tls" in fields:
        fields["tls_size"], fields["tls_align"] = fields.pop("tls")
    if "stack" in fields:
        fields["stack"] = None if fields["stack"] == "absent" else sum(_STACK[letter] for letter in fields["stack"])
    return fields


def _named(description: str | dict[str, Any]) -> dict[str, Any]:
    return {"name": description} if isinstance(description, str) else dict(description)


def _symbol(description: str | dict[str, Any], *, defined: bool = False) -> Symbol:
    """A symbol; "f@@V" has V as its default version, "f@V" does not."""
    fields = _named(description)
    name, at, version = fields.pop("name").partition("@")
    for key in ("binding", "type", "visibility"):
        if isinstance(fields.get(key), str):
            fields[key] = getattr(elfparts, fields[key].upper())
    default = version.startswith("@") or not defined
    return Symbol(name, defined, version.lstrip("@") if at else None, default=default, **fields)


def _notes(fields: dict[str, Any]) -> list[elfparts.Note]:
    notes = []
    if "isa" in fields:
        notes.append(gnu_property({_ISA_NEEDED: fields.pop("isa")}))
    if "abi_tag" in fields:
        notes.append(abi_tag(*fields.pop("abi_tag")))
    return notes


def _flags(fields: dict[str, Any]) -> list[tuple[int, int]]:
    flags = sum(_FLAGS[name] for name in fields.pop("flags", ()))
    flags_1 = sum(_FLAGS_1[name] for name in fields.pop("flags_1", ()))
    return [entry for entry in ((_DT_FLAGS, flags), (_DT_FLAGS_1, flags_1)) if entry[1]]
