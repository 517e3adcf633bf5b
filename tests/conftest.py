"""Roots to judge on: this machine's own interpreter with its C library, copied where no test can harm them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from abicheck.model.elf import SharedObject
from abicheck.read.elf import read_elf


@pytest.fixture(scope="session")
def mapped_files() -> list[str]:
    """The files that a fresh interpreter has mapped, as the kernel lists them."""
    if sys.platform != "linux":
        pytest.skip("only Linux lists what a process has mapped")
    program = "print(open('/proc/self/maps').read())"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    maps = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    return sorted(
        {match for match in re.findall(r" r\S+ \S+ \S+ \S+ +(/.*)", maps.stdout) if re.search(r"\.so(\.|$)|/python", match)}
    )


@pytest.fixture(scope="session")
def machine_root(tmp_path_factory: pytest.TempPathFactory, mapped_files: list[str]) -> Path:
    """A root file system that holds a Python, its libraries and its loader, and nothing else."""
    root = tmp_path_factory.mktemp("machine") / "root"
    for name in [*mapped_files, *_loaders(), *_runtime_libraries()]:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)
        _link_soname(target)
    python = os.path.realpath(sys.executable)
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    if not (root / "usr/bin" / Path(python).name).exists():
        shutil.copy(python, root / "usr/bin" / Path(python).name)
    (root / "usr/bin/python3").symlink_to(Path(python).name)
    return root


def _link_soname(library: Path) -> None:
    """Give a library the name that is searched for: the kernel lists the file that a link such as libz.so.1 leads to."""
    facts = read_elf(str(library))
    soname = facts.dynamic.soname if isinstance(facts, SharedObject) and facts.dynamic is not None else None
    if soname is not None and not (library.parent / soname).exists():
        (library.parent / soname).symlink_to(library.name)


def _loaders() -> list[str]:
    return [each for each in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1") if os.path.exists(each)]


def _runtime_libraries() -> list[str]:
    """What extension modules of the standard library need besides what the interpreter has mapped already."""
    found = []
    for directory in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"):
        found += [
            path
            for name in ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2")
            if os.path.exists(path := f"{directory}/{name}")
        ]
    return found


@pytest.fixture(scope="session")
def extension() -> Path:
    """An extension module of the running interpreter."""
    directory = Path(sysconfig.get_config_var("DESTSHARED"))
    found = sorted(directory.glob("_json*.so")) or sorted(directory.glob("*.so"))
    if not found:
        pytest.skip("this interpreter has no extension modules")
    return found[0]
