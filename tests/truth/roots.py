"""The hosts that the truth is asked on: roots of four glibc versions, changed ones, and ones with the loader's variables set."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from containers.make_root import Recipe, cache_dir, make_root
from tests.truth.rules import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECIPES = {
    "glibc-2.31": Recipe(suite="bullseye", pythons=("3.9",)),
    "glibc-2.36": Recipe(suite="bookworm", pythons=("3.9", "3.11")),
    "glibc-2.41": Recipe(suite="trixie", pythons=("3.9", "3.13")),
    "glibc-2.43": Recipe(suite="forky", pythons=("3.9", "3.14")),
    "aarch64-glibc-2.31": Recipe(suite="bullseye", pythons=("3.9",), architecture="arm64"),
    "aarch64-glibc-2.36": Recipe(suite="bookworm", pythons=("3.9",), architecture="arm64"),
    "aarch64-glibc-2.41": Recipe(suite="trixie", pythons=("3.9",), architecture="arm64"),
    "aarch64-glibc-2.43": Recipe(suite="forky", pythons=("3.9",), architecture="arm64"),
}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
#: Suites that still change: their roots report, but they do not gate.
ROLLING = ("forky",)
#: Where the corpus lies inside a root.
MOUNT_POINT = "/x"
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
#: Only the cache leads here, so what lies here is found through it or not at all.
CACHED = Path("opt/runtime")
INTACT = ("wheel", "wheel-musl", "wheel-aarch64", "by-name", "odd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A root directory and the variables that its loader gets; only `families` of the corpus are asked there, or all if empty."""

    name: str
    root: Path
    rolling: bool
    arch: str = "x86_64"
    environment: Mapping[str, str] = field(default_factory=dict)
    families: tuple[str, ...] = ()

    @property
    def glibc(self) -> tuple[int, ...]:
        """Its version, as in (2, 36); () for musl."""
        found = re.search(r"glibc-(\d+)\.(\d+)", self.name)
        return tuple(map(int, found.groups())) if found else ()


def names() -> list[str]:
    """Every host's name: the roots, those of x86-64 changed (`-`), and those with variables (`+`)."""
    bases = [base for base, recipe in RECIPES.items() if recipe.architecture == "amd64"]
    return [
        *RECIPES,
        *(f"{base}-{kind}" for kind in CHANGES for base in bases),
        *(f"{base}+{key}" for key in SETTINGS for base in bases),
    ]


def open_host(name: str) -> Host:
    """The host called `name`; its root is made now if it is not in the cache."""
    base = next(base for base in RECIPES if f"{name}-".startswith((f"{base}-", f"{base}+")))
    recipe, path = RECIPES[base], cache_dir() / "roots" / base
    if not path.exists():
        make_root(recipe, path)
    host = Host(name=name, root=path, rolling=recipe.suite in ROLLING, arch=MACHINES[recipe.architecture])
    kind = name[len(base) + 1 :]
    if kind in SETTINGS:
        environment, families = SETTINGS[kind]
        return replace(host, environment=environment, families=families)
    if kind in CHANGES:
        changed = cache_dir() / "roots" / name
        if not changed.exists():
            _change(path, changed, CHANGES[kind])
        return replace(host, root=changed, families=INTACT)
    return host


@cache
def identity(root: Path) -> str:
    """A digest of what `root` holds, from names, sizes and times."""
    digest = blake2b(digest_size=16)
    for file in sorted(root.rglob("*")):
        if file.is_symlink() or file.is_file():
            state = file.lstat()
            digest.update(f"{file.relative_to(root)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _change(base: Path, path: Path, change: Callable[[Path], None]) -> None:
    """Copy `base` by hard links and change the copy; no file is edited in place."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as work:
        copy = Path(work, "root")
        subprocess.run(["cp", "-al", base, copy], check=True)
        change(copy)
        copy.rename(path)


def _runtime(copy: Path) -> list[Path]:
    return [file for stem in ("libstdc++.so", "libgomp.so") for file in sorted((copy / LIBRARIES).glob(f"{stem}*"))]


def _bare(copy: Path) -> None:
    """Without the C++ and OpenMP runtimes, as a slim image is."""
    for file in _runtime(copy):
        file.unlink()


def _cached(copy: Path) -> None:
    """With the runtimes where only ld.so.cache leads."""
    (copy / CACHED).mkdir(parents=True)
    for file in _runtime(copy):
        shutil.move(file, copy / CACHED / file.name)
    (copy / "etc/ld.so.conf.d").mkdir(exist_ok=True)
    (copy / "etc/ld.so.conf.d/runtime.conf").write_text(f"/{CACHED}\n", encoding="ascii")
    (copy / "etc/ld.so.conf").unlink(missing_ok=True)
    (copy / "etc/ld.so.conf").write_text("include /etc/ld.so.conf.d/*.conf\n", encoding="ascii")
    # The root's own ldconfig: the format of the cache changed in 2.32.
    subprocess.run(["chroot", copy, "/sbin/ldconfig"], check=True)


def _stale(copy: Path) -> None:
    """With a cache that names files which are gone, and a file in the system directory that it does not name."""
    _cached(copy)
    for file in (copy / CACHED).glob("libstdc++*"):
        shutil.move(file, copy / LIBRARIES / file.name)
    for file in (copy / CACHED).glob("libgomp*"):
        file.unlink()


def _broken(copy: Path) -> None:
    """With a cache that is cut short."""
    _cached(copy)
    cache = copy / "etc/ld.so.cache"
    content = cache.read_bytes()
    cache.unlink()
    cache.write_bytes(content[:1000])


CHANGES: dict[str, Callable[[Path], None]] = {"bare": _bare, "cached": _cached, "stale": _stale, "broken": _broken}
_SCIPY = "scipy-1.13.1-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64"
_LIBRARY_PATH = [
    f"{MOUNT_POINT}/odd",
    f"{MOUNT_POINT}/wheels/av-15.1.0-cp39-cp39-manylinux_2_28_x86_64/av.libs",
    f"x/wheels/{_SCIPY}/../{_SCIPY}/scipy.libs/",
    "",
    "$ORIGIN",
]
#: Variables, and the families that they can matter to.
SETTINGS: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "execstack": ({"GLIBC_TUNABLES": "glibc.rtld.execstack=2"}, (*INTACT, "stack", "dependency stack")),
    "library-path": ({"LD_LIBRARY_PATH": ":".join(_LIBRARY_PATH)}, INTACT),
    "preload": ({"LD_PRELOAD": "libstdc++.so.6 /lib/x86_64-linux-gnu/libgomp.so.1 libnone.so"}, INTACT),
    "static-tls": ({"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=256"}, ("wheel", "tls", "dependency tls")),
    **settings(MOUNT_POINT, "x86_64"),
}
