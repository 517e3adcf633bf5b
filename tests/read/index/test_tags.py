from __future__ import annotations

import platform
import sys
import sysconfig

import pytest

from abicheck.model.host import Arch, Libc
from abicheck.model.index import Target
from abicheck.read.index.tags import markers, platforms, tags


@pytest.mark.parametrize(
    ("arch", "libc", "expected"),
    [
        (
            "x86_64",
            Libc("glibc", (2, 12)),
            (
                "linux manylinux_2_12 manylinux2010 manylinux_2_11 manylinux_2_10 manylinux_2_9 manylinux_2_8 "
                "manylinux_2_7 manylinux_2_6 manylinux_2_5 manylinux1"
            ),
        ),
        ("aarch64", Libc("glibc", (2, 19)), "linux manylinux_2_19 manylinux_2_18 manylinux_2_17 manylinux2014"),
        ("aarch64", Libc("glibc", (2, 16)), "linux"),
        ("x86_64", Libc("musl", (1, 2, 5)), "linux musllinux_1_2 musllinux_1_1 musllinux_1_0"),
    ],
)
def test_platforms(arch: Arch, libc: Libc, expected: str) -> None:
    assert platforms(arch, libc) == tuple(f"{name}_{arch}" for name in expected.split())


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or platform.machine() not in ("x86_64", "aarch64"),
    reason="needs a Linux with glibc, to ask its own Python",
)
def test_tags_are_those_of_a_real_python() -> None:
    from packaging.tags import sys_tags  # noqa: PLC0415

    libc = Libc("glibc", tuple(map(int, platform.libc_ver()[1].split("."))))
    arch: Arch = "x86_64" if platform.machine() == "x86_64" else "aarch64"
    here = Target(sys.version_info[:2], arch, libc, bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
    real = [str(tag) for tag in sys_tags()]
    assert set(tags(here)) == set(real)
    # Where `linux_x86_64` stands among them depends on the version of packaging.
    assert [tag for tag in tags(here) if "-linux_" not in tag] == [tag for tag in real if "-linux_" not in tag]


def test_a_free_threaded_python_takes_no_abi3() -> None:
    found = tags(Target((3, 13), "x86_64", Libc("musl", (1, 2)), free_threaded=True))
    assert found[1] == "cp313-cp313t-musllinux_1_2_x86_64"
    assert not [tag for tag in found if "-abi3-" in tag]


@pytest.mark.parametrize(("python", "full"), [((3, 9), "3.9.99"), ((3, 9, 2), "3.9.2")])
def test_markers(python: tuple[int, ...], full: str) -> None:
    found = markers(Target(python, "aarch64", Libc("musl", (1, 2))))
    assert (found["python_version"], found["python_full_version"], found["platform_machine"]) == ("3.9", full, "aarch64")
