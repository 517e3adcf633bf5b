"""What the loader checks before it accepts an opened file: `open_verify` of elf/dl-load.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.loader.errno import with_errno
from abicheck.judge.loader.state import RefusedError
from abicheck.model.elf import Malformed
from abicheck.model.process import ErrorKind, LoadError

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile, Header, SharedObject
    from abicheck.model.host import Host

MACHINES = {"x86_64": 62, "aarch64": 183}
_NAMES = {3: "i386", 8: "MIPS", 20: "PowerPC", 21: "64-bit PowerPC", 22: "s390x", 40: "ARM", 62: "x86-64", 183: "AArch64"}
_NAMES |= {243: "RISC-V", 258: "LoongArch"}
_ET_EXEC, _ET_DYN = 2, 3
_PHENTSIZE = 56
#: e_ident of an ordinary file up to EI_OSABI: 64 bits, little-endian, version 1.
_USUAL_IDENT = b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"
#: The release that added the ABI version ABSOLUTE (commit 9449a295ad).
_KNOWS_ABSOLUTE = (2, 28)
#: From here on the hash of a name is a 32-bit word (commit 535e935a28).
_SHIFTS_32_BITS = (2, 36)


class Verified(NamedTuple):
    """The outcome for one candidate: `facts` when it is taken, else `other_class` or `reason` for passing it over."""

    facts: SharedObject | None
    other_class: bool = False
    reason: str = ""


def _refuse(kind: ErrorKind, path: str, text: str, errno: int = 0, evidence: tuple[str, ...] = ()) -> RefusedError:
    return RefusedError(LoadError(kind=kind, text=with_errno(f"{path}: {text}", errno), object=path, evidence=evidence))


def _passed_over(machine: int) -> Verified:
    return Verified(None, reason=f"made for another machine ({_NAMES.get(machine, f'number {machine}')})")


def verify(facts: ElfFile, path: str, host: Host) -> Verified:
    """Take the file at `path`, pass it over (another class or machine), or raise `RefusedError`, which ends the search."""
    header = facts.header
    if isinstance(facts, Malformed) and (header is None or facts.reason in ("is-a-directory", "unreadable")):
        raise _refuse_before_header(facts, path)
    assert header is not None
    if header.ident != _USUAL_IDENT:
        passed = _check_ident(header, path, host)
        if passed is not None:
            return passed
    if header.version != 1:
        raise _refuse("malformed-file", path, "ELF file version does not match current one")
    if header.machine != MACHINES[host.arch]:
        return _passed_over(header.machine)
    if header.type not in (_ET_EXEC, _ET_DYN):
        raise _refuse("malformed-file", path, "only ET_DYN and ET_EXEC can be loaded")
    if header.phentsize != _PHENTSIZE:
        raise _refuse("malformed-file", path, "ELF file's phentsize not the expected size")
    if isinstance(facts, Malformed):
        raise _refuse("truncated-file", path, "cannot read file data", facts.errno)
    if host.libc.version < (2, 36) and _abi_note_too_new(facts, path, host):
        return Verified(None, reason="its .note.ABI-tag asks for a newer kernel or another system")
    return Verified(facts.older if facts.older is not None and host.libc.version < _SHIFTS_32_BITS else facts)


def _refuse_before_header(facts: Malformed, path: str) -> RefusedError:
    if facts.reason == "not-elf":
        return _refuse("not-elf", path, "invalid ELF header", evidence=("it does not begin as an ELF file does",))
    if facts.reason == "too-short":
        evidence = (f"it has {facts.size} bytes, and an ELF header alone has 64",)
        return _refuse("truncated-file", path, "file too short", evidence=evidence)
    return _refuse("not-elf", path, "cannot read file data", facts.errno)


def _check_ident(header: Header, path: str, host: Host) -> Verified | None:
    """Pass the file over, raise, or None when e_ident is unusual but acceptable (OSABI GNU/Linux)."""
    ident = header.ident
    if header.elf_class != 2:
        return Verified(None, other_class=True, reason="wrong ELF class")
    gnu = header.osabi == 3
    abi_versions = _gnu_abi_versions(host) if gnu else 1
    if (
        header.data == 1
        and ident[6] == 1
        and (header.osabi == 0 or gnu)
        and header.abi_version < abi_versions
        and not any(header.padding)
    ):
        return None
    # The loader reads e_machine in its own byte order, whatever the file says of its own.
    machine = header.machine if header.data != 2 else (header.machine & 0xFF) << 8 | header.machine >> 8
    if host.loader.vendor in ("Debian", "Ubuntu") and machine != MACHINES[host.arch]:
        # Debian's unsubmitted-ldso-machine-mismatch.diff looks at the machine before the rest of e_ident.
        return _passed_over(header.machine)
    if header.data != 1:
        raise _refuse("wrong-machine", path, "ELF file data encoding not little-endian")
    if ident[6] != 1:
        text = "ELF file version ident does not match current one"
    elif header.osabi not in (0, 3):
        text = "ELF file OS ABI invalid"
    elif header.abi_version >= abi_versions:
        text = "ELF file ABI version invalid"
    else:
        text = "nonzero padding in e_ident"
    raise _refuse("malformed-file", path, text)


def _gnu_abi_versions(host: Host) -> int:
    """LIBC_ABI_MAX: how many ABI versions of ELFOSABI_GNU the loader knows.

    They are 0, UNIQUE, IFUNC on machines that are older than it, and ABSOLUTE (libc-abis, sysdeps/gnu/ldsodefs.h).
    """
    return 2 + (host.arch == "x86_64") + (host.libc.version >= _KNOWS_ABSOLUTE)


def _abi_note_too_new(facts: SharedObject, path: str, host: Host) -> bool:
    """Does .note.ABI-tag ask for another system or a newer kernel? Looked at up to glibc 2.35 (commit b46d250656)."""
    errno = facts.properties.abi_tag_errno
    if errno is not None:
        raise _refuse("truncated-file", path, "cannot read file data", errno)
    tag = facts.properties.abi_tag
    if tag is None:
        return False
    system, *version = tag
    return system != 0 or tuple(part & 0xFF for part in version) > host.kernel
