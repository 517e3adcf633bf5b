"""Which bits of a shared object are to change: that of PT_GNU_STACK, and those of a relative search path."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from abicheck.act.repair.edits import patch
from abicheck.act.repair.search_path import path_changes
from abicheck.errors import TargetError
from abicheck.model.elf import SharedObject
from abicheck.model.repair import Change, Edit
from abicheck.read.elf import parse_elf

if TYPE_CHECKING:
    from collections.abc import Collection
    from mmap import mmap

_PT_GNU_STACK = 0x6474E551
_PF_X = 1
_ET_DYN, _EM_X86_64, _DF_1_PIE = 3, 62, 0x08000000
#: The size of a program header of 64 bits, and where p_flags stands in it (elf.h).
_PHDR_SIZE, _FLAGS_AT = 56, 4


def repair_object(content: bytearray | mmap, name: str, directories: Collection[str] | None) -> tuple[Change, ...]:
    """Change what is to be changed in the content of the file `name`, and say what; nothing in what is no shared object.

    `directories` are those of the artifact, for search paths, which stay as they are without them. The content is read again
    afterwards, and all else in it must mean what it meant. Raises `TargetError` for what needs a repair and cannot have it.
    """
    before = _facts(content)
    if before is None or _is_program(before):
        return ()  # programs ask for their stack at the start, where every loader grants it
    changes = _changes(content, before, name, directories)
    if changes:
        meaning = _meaning(before)  # asked for before the change: some of it is decoded only then
        patch(content, [change.edit for change in changes])
        after = _facts(content)
        if after is None or _meaning(after) != meaning or _changes(content, after, name, directories):
            reason = "has other strings that share bytes with those to change (linkers let them share their tails)"
            raise TargetError(f"{name} {reason}; use patchelf")
    return changes


def _changes(
    content: bytearray | mmap, facts: SharedObject, name: str, directories: Collection[str] | None
) -> tuple[Change, ...]:
    changes = _stack_changes(facts, name)
    if directories is not None and not facts.foreign:
        changes += path_changes(content, facts, name, directories)
    return changes


def _is_program(facts: SharedObject) -> bool:
    flags = facts.dynamic.flags_1 if facts.dynamic else 0
    return facts.header.type != _ET_DYN or facts.interpreter is not None or bool(flags & _DF_1_PIE)


def _facts(content: bytearray | mmap) -> SharedObject | None:
    found = parse_elf(bytes(content) if isinstance(content, bytearray) else content)
    return found if isinstance(found, SharedObject) else None


def _stack_changes(facts: SharedObject, name: str) -> tuple[Change, ...]:
    """The bit in each PT_GNU_STACK that has it (the last one counts, tools look at the first)."""
    stacks = [(number, each) for number, each in enumerate(facts.segments) if each.type == _PT_GNU_STACK]
    marked = [(number, each) for number, each in stacks if each.flags & _PF_X]
    if marked and facts.foreign:
        raise TargetError(f"{name} asks for an executable stack and is of 32 bits or big-endian; clear it with patchelf")
    if not stacks and facts.dynamic is not None and facts.header.machine == _EM_X86_64:
        # The default of the machine (glibc sysdeps/x86_64/stackinfo.h).
        reason = "asks for an executable stack by having no PT_GNU_STACK at all, so there is no bit to clear"
        raise TargetError(f"{name} {reason}; build it anew with -Wl,-z,noexecstack")
    return tuple(
        Change(
            name,
            "exec-stack-refused",
            Edit(
                facts.header.phoff + number * _PHDR_SIZE + _FLAGS_AT,
                struct.pack("<B", stack.flags & 0xFF),
                struct.pack("<B", stack.flags & 0xFF & ~_PF_X),
            ),
            f"PT_GNU_STACK {_letters(stack.flags)} → {_letters(stack.flags & ~_PF_X)}",
        )
        for number, stack in marked
    )


def _letters(flags: int) -> str:
    return "".join(letter for letter, bit in (("R", 4), ("W", 2), ("E", 1)) if flags & bit)


def _meaning(facts: SharedObject) -> tuple[object, ...]:
    """All facts, without those that a repair changes."""
    segments = [each._replace(flags=0) if each.type == _PT_GNU_STACK else each for each in facts.segments]
    dynamic = facts.dynamic
    if dynamic is not None:  # the other one of the two is never looked at, and stays
        dynamic = dynamic._replace(rpath=None) if dynamic.runpath is None else dynamic._replace(runpath="")
    return (
        facts.header,
        segments,
        dynamic,
        facts.interpreter,
        facts.properties,
        facts.version_needs,
        facts.version_definitions,
        tuple(facts.references),
        facts.demand,
        dict(facts.definitions),
        facts.faults,
    )
