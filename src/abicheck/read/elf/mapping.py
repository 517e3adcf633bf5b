"""How the loader maps PT_LOAD segments into memory (glibc: elf/dl-map-segments.h, on pages of 4 KiB)."""

from __future__ import annotations

from bisect import insort
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.elf import Fault
from abicheck.read.elf.header import ET_DYN, MASK, PT_LOAD, PT_PHDR
from abicheck.read.elf.image import BEYOND, PF_W, ZERO, Image, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.elf import Header, Segment
    from abicheck.model.symbols import Signal
    from abicheck.read.elf.header import Bytes

_PAGE = 4096
#: No more than this fits into the address space of a process.
_SPACE = 1 << 47


class LoadCommand(NamedTuple):
    """glibc's `struct loadcmd`, with addresses as the file spells them, modulo 2**64."""

    mapstart: int
    mapend: int
    dataend: int
    allocend: int
    mapoff: int
    access: int


class Mapped(NamedTuple):
    """An object in memory, the fault of putting it there, and where the loader finds its program headers again."""

    image: Image
    fault: Fault | None
    phdr_address: int | None


def _page_up(address: int) -> int:
    return (address + _PAGE - 1) & -_PAGE


def _load_commands(segments: Sequence[Segment]) -> list[LoadCommand] | None:
    """What to map; None where addresses and offsets do not agree."""
    commands: list[LoadCommand] = []
    for kind, flags, offset, vaddr, filesz, memsz, _ in segments:
        if kind == PT_LOAD:
            if (vaddr - offset) % _PAGE:
                return None
            end = vaddr + filesz & MASK
            allocend = vaddr + memsz & MASK
            commands.append(LoadCommand(vaddr & -_PAGE, _page_up(end) & MASK, end, allocend, offset & -_PAGE, flags & 7))
    return commands


def _from(region: Region, start: int) -> Region:
    """The rest of a region from `start` on."""
    content = region.content + start - region.start if region.content >= 0 else region.content
    return Region(start, region.end, region.access, content)


class _Canvas:
    """Memory being mapped: later mappings cover earlier ones. Addresses count from `base` and may be negative."""

    def __init__(self, size: int, base: int) -> None:
        self.regions: list[Region] = []
        self._eof = size
        self._base = base

    def place(self, address: int) -> int:
        """The distance of an address from the base: negative if it comes out just below it, as sums wrap around."""
        distance = (address - self._base) & MASK
        return distance - 2**64 if distance >= 2**64 - _SPACE else distance

    def _paint(self, region: Region) -> None:
        start, end = region.start, region.end
        if start >= end:
            return
        if self.regions and start < self.regions[-1].end:
            last = self.regions[-1]
            if last.start < start and last.end <= end:
                self.regions[-1] = last._replace(end=start)
            else:
                self.erase(start, end)
                insort(self.regions, region)
                return
        self.regions.append(region)

    def erase(self, start: int, end: int) -> None:
        """Take [start, end) away: nothing can be read or written there."""
        kept: list[Region] = []
        for region in self.regions:
            if region.start < start:
                kept.append(region._replace(end=min(region.end, start)))
            if region.end > end:
                kept.append(_from(region, max(region.start, end)))
        self.regions = kept

    def map_file(self, start: int, end: int, access: int, offset: int) -> None:
        """Map [start, end) from the file: beyond its end the last page goes on with zeros, and whole pages are deadly."""
        eof = start + max(self._eof - offset, 0)
        self._paint(Region(start, min(end, eof), access, offset))
        if eof < end:
            page = max(_page_up(eof), start)
            self._paint(Region(max(eof, start), page, access, ZERO))
            self._paint(Region(page, end, access, BEYOND))

    def map_zeros(self, start: int, end: int, access: int) -> None:
        """Map [start, end) from nowhere."""
        self._paint(Region(start, end, access, ZERO))

    def clear(self, start: int, end: int, access: int) -> Signal | None:
        """Write zeros to [start, end), which lies in one page; a page of a read-only segment is made writable for it."""
        for index, region in enumerate(self.regions):
            if region.start <= start < region.end:
                if access & PF_W and not region.access & PF_W:
                    return "SIGSEGV"
                if region.content == BEYOND:
                    return "SIGBUS"
                cleared = Region(start, min(end, region.end), region.access, ZERO)
                parts = (region._replace(end=start), cleared, _from(region, cleared.end))
                self.regions[index : index + 1] = [part for part in parts if part.start < part.end]
                return None
        return "SIGSEGV"


def _has_holes(commands: Sequence[LoadCommand]) -> bool:
    return any(before.mapend != after.mapstart for before, after in pairwise(commands))


def _are_apart(commands: Sequence[LoadCommand]) -> bool:
    """True in the ordinary case: no segment's memory reaches into the pages of the next, none is cut short."""
    return all(each.mapstart <= each.dataend <= each.allocend for each in commands) and all(
        _page_up(before.allocend) <= after.mapstart for before, after in pairwise(commands)
    )


def map_segments(data: Bytes, header: Header, segments: Sequence[Segment]) -> Mapped | None:
    """What `_dl_map_segments` makes of a file; None where it reports an error."""
    commands = _load_commands(segments)
    if not commands:
        return None
    first, last = commands[0], commands[-1]
    canvas = _Canvas(len(data), first.mapstart)
    span = last.allocend - first.mapstart & MASK
    if not 0 < span < _SPACE or first.mapoff + span >> 63:
        return None
    if header.type == ET_DYN and not _are_apart(commands):
        # The first mmap covers the whole span from the first segment's file offset on; what it leaves between segments is
        # made inaccessible only if there are holes.
        canvas.map_file(0, _page_up(span), first.access, first.mapoff)
        if _has_holes(commands):
            if last.mapstart < first.mapend:
                return None
            canvas.erase(canvas.place(first.mapend), canvas.place(last.mapstart))
    whole = bool(canvas.regions)
    signal: Signal | None = None
    for command in commands:
        size = command.mapend - command.mapstart
        if size > 0 and not (whole and command is first):
            if size >= _SPACE or command.mapoff + size >> 63:
                return None
            start = canvas.place(command.mapstart)
            canvas.map_file(start, start + size, command.access, command.mapoff)
        if command.allocend > command.dataend:
            zero, end = canvas.place(command.dataend), canvas.place(command.allocend)
            page = min(_page_up(zero), end)
            if page > zero:
                signal = signal or canvas.clear(zero, page, command.access)
            if end - page >= _SPACE:
                return None
            # Where the memory ends in that page, the rest of it keeps the file's bytes.
            canvas.map_zeros(page, _page_up(end) if end > page else page, command.access)
    fault = Fault("mapping", signal) if signal else None
    return Mapped(Image(data, first.mapstart, canvas.regions), fault, _header_table(header, segments, commands))


def _header_table(header: Header, segments: Sequence[Segment], commands: Sequence[LoadCommand]) -> int | None:
    """Where the loader finds the program headers in memory (`_dl_postprocess_loadcmd` in elf/dl-load.h), None: it copies them."""
    address = 0
    for segment in segments:
        if segment.type == PT_PHDR:
            address = segment.vaddr
    end = header.phoff + header.phnum * 56 & MASK
    for command in commands:
        if address:
            break
        if command.mapoff <= header.phoff and (command.mapend - command.mapstart + command.mapoff & MASK) >= end:
            address = command.mapstart + header.phoff - command.mapoff & MASK
    return address or None
