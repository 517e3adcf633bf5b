"""`python -m tests.truth.profiles ROOT… --objects DIR…`: saves each root and compares what profile and root say of objects.

The objects are all ELF files below the directories `DIR`, installed at /truth in the root, and all below the root's own /usr/lib.
With `--script` the profile is made of what the collecting script found in the root. Any difference is an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abicheck.api.absent import absent_python
from abicheck.api.profiles import save
from abicheck.judge import loader
from abicheck.judge.verdict import root_kind
from abicheck.model.files import FileId
from abicheck.read.files import FactStore, Overlay
from abicheck.read.hosts import Wanted, open_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host

_ELF = b"\x7fELF"
_WANTED = Wanted("3.9", may_lack=True)


class Objects:
    """Local files as a layer of a host's files: `places` says for each path there where it lies here."""

    def __init__(self, places: Mapping[str, str], store: FactStore) -> None:
        self._store = store
        self._entries = {path: _identity(place) for path, place in places.items()}
        self._places = {self._entries[path]: place for path, place in places.items()}

    def entries(self) -> Mapping[str, FileId]:
        """The files by their path on the host."""
        return self._entries

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of them."""
        return self._store.facts(file, self._places[file])


def _identity(place: str) -> FileId:
    status = os.stat(place)
    return FileId(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _elf_files(directory: Path, inside: str) -> Iterator[tuple[str, str]]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == _ELF:
                    yield f"{inside}/{path.relative_to(directory)}", str(path)


class Answers:
    """What one view of a host says of objects."""

    def __init__(self, host: Host, objects: Objects) -> None:
        assert host.python is not None
        layers = [objects] if host.python.at_hand else [absent_python(host), objects]
        self.host = host._replace(files=Overlay(host.files, *layers))
        self.memo = loader.Memo()
        self.started, self.process = loader.start(self.host, host.python.path, self.memo)

    def of(self, path: str) -> tuple[list[str], list[str], list[tuple[str, str]]]:
        """Texts of all errors, and what is missing; how many objects and references there are."""
        file = self.host.files.stat(path)
        assert not isinstance(file, int)
        if root_kind(self.host.files.facts(file), path, None) == "executable":
            link_map, _ = loader.start(self.host, path, self.memo)
        else:
            link_map, _ = loader.dlopen(self.process, path, self.host, self.memo)
        loaded = [(each.path, str(each.search.found)) for each in link_map.objects]
        return [each.text for each in link_map.errors], [each.reason for each in link_map.missing], loaded


def compare(root: str, profile: str, objects: Mapping[str, str], own: Mapping[str, str]) -> Iterator[str]:
    """The objects of which `profile` says something else than `root` itself, and a line of figures."""
    store = FactStore()
    started = time.perf_counter()
    there = open_host(profile, python=_WANTED, store=store)
    opened = time.perf_counter() - started
    # What the profile itself has is asked from the profile.
    rest = {path: place for path, place in own.items() if isinstance(there.files.stat(path), int)}
    answers = [
        Answers(open_host(f"rootfs:{root}", python=_WANTED, store=store), Objects(dict(objects), store)),
        Answers(there, Objects({**objects, **rest}, store)),
    ]
    different = failing = unknown = 0
    paths = [*objects, *own]
    for path in paths:
        first, second = (each.of(path) for each in answers)
        failing += bool(first[0])
        unknown += bool(second[1])
        if first != second:
            different += 1
            yield f"  {path}: {first[0]} in the root, {second[0]} {second[1]} in the profile; {set(first[2]) ^ set(second[2])}"
    size = os.path.getsize(profile)
    yield (
        f"{os.path.basename(root)}: {len(paths)} objects, {failing} fail, {unknown} depend, {different} different;"
        f" {size / 1000:.0f} kB, read in {opened:.2f} s"
    )


def collected(root: str, output: str) -> None:
    """What the script, run by this machine's shell, finds in `root`."""
    script = subprocess.run([sys.executable, "-m", "abicheck", "host", "--script"], check=True, capture_output=True).stdout
    environment = {"PATH": "/usr/bin:/bin", "ROOT": root}
    with open(output, "wb") as file:
        subprocess.run(["/bin/sh"], input=script, env=environment, stdout=file, check=True)


@click.command()
@click.argument("roots", nargs=-1, required=True)
@click.option("--objects", multiple=True, help="A directory with objects to open.")
@click.option("--script", is_flag=True, help="Make the profile of what the script collects.")
def main(roots: Sequence[str], objects: Sequence[str], script: bool) -> None:  # noqa: FBT001 -- click's way
    """Compare; exit with 1 where anything is different."""
    places: dict[str, str] = {}
    for number, directory in enumerate(objects):
        places.update(_elf_files(Path(directory), f"/truth/{number}"))
    failed = False
    for root in roots:
        own = dict(_elf_files(Path(root) / "usr/lib", "/usr/lib"))
        with tempfile.TemporaryDirectory() as directory:
            spec = f"rootfs:{root}"
            started = time.perf_counter()
            if script:
                spec = f"{directory}/collected.txt"
                collected(root, spec)
                click.echo(f"collected {os.path.getsize(spec) / 1e6:.1f} MB in {time.perf_counter() - started:.1f} s")
            profile = save(spec)
            path = Path(directory) / "profile.json"
            path.write_text(profile.text, encoding="utf-8")
            for line in compare(root, str(path), places, own):
                click.echo(line)
                failed |= line.startswith("  ")
    sys.exit(failed)


if __name__ == "__main__":
    main()
