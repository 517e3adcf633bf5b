"""The roots that the truth is asked in: four glibc versions, each also without its C++ runtime and with an ld.so.cache."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from containers.make_root import Recipe, cache_dir, make_root

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPES = {
    "glibc-2.31": Recipe(suite="bullseye", pythons=("3.9",)),
    "glibc-2.36": Recipe(suite="bookworm", pythons=("3.9", "3.11")),
    "glibc-2.41": Recipe(suite="trixie", pythons=("3.9", "3.13")),
    "glibc-2.43": Recipe(suite="forky", pythons=("3.9", "3.14")),
}
#: Suites that still change: their roots report, but they do not gate.
ROLLING = ("forky",)
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
#: Only the cache leads here, so what lies here is found through it or not at all.
CACHED = Path("opt/runtime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One root directory; `full` ones get the whole corpus, the others only what their difference can touch."""

    name: str
    path: Path
    full: bool
    rolling: bool


def names() -> list[str]:
    """Every root's name."""
    return [*RECIPES, *(f"{base}-{kind}" for kind in VARIANTS for base in RECIPES)]


def root(name: str) -> Root:
    """The root called `name`, made now if it is not in the cache."""
    base, _, kind = name.removeprefix("glibc-").partition("-")
    recipe = RECIPES[f"glibc-{base}"]
    path = cache_dir() / "roots" / name
    if not path.exists() and not kind:
        make_root(recipe, path)
    elif not path.exists():
        _make_variant(root(f"glibc-{base}").path, path, VARIANTS[kind])
    return Root(name=name, path=path, full=not kind, rolling=recipe.suite in ROLLING)


def identity(path: Path) -> str:
    """A digest of what the root at `path` holds, from names, sizes and times."""
    digest = blake2b(digest_size=16)
    for file in sorted(path.rglob("*")):
        if file.is_symlink() or file.is_file():
            state = file.lstat()
            digest.update(f"{file.relative_to(path)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _make_variant(base: Path, path: Path, change: Callable[[Path], None]) -> None:
    """Copy `base` by hard links and change the copy; no file is edited in place."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as work:
        copy = Path(work, "root")
        subprocess.run(["cp", "-al", base, copy], check=True)
        change(copy)
        copy.rename(path)


def _runtime(copy: Path) -> list[Path]:
    return [file for stem in ("libstdc++.so", "libgomp.so") for file in sorted((copy / LIBRARIES).glob(f"{stem}*"))]


def _bare(copy: Path) -> None:
    for file in _runtime(copy):
        file.unlink()


def _cached(copy: Path) -> None:
    (copy / CACHED).mkdir(parents=True)
    for file in _runtime(copy):
        shutil.move(file, copy / CACHED / file.name)
    (copy / "etc/ld.so.conf.d").mkdir(exist_ok=True)
    (copy / "etc/ld.so.conf.d/runtime.conf").write_text(f"/{CACHED}\n", encoding="ascii")
    conf = copy / "etc/ld.so.conf"
    conf.unlink(missing_ok=True)
    conf.write_text("include /etc/ld.so.conf.d/*.conf\n", encoding="ascii")
    # The root's own ldconfig: the format of the cache changed in 2.32.
    subprocess.run(["chroot", copy, "/sbin/ldconfig"], check=True)


VARIANTS: dict[str, Callable[[Path], None]] = {"bare": _bare, "cached": _cached}
