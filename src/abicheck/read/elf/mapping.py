"""How the loader maps PT_LOAD segments into memory (glibc: elf/dl-map-segments.h, on pages of 4 KiB)."""

from __future__ import annotations

from bisect import insort
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.elf import Fault
from abicheck.read.elf.header import ET_DYN, MASK, PT_LOAD
from abicheck.read.elf.image import BEYOND, ZERO, Image, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.elf import Header, Segment
    from abicheck.read.elf.header import Bytes

_PAGE = 4096
#: No more than this fits into the address space of a process.
_SPACE = 1 << 47


class LoadCommand(NamedTuple):
    """glibc's `struct loadcmd`; addresses count from the first segment's page."""

    mapstart: int
    mapend: int
    dataend: int
    allocend: int
    mapoff: int
    access: int


def _page_up(address: int) -> int:
    return (address + _PAGE - 1) & -_PAGE


def load_commands(segments: Sequence[Segment]) -> tuple[int, list[LoadCommand]] | None:
    """The base and the load commands, or None where the loader reports an error instead of mapping them."""
    loads = [segment for segment in segments if segment.type == PT_LOAD]
    if not loads:
        return None
    base = loads[0].vaddr & -_PAGE
    commands: list[LoadCommand] = []
    for _, flags, offset, vaddr, filesz, memsz, _ in loads:
        start = (vaddr - base) & MASK
        if start >> 63:
            start -= 2**64
        if (vaddr - offset) % _PAGE or filesz >= _SPACE or memsz >= _SPACE or abs(start) >= _SPACE or offset + filesz >> 63:
            return None
        dataend = start + filesz
        commands.append(LoadCommand(start & -_PAGE, _page_up(dataend), dataend, start + memsz, offset & -_PAGE, flags & 7))
    return base, commands


class _Canvas:
    """Memory being mapped: later mappings cover earlier ones."""

    def __init__(self, size: int) -> None:
        self.regions: list[Region] = []
        self._eof = size

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
                first = max(region.start, end)
                content = region.content + first - region.start if region.content >= 0 else region.content
                kept.append(Region(first, region.end, region.access, content))
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
        """Clear [start, end) or map it from nowhere."""
        self._paint(Region(start, end, access, ZERO))

    def is_beyond_file(self, at: int) -> bool:
        """True for an address in a page that lies wholly beyond the end of the file."""
        return any(region.start <= at < region.end and region.content == BEYOND for region in self.regions)


def _has_holes(commands: Sequence[LoadCommand]) -> bool:
    return any(before.mapend != after.mapstart for before, after in pairwise(commands))


def _are_apart(commands: Sequence[LoadCommand]) -> bool:
    """True in the ordinary case: no segment's memory reaches into the pages of the next, none is cut short."""
    return all(command.dataend <= command.allocend for command in commands) and all(
        _page_up(before.allocend) <= after.mapstart for before, after in pairwise(commands)
    )


def map_segments(data: Bytes, header: Header, segments: Sequence[Segment]) -> tuple[Image, Fault | None] | None:
    """The image that `_dl_map_segments` makes, with the fault of clearing a page; None where it would report an error."""
    planned = load_commands(segments)
    if planned is None:
        return None
    base, commands = planned
    first, last = commands[0], commands[-1]
    if not 0 < last.allocend - first.mapstart < _SPACE:
        return None
    if header.type == ET_DYN and _has_holes(commands) and last.mapstart < first.mapend:
        return None
    canvas = _Canvas(len(data))
    if header.type == ET_DYN and not _are_apart(commands):
        # The first mmap covers the whole span from the first segment's file offset on; what it leaves between segments is
        # made inaccessible only if there are holes.
        canvas.map_file(first.mapstart, _page_up(last.allocend), first.access, first.mapoff)
        if _has_holes(commands):
            canvas.erase(first.mapend, last.mapstart)
    fault: Fault | None = None
    for command in commands:
        if command is not first or not canvas.regions:
            canvas.map_file(command.mapstart, command.mapend, command.access, command.mapoff)
        cleared = min(_page_up(command.dataend), command.allocend)
        if cleared > command.dataend:
            if canvas.is_beyond_file(command.dataend):
                fault = fault or Fault("mapping", "SIGBUS")
            canvas.map_zeros(command.dataend, cleared, command.access)
        canvas.map_zeros(_page_up(command.dataend), _page_up(command.allocend), command.access)
    return Image(data, base, canvas.regions), fault


def header_table_address(header: Header, segments: Sequence[Segment]) -> int | None:
    """Where the loader finds the program headers in memory (`_dl_postprocess_loadcmd` in elf/dl-load.h), None: it copies them."""
    address = 0
    for segment in segments:
        if segment.type == 6:  # PT_PHDR
            address = segment.vaddr
    if address:
        return address
    planned = load_commands(segments)
    if planned is not None:
        base, commands = planned
        for command in commands:
            end = command.mapend - command.mapstart + command.mapoff
            if command.mapoff <= header.phoff and end >= header.phoff + header.phnum * 56:
                return (base + command.mapstart + header.phoff - command.mapoff & MASK) or None
    return None
