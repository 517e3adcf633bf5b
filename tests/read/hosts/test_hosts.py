from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import HostError, UsageError
from abicheck.read.hosts import open_host

if TYPE_CHECKING:
    from pathlib import Path

VERSION = sys.version_info[:2]


@pytest.fixture
def root(machine_root: Path, tmp_path: Path) -> Path:
    """A root that a test may change."""
    copy = tmp_path / "root"
    shutil.copytree(machine_root, copy, symlinks=True)
    return copy


@pytest.mark.parametrize("spec", ["debian:99", "rootfs", "rootfs:", "", "Local", "image:"])
def test_an_unknown_host_is_wrong_usage_and_names_the_known_ones(spec: str) -> None:
    with pytest.raises(UsageError, match=r"local.*rootfs:DIR"):
        open_host(spec)


class TestRoot:
    def test_its_own_loader_tells_about_it(self, root: Path) -> None:
        host = open_host(f"rootfs:{root}")
        local = open_host("local")
        assert (host.arch, host.libc, host.loader.path) == (local.arch, local.libc, local.loader.path)
        assert host.loader.system_dirs == local.loader.system_dirs
        assert host.loader.hwcap_subdirs == local.loader.hwcap_subdirs
        assert host.loader.cache is None
        assert host.python is not None
        assert (host.python.path, host.python.version) == ("/usr/bin/python3", VERSION)
        assert {"kernel", "selinux", "environment"} <= {assumption.fact for assumption in host.assumptions}

    def test_settings_are_its_environment(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LD_LIBRARY_PATH", "/of/this/process")
        assert open_host(f"rootfs:{root}").environment == {}
        host = open_host(f"rootfs:{root}", settings={"LD_PRELOAD": "libx.so"})
        assert host.environment == {"LD_PRELOAD": "libx.so"}
        assert "environment" not in {assumption.fact for assumption in host.assumptions}

    def test_the_preload_file_is_read(self, root: Path) -> None:
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/ld.so.preload").write_text("liba.so:libb.so # libc.so\n\n libd.so")
        assert open_host(f"rootfs:{root}").loader.preload == ("liba.so", "libb.so", "libd.so")

    def test_an_invalid_cache_is_none(self, root: Path) -> None:
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/ld.so.cache").write_bytes(b"no cache")
        assert open_host(f"rootfs:{root}").loader.cache is None

    def test_the_newest_python_where_there_is_no_python3(self, root: Path) -> None:
        (root / "usr/bin/python3").unlink()
        real = root / "usr/bin" / f"python{VERSION[0]}.{VERSION[1]}"
        for version in ("3.1", "3.2"):
            shutil.copy(real, root / f"usr/bin/python{version}")
        host = open_host(f"rootfs:{root}")
        assert host.python is not None
        assert host.python.version == VERSION

    @pytest.mark.parametrize("wanted", [f"{VERSION[0]}.{VERSION[1]}", "/usr/bin/python3", "python3", "{root}/usr/bin/python3"])
    def test_a_python_by_version_name_or_path(self, root: Path, wanted: str) -> None:
        host = open_host(f"rootfs:{root}", python=wanted.format(root=root))
        assert host.python is not None
        assert host.python.version == VERSION

    @pytest.mark.parametrize(
        ("python", "message"),
        [
            ("2.7", rf"no python2.7 .*{VERSION[0]}\.{VERSION[1]}.*--python"),
            ("/usr/bin/pypy", "no Python at /usr/bin/pypy"),
            ("/usr/bin", "no Python at /usr/bin"),
            ("/usr/bin/script", "no ELF program"),
            ("/usr/bin/static", "statically linked"),
            ("/usr/bin/foreign", "built for riscv; abicheck knows x86_64 and aarch64"),
            ("/usr/bin/small", "built for x86_64 .ELF class 1"),
            ("/usr/bin/lost", "no C library: .*asks for the loader /lib/ld-lost"),
        ],
    )
    def test_a_python_that_cannot_be_the_target(self, root: Path, python: str, message: str) -> None:
        programs = root / "usr/bin"
        (programs / "script").write_text("#!/bin/sh\n")
        (programs / "static").write_bytes(_program(62, 2, None))
        (programs / "foreign").write_bytes(_program(243, 2, None))
        (programs / "small").write_bytes(_program(62, 1, None))
        (programs / "lost").write_bytes(_program(62, 2, b"/lib/ld-lost.so.1\0"))
        with pytest.raises(HostError, match=message):
            open_host(f"rootfs:{root}", python=python)

    def test_what_is_no_root(self, tmp_path: Path) -> None:
        with pytest.raises(HostError, match="is no directory"):
            open_host(f"rootfs:{tmp_path}/nothing")
        with pytest.raises(HostError, match="no C library in it"):
            open_host(f"rootfs:{tmp_path}")

    def test_a_root_without_any_python(self, root: Path) -> None:
        for program in (root / "usr/bin").iterdir():
            program.unlink()
        with pytest.raises(HostError, match=r"no python3 in .*none"):
            open_host(f"rootfs:{root}")

    def test_a_loader_of_no_known_library(self, root: Path) -> None:
        open_host(f"rootfs:{root}")
        for loader in [*root.glob("lib64/ld-*"), *root.glob("lib/ld-*"), *root.glob("usr/lib*/ld-*")]:
            loader.write_bytes(b"\x7fELF nothing")
        with pytest.raises(HostError, match="no C library that abicheck knows"):
            open_host(f"rootfs:{root}")


def _program(machine: int, elf_class: int, interpreter: bytes | None) -> bytes:
    """An ELF header, and one program header if the program asks for a loader."""
    ident = b"\x7fELF" + bytes((elf_class, 1, 1)) + bytes(9)
    count = 0 if interpreter is None else 1
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0)
    if interpreter is None:
        return header
    return header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(interpreter), len(interpreter), 1) + interpreter


@pytest.mark.skipif(sys.platform != "linux", reason="the host local is a Linux machine")
class TestLocal:
    def test_it_is_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
        monkeypatch.setenv("LD_DEBUG", "unused")
        host = open_host("local", settings={"GLIBC_TUNABLES": "glibc.rtld.execstack=2"})
        assert host.python is not None
        assert (host.python.path, host.python.version) == (sys.executable, VERSION)
        assert host.environment["LD_LIBRARY_PATH"] == "/opt/lib"
        assert host.environment["GLIBC_TUNABLES"] == "glibc.rtld.execstack=2"
        assert "LD_DEBUG" not in host.environment
        assert host.cwd == os.getcwd()
        assert ".".join(map(str, host.kernel[:2])) == ".".join(os.uname().release.split(".")[:2])
        if host.libc.kind == "glibc":
            assert os.confstr("CS_GNU_LIBC_VERSION") == str(host.libc)

    def test_another_interpreter_by_its_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "python").symlink_to(os.path.realpath(sys.executable))
        monkeypatch.chdir(tmp_path)
        host = open_host("local", python="./python")
        assert host.python is not None
        assert (host.python.path, host.python.version) == (f"{tmp_path}/python", VERSION)

    def test_the_loader_says_the_same_about_itself(self) -> None:
        """`ld.so --help` prints its directories and the subdirectories that it would search (since 2.33)."""
        host = open_host("local")
        printed = subprocess.run([host.loader.path, "--help"], capture_output=True, text=True, check=False).stdout
        if "system search path" not in printed:
            pytest.skip("this loader is too old to tell, or no glibc")
        directories = re.findall(r"^  (\S+) \(system search path\)", printed, re.MULTILINE)
        assert [f"{each}/" for each in directories] == list(host.loader.system_dirs)
        named = re.findall(r"^  (x86-64-v\d) \(supported, searched\)", printed, re.MULTILINE)
        assert [f"glibc-hwcaps/{each}/" for each in named] == [
            each for each in host.loader.hwcap_subdirs if "glibc-hwcaps" in each
        ]

    def test_the_tunable_has_the_bounds_that_the_loader_prints(self) -> None:
        host = open_host("local")
        printed = subprocess.run([host.loader.path, "--list-tunables"], capture_output=True, text=True, check=False).stdout
        bounds = re.search(r"glibc\.rtld\.execstack: .*max: (\d+)", printed)
        assert host.loader.execstack_tunable_max == (int(bounds.group(1)) if bounds else 0)
