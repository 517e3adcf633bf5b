"""Takes the wish for an executable stack out of a shared object: one bit of PT_GNU_STACK."""

from __future__ import annotations

import os
import struct

from abicheck.model.elf import SharedObject
from abicheck.read.elf import read_elf

_PT_GNU_STACK = 0x6474E551
_PF_X = 1
#: The size of a program header of 64 bits, and where p_type and p_flags stand in it (elf.h).
_PHDR_SIZE = 56
_TYPE_AND_FLAGS = struct.Struct("<II")


def clear_exec_stack(path: str) -> bool:
    """Clear PF_X in PT_GNU_STACK of the file at `path`; true if it was set. Other links to the file keep what they had.

    A file without PT_GNU_STACK asks for an executable stack, too, and has no bit that could be cleared: it is left as it is.
    """
    facts = read_elf(path)
    if not isinstance(facts, SharedObject) or facts.foreign:
        return False
    with open(path, "rb") as file:
        content = bytearray(file.read())
    for number in range(facts.header.phnum):
        at = facts.header.phoff + number * _PHDR_SIZE
        kind, flags = _TYPE_AND_FLAGS.unpack_from(content, at)
        if kind == _PT_GNU_STACK and flags & _PF_X:
            _TYPE_AND_FLAGS.pack_into(content, at, kind, flags & ~_PF_X)
            temporary = f"{path}.{os.getpid()}.tmp"
            with open(temporary, "wb") as file:
                file.write(content)
            os.chmod(temporary, os.stat(path).st_mode)
            os.replace(temporary, path)
            return True
    return False
