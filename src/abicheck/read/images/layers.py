"""The tree that the layers of an image make, as an engine would unpack them one over the other.

Each layer is a tree of its own, in which links are followed, as in the chroot that engines unpack into; it then covers what is
below it. Sources: layer.md of the OCI image specification; moby's pkg/archive/diff.go; containerd's pkg/archive.
"""

from __future__ import annotations

import posixpath
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from abicheck.errors import HostError
from abicheck.read.files import Entry
from abicheck.read.images.blobs import MAX_MEMBERS, Section, mapped, members, spool
from abicheck.read.images.compression import plain

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

    from abicheck.model.elf import ElfFile
    from abicheck.read.images.manifest import Manifest

_HIDDEN = ".wh."
_OPAQUE = ".wh..wh..opq"
#: What else begins so is that file system's own affair.
_OF_AUFS = ".wh..wh."
#: Directories in directories; no path that the kernel takes has more than twice this, and real ones have few.
MAX_DEPTH = 256
_MAX_LINKS = 40
#: Larger files are parsed from a mapping, not from a copy in memory.
_LARGE = 64 << 20


class _Leaf(NamedTuple):
    """What is no directory; `number` tells files apart, hard links of one have the same."""

    number: int
    mode: int
    link: str | None
    content: Section | None


class _Folder:
    """A directory of a layer; `hidden` are the names that it takes from below, `opaque` that it takes all."""

    __slots__ = ("hidden", "nodes", "opaque")

    def __init__(self) -> None:
        self.nodes: dict[str, _Node] = {}
        self.hidden: set[str] = set()
        self.opaque = False


_Node: TypeAlias = "_Folder | _Leaf"


def tree(manifest: Manifest) -> tuple[dict[str, Entry], list[str]]:
    """The files and links of an image by their paths, and its directories. Raises `HostError`."""
    root = _Folder()
    count = 0
    for number, (packed, diff_id) in enumerate(zip(manifest.layers, manifest.diff_ids, strict=True), 1):
        name = f"layer {number}"
        content = plain(packed, name)
        if content.digest() != diff_id:
            raise HostError(f"{name} is damaged, its content is not {diff_id}; save the image again")
        layer = _Layer(root, count)
        try:
            for member in members(content):
                layer.add(member, content)
        except HostError as error:
            raise HostError(f"{name}: {error.message}") from None
        count = layer.count
        _cover(root, layer.root)
    entries: dict[str, Entry] = {}
    directories: list[str] = []
    for path, node in _walk(root, ""):
        if isinstance(node, _Folder):
            directories.append(path)
        else:
            entries[path] = _entry(node)
    return entries, directories


class _Layer:
    """One layer being read, over what lies `below`; `count` is the number of members so far, of all layers."""

    def __init__(self, below: _Folder, count: int) -> None:
        self.root = _Folder()
        self.count = count
        self._below = below

    def add(self, member: tarfile.TarInfo, content: Section) -> None:
        """Put in the next member."""
        self.count += 1
        if self.count > MAX_MEMBERS:
            raise HostError(f"more than {MAX_MEMBERS} members; give an image that has fewer")
        path = posixpath.normpath(f"./{member.name.lstrip('/')}")
        if path == "." or "\0" in path:
            return
        parent, _, name = path.rpartition("/")
        parts = path.split("/")
        if any(part.startswith(_OF_AUFS) and part != _OPAQUE for part in parts):
            return
        if ".." in parts or name in (_HIDDEN, f"{_HIDDEN}.", f"{_HIDDEN}.."):
            raise HostError(f"the name {member.name!r} leads out of the image; give one that was not made to do damage")
        folder = self._folder(parent)
        if name == _OPAQUE:
            folder.opaque = True
        elif name.startswith(_HIDDEN):
            folder.hidden.add(name[len(_HIDDEN) :])
        elif not member.isdir():
            folder.nodes[name] = self._leaf(member, content)
        elif not isinstance(folder.nodes.get(name), _Folder):
            folder.nodes[name] = _Folder()

    def _leaf(self, member: tarfile.TarInfo, content: Section) -> _Leaf:
        mode = member.mode & 0o7777
        if member.issym():
            return _Leaf(self.count, 0o777, member.linkname, None)
        if member.islnk():
            target = posixpath.normpath(f"/{member.linkname}").strip("/")
            found = _find(self.root, target) or _find(self._below, target)
            if not isinstance(found, _Leaf):
                raise HostError(
                    f"{member.name!r} is a hard link to {member.linkname!r}, which is not there; save the image again"
                )
            return found
        # Docker and Podman write no sparse files; the content of one is taken for unknown.
        regular = member.isreg() and not member.issparse()
        return _Leaf(self.count, mode, None, content.part(member.offset_data, member.size) if regular else None)

    def _folder(self, path: str) -> _Folder:
        """The directory `path`, made where there is none; links of this layer on the way are followed inside it."""
        folders, pending, links = [self.root], path.split("/")[::-1], 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                folders = folders[:-1] or [self.root]
                continue
            node = folders[-1].nodes.get(name)
            if isinstance(node, _Leaf) and node.link is not None:
                links += 1
                if links > _MAX_LINKS:
                    raise HostError(f"the links on the way to {path!r} lead in circles; save the image again")
                folders = [self.root] if node.link.startswith("/") else folders
                pending += node.link.split("/")[::-1]
                continue
            if not isinstance(node, _Folder):
                node = folders[-1].nodes[name] = _Folder()
            folders.append(node)
            if len(folders) > MAX_DEPTH:
                raise HostError(f"directories in more than {MAX_DEPTH} directories; give an image that has fewer")
        return folders[-1]


def _find(folder: _Folder, path: str) -> _Node | None:
    """What lies at a path, without following links."""
    found: _Node | None = folder
    for name in path.split("/"):
        found = found.nodes.get(name) if isinstance(found, _Folder) else None
    return found


def _cover(below: _Folder, above: _Folder) -> None:
    """Put a layer's directory over what lies there; its whiteouts say nothing about itself."""
    if above.opaque:
        below.nodes.clear()
    for name in above.hidden:
        below.nodes.pop(name, None)
    for name, node in above.nodes.items():
        if isinstance(node, _Leaf):
            below.nodes[name] = node
            continue
        found = below.nodes.get(name)
        if not isinstance(found, _Folder):
            found = below.nodes[name] = _Folder()
        _cover(found, node)


def _walk(folder: _Folder, path: str) -> Iterator[tuple[str, _Node]]:
    for name, node in folder.nodes.items():
        yield f"{path}/{name}", node
        if isinstance(node, _Folder):
            yield from _walk(node, f"{path}/{name}")


def _entry(leaf: _Leaf) -> Entry:
    content = leaf.content
    if content is None:
        return Entry(link=leaf.link, mode=leaf.mode, same=leaf.number)
    return Entry(None, content.size, leaf.mode, partial(_facts, content), content.read, leaf.number)


def _facts(content: Section) -> ElfFile:
    """The facts of a file. What is large is put into a file of its own, since a part of a tar cannot be mapped by itself."""
    from abicheck.read.elf import parse_elf  # noqa: PLC0415 -- a run that finds its verdicts stored reads no file

    if content.size <= _LARGE:
        return parse_elf(content.read())
    with spool() as file:
        for piece in content.pieces():
            file.write(piece)
        file.flush()
        data = mapped(file).data
    try:
        return parse_elf(data)
    finally:
        if not isinstance(data, bytes):
            data.close()
