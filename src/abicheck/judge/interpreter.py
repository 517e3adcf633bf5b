"""A Python that the host does not have: its program as the loader would see it, its symbols vouched for by the wheel's tag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from abicheck.model.elf import DynamicInfo, Header, Segment, SharedObject
from abicheck.model.symbols import Definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.host import Host

_MACHINES = {"x86_64": 62, "aarch64": 183}
_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK, _ET_DYN = 1, 2, 0x6474E551, 3
#: A Python that people bring to a machine is made for its pages.
_LARGEST_PAGE = 0x10000
#: What CPython's own build links a program to that holds the whole interpreter (configure.ac, LIBS and LIBM).
_NEEDED = {"glibc": ("libm.so.6", "libc.so.6"), "musl": ("libc.so",)}
#: Libraries that went into glibc's libc.so.6 in 2.34: what runs on an older one was linked to them.
_NEEDED_BEFORE_2_34 = ("libpthread.so.0", "libdl.so.2", "libutil.so.1")
#: Names that a C extension takes from the interpreter (PEP 7).
_PYTHON_SYMBOL = re.compile(r"_?_?Py[A-Z_]\w*")
_EXPORTED = (Definition(None, 1, hidden=False, binding=1, visibility=0, type=2),)


class _Exports(Mapping[str, tuple[Definition, ...]]):
    """Every name that the C API uses; which of them this version really has is for the wheel's tag to say."""

    def __getitem__(self, name: str) -> tuple[Definition, ...]:
        if _PYTHON_SYMBOL.fullmatch(name):
            return _EXPORTED
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def vouched_interpreter(host: Host) -> SharedObject:
    """The facts of an interpreter for `host` whose libraries are the C library's own, as python.org and Debian build it."""
    segments = (
        Segment(_PT_LOAD, 5, 0, 0, 0x1000, 0x1000, _LARGEST_PAGE),
        Segment(_PT_LOAD, 6, 0x1000, _LARGEST_PAGE + 0x1000, 0x800, 0x900, _LARGEST_PAGE),
        Segment(_PT_DYNAMIC, 6, 0x1000, _LARGEST_PAGE + 0x1000, 0x200, 0x200, 8),
        Segment(_PT_GNU_STACK, 6, 0, 0, 0, 0, 16),
    )
    older = _NEEDED_BEFORE_2_34 if host.libc.kind == "glibc" and host.libc.version < (2, 34) else ()
    header = Header(
        ident=b"\x7fELF\2\1\1" + bytes(9),
        type=_ET_DYN,
        machine=_MACHINES[host.arch],
        version=1,
        phoff=64,
        phentsize=56,
        phnum=len(segments),
    )
    return SharedObject(
        header=header,
        size=0x2000,
        segments=segments,
        interpreter=host.loader.path,
        dynamic=DynamicInfo(needed=(*older, *_NEEDED[host.libc.kind]), has_gnu_hash=True),
        definitions=_Exports(),
    )
