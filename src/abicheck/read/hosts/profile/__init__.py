"""Saved profiles: a host in one JSON file, to be checked against anywhere (`report/schema/profile.json` describes it)."""

from __future__ import annotations

import hashlib
import json
import posixpath
from typing import TYPE_CHECKING

from abicheck.errors import HostError
from abicheck.model.elf import Malformed
from abicheck.model.host import Host
from abicheck.read.files import Entry, Memory, Root
from abicheck.read.hosts.interpreter import ROOT_PATH, find_interpreter
from abicheck.read.hosts.machine import ELSEWHERE, environment
from abicheck.read.hosts.profile.checked import Checked
from abicheck.read.hosts.profile.decode import decode
from abicheck.read.hosts.profile.document import SCHEMA_VERSION, host_values, interpreter
from abicheck.read.hosts.profile.names import homely

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Interpreter
    from abicheck.read.files import FactStore
    from abicheck.read.hosts import Wanted

__all__ = ["open_profile"]

_TOP = ("schema_version", "tool", "host", "directories", "links", "files", "left_out", "unreadable")
#: Profiles stay near 1 MB; a device has no end.
_MAX_SIZE = 64 << 20
_ELF = b"\x7fELF\x02\x01\x01"


def open_profile(spec: str, path: str, wanted: Wanted, settings: Mapping[str, str], store: FactStore) -> Host:
    """The host that the profile at `path` holds. Raises `HostError` that names what makes no sense in it."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except OSError as error:
        raise HostError(f"{error.strerror}; give a profile that `abicheck host --save` wrote") from None
    if len(data) > _MAX_SIZE:
        raise HostError(f"more than {_MAX_SIZE >> 20} MiB; give a profile that `abicheck host --save` wrote")
    given = _parsed(data)
    about = given["host"]
    identity = int.from_bytes(hashlib.blake2b(data, digest_size=7).digest(), "big")
    files = Root(_volume(given, identity), store)
    values = host_values(about)
    python = _interpreter(files, interpreter(about), wanted)
    variables = {name: homely(value.text()) for name, value in about["environment"].fields()}
    assumptions = tuple(each for each in values.pop("assumptions") if not (settings and each.fact == "environment"))
    return Host(
        name=spec,
        kind="profile",
        files=files,
        python=python,
        environment=environment(settings, variables),
        assumptions=(*assumptions, ELSEWHERE),
        **values,
    )


def _parsed(data: bytes) -> Checked:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its bytes"
        raise HostError(f"no whole JSON ({where}); make the profile anew with `abicheck host --save`") from None
    given = Checked(value)
    version = given["schema_version"].number()
    if version > SCHEMA_VERSION:
        message = f"a profile of version {version}, and this abicheck knows up to {SCHEMA_VERSION}; update abicheck"
        raise HostError(message)
    return given.only(*_TOP)


def _interpreter(files: Root, own: Interpreter | None, wanted: Wanted) -> Interpreter:
    """The Python that is wanted, the profile's own by default."""
    version = None if own is None or own.version is None else f"{own.version[0]}.{own.version[1]}{'t' * own.free_threaded}"
    if own is not None and wanted.python in (None, own.path, version):
        return own
    if wanted.python is None:
        raise HostError("there was no Python where this profile was saved; name one with --python X.Y")
    directories = ROOT_PATH if own is None else (posixpath.dirname(own.path), *ROOT_PATH)
    return find_interpreter(files, wanted.python, directories, may_lack=wanted.may_lack)


def _volume(given: Checked, identity: int) -> Memory:
    """The files of a profile. They are decoded at once, so that whatever makes no sense is found before anything is judged."""
    entries: dict[str, Entry] = {}
    for path, target in given["links"].fields():
        entries[_absolute(path, target)] = Entry(link=homely(target.text()))
    for path, size in given["left_out"].fields():
        number = size.number()
        entries[_absolute(path, size)] = Entry(size=number, load=_always(Malformed("left-out", number)))
    for number, (path, described) in enumerate(given["files"].fields()):
        facts = decode(described)
        entry = Entry(size=facts.size, load=_always(facts), read=_beginning(facts), same=number)
        also = described.get("also")
        entries.update(dict.fromkeys((_absolute(path, described), *(also.texts() if also is not None else ())), entry))
    for each in given["unreadable"].items():
        entries[_absolute(each.text(), each)] = Entry(mode=0)
    return Memory(entries, identity, [_absolute(each.text(), each) for each in given["directories"].items()])


def _absolute(path: str, given: Checked) -> str:
    inside = homely(path)
    if posixpath.normpath(inside) != inside or not inside.startswith("/") or "\0" in inside:
        given.fail("its path must begin with a slash and hold no `..`")
    return inside


def _always(facts: ElfFile) -> Callable[[], ElfFile]:
    return lambda: facts


def _beginning(facts: ElfFile) -> Callable[[int], bytes]:
    """What is asked of a file besides its facts: whether it is a program."""
    data = b"" if isinstance(facts, Malformed) else _ELF
    return lambda limit: data if limit < 0 else data[:limit]
