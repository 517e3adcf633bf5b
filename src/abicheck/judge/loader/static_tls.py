"""The static TLS block: its size at start-up, and what later objects may take of it (elf/dl-tls.c, elf/dl-reloc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.mapping import PT_TLS
from abicheck.judge.loader.state import DiedError, RefusedError
from abicheck.judge.loader.tunables import tunable
from abicheck.model.process import LoadError, Missing, StaticTls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.judge.loader.state import Map, Namespace
    from abicheck.model.elf import SharedObject
    from abicheck.model.host import Host

#: The historic surplus, which later versions reproduce with the default tunables (elf/dl-tls.c, LEGACY_TLS).
_SURPLUS = 1664
_OPTIONAL = 512
_NAMESPACES = 4
_TLS_PER_NAMESPACE = 2 * 144
#: sizeof (tcbhead_t) on aarch64, which stands before the blocks there (nptl/tls.h, TLS_TCB_SIZE).
_AARCH64_TCB = 16
#: From 2.41 on the rseq area (32 bytes, aligned alike) follows the blocks (sysdeps/unix/sysv/linux/dl-extra_tls.h).
_RSEQ_SINCE, _RSEQ = (2, 41), 32
_ANY = 1 << 30


def _round_up(value: int, align: int) -> int:
    return -(-value // align) * align


def _block(facts: SharedObject) -> tuple[int, int, int]:
    """`l_tls_blocksize`, `l_tls_align` and `l_tls_firstbyte_offset`; all 0 where there is no TLS segment."""
    size = align = first = 0
    for segment in facts.segments:
        if segment.type == PT_TLS and segment.memsz:
            size, align = segment.memsz, segment.align
            first = segment.vaddr & (align - 1) if align else 0
    return size, align, first


def _blocks(maps: Sequence[Map]) -> Iterator[tuple[Map, int, int, int]]:
    """Those of `maps` that have a TLS segment: its size, alignment, and what lacks from its start to an aligned place."""
    for item in maps:
        size, align, first = _block(item.facts)
        if size:
            yield item, size, max(align, 1), -first & (max(align, 1) - 1)


def initial_tls(maps: Sequence[Map], host: Host) -> StaticTls:
    """Lay out the TLS of the objects loaded at start-up (`_dl_determine_tlsoffset`) and give the block with its surplus."""
    tcb_alignment = _tcb_alignment(host)
    largest = max([tcb_alignment, *(_block(item.facts)[1] for item in maps)])
    offset = _lay_out_down(maps) if host.arch == "x86_64" else _lay_out_up(maps)
    if host.libc.version >= _RSEQ_SINCE:
        offset = _round_up(offset, _RSEQ) + _RSEQ
    # Debian's 2.31 has the tunables of 2.32, and with them the two kinds of surplus.
    known = host.loader.tunables
    modern = host.libc.version >= (2, 32) if known is None else "glibc.rtld.optional_static_tls" in known
    optional = tunable(host, "glibc.rtld.optional_static_tls", _OPTIONAL, (0, _ANY)) if modern else _ANY
    namespaces = tunable(host, "glibc.rtld.nns", _NAMESPACES, (1, 16)) if modern else _NAMESPACES
    surplus = _SURPLUS + (optional - _OPTIONAL if modern else 0) + (namespaces - _NAMESPACES) * _TLS_PER_NAMESPACE
    size = _round_up(offset + surplus, largest if host.arch == "x86_64" else tcb_alignment)
    return StaticTls(size=size, used=offset, align=largest, optional=optional)


def _tcb_alignment(host: Host) -> int:
    """The alignment of `struct pthread` (nptl/descr.h, sysdeps/aarch64/nptl/pthreaddef.h)."""
    if host.arch == "x86_64":
        return 64
    return 32 if host.libc.version >= (2, 35) else 16


def _lay_out_down(maps: Sequence[Map]) -> int:
    """Place the blocks below the thread pointer, and give the bytes used (variant II: x86-64)."""
    offset = 0
    for item, size, align, padding in _blocks(maps):
        offset = item.tls_offset = _round_up(offset + size - padding, align) + padding
    return offset


def _lay_out_up(maps: Sequence[Map]) -> int:
    """Place the blocks above the thread control block, a small one into the gap before another (variant I: aarch64)."""
    offset = _AARCH64_TCB
    gap_start = gap_end = 0
    for item, size, align, padding in _blocks(maps):
        start = _round_up(gap_start + padding, align) - padding
        if start + size <= gap_end:
            item.tls_offset, gap_start = start, start + size
            continue
        start = item.tls_offset = _round_up(offset + padding, align) - padding
        if start - offset > gap_end - gap_start:
            gap_start, gap_end = offset, start
        offset = start + size
    return offset


def take_static(space: Namespace, provider: Map) -> None:
    """Give `provider`, which defines a variable of the initial-exec model, its place; raises `RefusedError` if there is none.

    The text names the object that defines the variable, which is also the one that is charged (`_dl_allocate_static_tls`).
    """
    if provider.tls_offset is None and not _try(space, provider, optional=False):
        size, align, _ = _block(provider.facts)
        raise RefusedError(
            LoadError(
                kind="static-tls-exhausted",
                text=f"{provider.path}: cannot allocate memory in static TLS block",
                object=provider.path,
                evidence=(f"it needs {size} bytes aligned to {align}; {space.tls.size - space.tls.used} are left",),
            )
        )


def take_descriptor(space: Namespace, provider: Map) -> None:
    """Give `provider` static TLS for a TLS descriptor if there is room; else its TLS stays dynamic (`TRY_STATIC_TLS`)."""
    if provider.tls_offset is None:
        _try(space, provider, optional=True)


def _try(space: Namespace, provider: Map, *, optional: bool) -> bool:
    """`_dl_try_allocate_static_tls`, for a thread block that grows down (x86-64) or up (aarch64)."""
    tls = space.tls
    size, align, first = _block(provider.facts)
    if align > tls.align:
        return False
    if space.host.arch == "x86_64":
        free = tls.size - tls.used
        if free < size + first:
            return False
        if not align:
            raise DiedError(
                LoadError(
                    kind="malformed-file",
                    text="signal: SIGFPE",
                    object=provider.path,
                    evidence=("a TLS relocation, but no PT_TLS with an alignment: the loader divides by zero",),
                )
            )
        taken = free - (free - size - first) // align * align - first
        offset = used = tls.used + taken
    else:
        offset = _round_up(tls.used - first, max(align, 1)) + first
        used = offset + size
        taken = used - tls.used
        if used > tls.size:
            return False
    if optional and taken > tls.optional:
        return False
    space.tls = tls._replace(used=used, optional=tls.optional - taken if optional else tls.optional)
    provider.tls_offset = offset
    if any(segment.type == PT_TLS and segment.memsz and segment.filesz > segment.memsz for segment in provider.facts.segments):
        # The loader copies so many bytes into the block, whatever lies behind both (`init_one_static_tls` in elf/dl-tls.c).
        space.missing.append(Missing("memory", f"more is copied into the static TLS of {provider.path} than it has room for"))
    return True
