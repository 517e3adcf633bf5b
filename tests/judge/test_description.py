"""What a host's values and its loader say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abicheck.judge.description import describe
from abicheck.model.elf import Malformed
from abicheck.model.host import Interpreter, Policy
from abicheck.model.report import Tool
from tests.judge.loader.machine import LDSO, LIBC, PROGRAM, defines, host, library, segments
from tests.judge.loader.musl_machine import musl_host

if TYPE_CHECKING:
    from abicheck.model.description import Description
    from abicheck.model.host import Host

TOOL = Tool("abicheck", "0.1.0")
PYTHON = Interpreter(PROGRAM, (3, 12))


TABLE = {"libc.so.6": {"GLIBC_2.2.5": frozenset(("malloc",))}, "libm.so.6": {"GLIBC_2.2.5": frozenset(("exp",))}}


def _described(on: Host, no_python: str | None = None) -> Description:
    return describe(on._replace(python=PYTHON), TOOL, TABLE, no_python)


def test_a_fresh_python() -> None:
    found = _described(host({})).python
    assert found is not None
    assert (found.path, found.version, found.libpython, found.problem) == (PROGRAM, "3.12", None, None)
    assert found.objects == (LDSO, LIBC)
    assert (found.static_tls_left, found.static_tls_optional, found.stack_executable) == (1664, 512, False)


def test_a_python_with_a_library_an_executable_stack_and_another_path() -> None:
    libpython = "/usr/lib/libpython3.12.so.1.0"
    program = library([libpython.rpartition("/")[2], "libc.so.6"], interpreter=LDSO, segments=segments(stack=7))
    files: dict[str, Any] = {"/opt/python": program, PROGRAM: "/opt/python", libpython: library(["libc.so.6"])}
    found = _described(host(files)).python
    assert found is not None
    assert (found.libpython, found.stack_executable, found.real_path) == (libpython, True, "/opt/python")


def test_a_python_that_does_not_start_is_described_all_the_same() -> None:
    found = _described(host({PROGRAM: library(["libgone.so.1", "libc.so.6"], interpreter=LDSO)}))
    assert found.python is not None
    assert "libgone.so.1: cannot open shared object file" in str(found.python.problem)


def test_a_python_that_cannot_be_mapped_is_described_all_the_same() -> None:
    for program in (Malformed("not-elf", 9), Malformed("left-out", 9)):
        found = _described(host({PROGRAM: program}))
        assert found.python is not None
        assert found.python.objects == ()
        assert {each.problem is not None for each in found.libraries} == {True}


def test_no_python() -> None:
    found = _described(host({}), "there is no python3")
    assert (found.python, found.no_python) == (None, "there is no python3")
    assert found.self_check is not None


def test_libraries_are_found_as_the_loader_finds_them_with_the_newest_of_each_family() -> None:
    nodes = ("GLIBCXX_3.4.9", "GLIBCXX_3.4.30", "GLIBCXX_3.4.4", "CXXABI_1.3.13", "CXXABI_1.3", "CXXABI_FLOAT128", "CXXABI_TM_1")
    cxx = library(["libc.so.6"], version_definitions=defines(*nodes))
    found = _described(host({"/x/libstdc++.so.6": cxx, "/lib/libgomp.so.1": library()}, environment={"LD_LIBRARY_PATH": "/x"}))
    stdcxx, gcc, gomp = found.libraries
    assert (stdcxx.path, stdcxx.newest, stdcxx.problem) == ("/x/libstdc++.so.6", ("CXXABI_1.3.13", "GLIBCXX_3.4.30"), None)
    assert (gomp.path, gomp.newest) == ("/lib/libgomp.so.1", ())
    assert (gcc.path, gcc.problem) == (None, "libgcc_s.so.1: cannot open shared object file: No such file or directory")
    assert found.environment == (("LD_LIBRARY_PATH", "/x"),)


def test_a_library_that_does_not_load() -> None:
    found = _described(host({"/lib/libgomp.so.1": library(["libgone.so.1"])})).libraries[-1]
    assert found.path == "/lib/libgomp.so.1"
    assert found.problem == "libgone.so.1: cannot open shared object file: No such file or directory"


def test_the_self_check() -> None:
    check = _described(host({})).self_check
    assert check is not None
    assert (check.libraries, check.absent, check.symbols) == (("libc.so.6",), ("libm.so.6",), 1)
    assert {each.explanation for each in check.differences} == {"a node without symbols"}  # GLIBC_2.3 and so on
    assert describe(host({}, python=PYTHON), TOOL, {}).self_check is None


@pytest.mark.parametrize(
    ("on", "stack"),
    [
        (host({}, (2, 40)), "allowed"),
        (host({}, (2, 40), policy=Policy(exec_stack=13)), "denied"),
        (host({}, (2, 41)), "refused"),
        (musl_host({}), "ignored"),
    ],
)
def test_what_becomes_of_an_executable_stack(on: Host, stack: str) -> None:
    assert _described(on).policy.exec_stack == stack


def test_policies() -> None:
    policy = Policy(exec_stack=13, text_relocation=1, exec_mapping=(("/home/apps", 0), ("/home", 1), ("/dev/shm", 1)))
    found = _described(host({}, policy=policy)).policy
    assert (found.exec_stack_errno, found.text_relocation_errno) == ("Permission denied", "Operation not permitted")
    assert (found.noexec_mounts, found.exec_mounts) == (("/dev/shm", "/home"), ("/home/apps",))


def test_the_cache_and_the_markers() -> None:
    on = host({LIBC: library(version_definitions=defines("GLIBC_2.2.5", "GLIBC_ABI_DT_RELR"), dynamic={"soname": "libc.so.6"})})
    found = _described(on)
    assert (found.loader.cache, found.libc.markers) == ("absent", ("GLIBC_ABI_DT_RELR",))
    assert _described(host({"/etc/ld.so.cache": library()})).loader.cache == "invalid"
    with_cache = on._replace(loader=on.loader._replace(cache={"libx.so.1": ("/x/libx.so.1",)}))
    assert (_described(with_cache).loader.cache, _described(with_cache).loader.cache_names) == ("valid", 1)


def test_musl() -> None:
    found = _described(musl_host({}))
    assert (found.libc.min_kernel, found.loader.cache) == (None, "unused")
    assert found.python is not None
    assert found.python.static_tls_left is None
