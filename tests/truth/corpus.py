"""The corpus: the objects of real wheels, a sample of a root's own, odd files and names, and damaged objects."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import zip_longest
from random import Random
from typing import TYPE_CHECKING

from containers.make_root import cache_dir
from tests.truth.damage.make import make_damaged
from tests.truth.roots import MOUNT_POINT
from tests.truth.rules import questions
from tests.truth.wheels import ELF, unpacked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from tests.truth.roots import Host

#: So many of each directory of a root's own objects are taken.
ROOT_SAMPLE = 40
SEQUENCES = 200
#: Names that are searched for, not opened as they are.
BY_NAME = (
    "libc.so.6",
    "libm.so.6",
    "libz.so.1",
    "libexpat.so.1",
    "libstdc++.so.6",
    "libgomp.so.1",
    "libpthread.so.0",
    "libcrypt.so.1",
    "libpython3.9.so.1.0",
    "libnone.so.1",
    "libm.so",
    "ld-linux-x86-64.so.2",
)
#: Paths that are in every root and are no ordinary shared object.
ODD_PATHS = (
    "/usr/bin/python3.9",
    "/sbin/ldconfig",
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/../lib/x86_64-linux-gnu/libm.so.6",
    "lib/x86_64-linux-gnu/libutil.so.1",
    "./lib/x86_64-linux-gnu/librt.so.1",
    "/lib/x86_64-linux-gnu",
    "/dev/null",
    "/dev/zero",
    "/etc/ld.so.conf",
    f"{MOUNT_POINT}/none.so",
    f"{MOUNT_POINT}/{'n' * 300}.so",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing to open: its path inside the root, what was done to it ("" is nothing), and on what machine ("" is any).

    `since` is the first glibc that can be asked.
    """

    path: str
    family: str
    edit: str = ""
    machine: str = ""
    since: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Everything that lies under `directory`, which is mounted at MOUNT_POINT."""

    directory: Path
    intact: tuple[Subject, ...]
    damaged: tuple[Subject, ...]
    rules: tuple[Subject, ...]

    def of(self, host: Host) -> list[Subject]:
        """What is opened on `host`."""
        everything = [*self.intact, *_by_name(), *_of_root(host.root), *self.damaged, *self.rules]
        here = [subject for subject in everything if subject.machine in ("", host.arch) and subject.since <= host.glibc]
        if host.families:
            return [subject for subject in here if subject.family in host.families]
        return [*here, *_sequences(here, host.arch)]


def corpus(seed: int | None = None, machines: Collection[str] = ("x86_64",)) -> Corpus:
    """The corpus for hosts of `machines`, fetched and made if it is not in the cache; another `seed` samples other edits."""
    directory = cache_dir() / "truth"
    wheels = unpacked(directory / "wheels")
    made = make_damaged(directory, wheels, seed, machines)
    damaged = tuple(
        Subject(path=f"{MOUNT_POINT}/{item['path']}", family=item["family"], edit=item["edit"], machine=item["machine"])
        for item in made
    )
    intact = (*(subject for wheel in wheels for subject in _of_wheel(wheel, directory)), *_odd(directory))
    rules = tuple(
        Subject(path=asked.paths, family=asked.family, edit=asked.case, machine=machine, since=asked.since)
        for machine in machines
        for asked in questions(directory, MOUNT_POINT, machine)
    )
    return Corpus(directory=directory, intact=intact, damaged=damaged, rules=rules)


def stratified(groups: dict[str, list[Subject]], count: int, coarse: Collection[str] = ()) -> dict[str, list[Subject]]:
    """About `count` pairs of host and subject: of every family on every host in turn, in an order that never changes.

    On the hosts `coarse` all families count as one.
    """
    strata: dict[tuple[str, str], list[tuple[str, Subject]]] = {}
    for name, subjects in groups.items():
        for subject in sorted(subjects, key=lambda subject: _rank(name, subject.path)):
            strata.setdefault((name, "" if name in coarse else subject.family), []).append((name, subject))
    chosen = [pair for turn in zip_longest(*strata.values()) for pair in turn if pair is not None][:count]
    return {name: [subject for at, subject in chosen if at == name] for name in groups}


def _rank(*parts: str) -> bytes:
    return blake2b("\n".join(parts).encode("utf-8", "surrogateescape"), digest_size=8).digest()


def _is_elf(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(4) == ELF


def _of_wheel(wheel: Path, directory: Path) -> Iterator[Subject]:
    platform = wheel.name.rpartition("-")[2]
    family = "wheel-musl" if "musllinux" in platform else "wheel-aarch64" if "aarch64" in platform else "wheel"
    for file in sorted(wheel.rglob("*")):
        if file.is_file():
            yield Subject(path=f"{MOUNT_POINT}/{file.relative_to(directory)}", family=family)


def _by_name() -> Iterator[Subject]:
    yield from (Subject(path=name, family="by-name") for name in BY_NAME)
    yield from (Subject(path=path, family="odd") for path in ODD_PATHS)


def _of_root(root: Path) -> Iterator[Subject]:
    """A sample of each kind of directory: the system's libraries, gconv, each Python's own modules, and so on."""
    groups: dict[str, list[Path]] = {}
    for file in sorted((root / "usr/lib").rglob("*.so*")):
        if _is_elf(file):
            groups.setdefault(_group(file.relative_to(root)), []).append(file.relative_to(root))
    for group in groups.values():
        for file in sorted(group, key=lambda file: _rank(str(file)))[:ROOT_SAMPLE]:
            yield Subject(path=f"/{file}", family="root")


def _group(file: Path) -> str:
    return "/".join(file.parts[2:4]) if len(file.parts) > 4 else file.parts[2]


def _sequences(subjects: Sequence[Subject], arch: str) -> Iterator[Subject]:
    """Several objects opened in one process, one after the other: what is loaded already decides, too."""
    random = Random(arch)
    intact = [subject for subject in subjects if subject.family in {"wheel" if arch == "x86_64" else f"wheel-{arch}", "root"}]
    damaged = [
        subject for subject in subjects if subject.family in {"stack", "tls", "names", "dependency stack", "dependency tls"}
    ]
    for _ in range(SEQUENCES):
        chosen = [
            *random.sample(intact, random.randrange(3)),
            *random.sample(damaged, random.randrange(1, 3)),
            random.choice(intact),
        ]
        if random.random() < 0.5:
            chosen.append(random.choice(damaged))
        paths = "\t".join(subject.path for subject in chosen)
        yield Subject(path=paths, family="sequence", edit="; ".join(subject.edit or "intact" for subject in chosen))


def _odd(directory: Path) -> Sequence[Subject]:
    """Files that are no shared objects at all, or none for this machine; some bear names that are searched for."""
    odd = directory / "odd"
    odd.mkdir(parents=True, exist_ok=True)
    contents = {
        "empty.so": b"",
        "four.so": ELF,
        "zeros.so": bytes(4096),
        "text.so": b"int main(void) { return 0; }\n" * 8,
        "script.so": b"/* GNU ld script */\nGROUP ( /lib/x86_64-linux-gnu/libc.so.6 )\n",
        "pointer.so": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n",
        "libquadmath-96973f99.so.0.0.0": b"not a library\n" * 100,
    }
    for name, content in contents.items():
        if not (odd / name).exists():
            (odd / name).write_bytes(content)
    foreign = min((directory / "wheels").rglob("*-aarch64-linux-gnu.so"))
    links = {
        "nowhere.so": "gone.so",
        "loop.so": "loop.so",
        "directory.so": ".",
        "libm.so": "/lib/x86_64-linux-gnu/libm.so.6",
        "libXau-154567c4.so.6.0.0": f"../{foreign.relative_to(directory)}",
    }
    for name, target in links.items():
        if not (odd / name).is_symlink():
            (odd / name).symlink_to(target)
    names = (*sorted([*contents, *links]), "text.so/under.so", "none/under.so", "../odd/text.so", ".")
    return [Subject(path=f"{MOUNT_POINT}/odd/{name}", family="odd") for name in names]
