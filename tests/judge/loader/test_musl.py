"""musl's loader: what it looks for, what it does not look at, and its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.loader import Memo, musl
from abicheck.model.elf import Fault, Malformed, Segment, SharedObject
from abicheck.model.host import Policy
from tests.judge.loader.machine import (
    IDENT,
    PROGRAM,
    PT_DYNAMIC,
    PT_LOAD,
    defined,
    header,
    library,
    load,
    needs,
    only,
    segments,
    wanted,
)
from tests.judge.loader.musl_machine import LIBC, PYTHON, musl_host, said

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile

TLS_SEGMENTS = segments(tls=(16, 8))
IE = wanted("variable", kind="tls-static")._replace(type=18)


def test_reserved_names_are_the_c_library_whatever_follows() -> None:
    names = ["libc.so.6", "libm.so.6", "libpthread.so.0", "librt.", "libdl.so.2", "libutil.so.1", "libxnet.x/y"]
    link_map = load("/x/a.so", musl_host(only("a.so", names)))
    assert link_map.predicted is None
    assert [item.path for item in link_map.objects] == ["/x/a.so"]


@pytest.mark.parametrize("name", ["libmvec.so.1", "ld-linux-x86-64.so.2", "libresolv.so.2", "libstdc++.so.6"])
def test_a_missing_library(name: str) -> None:
    text = f"Error loading shared library {name}: No such file or directory (needed by /x/a.so)"
    assert said(only("a.so", [name])) == text


@pytest.mark.parametrize(
    ("file", "errno"),
    [
        (2, "No such file or directory"),
        (40, "Symbolic link loop"),
        (Malformed(reason="too-short", size=10), "Exec format error"),
        (Malformed(reason="short-program-headers", size=99, header=header()), "Exec format error"),
        (Malformed(reason="not-elf", size=99), "Exec format error"),
        (Malformed(reason="is-a-directory", size=0, errno=21), "Is a directory"),
        (Malformed(reason="bad-program-header-offset", size=99, header=header(), errno=22), "Invalid argument"),
        (library(header=header(kind=1)), "Exec format error"),
        (library(segments=segments()[:2]), "Exec format error"),
        (library(segments=segments()[2:3]), "Out of memory"),
        (library(segments=(*segments(), Segment(PT_LOAD, 6, 0, 0x5000, 0, 1 << 50, 4096))), "Out of memory"),
        (library(segments=(*segments(), Segment(PT_LOAD, 4, 1 << 63, 0x5000, 1, 1, 4096))), "Value too large for data type"),
    ],
)
def test_a_file_that_cannot_be_opened_or_mapped(file: ElfFile | int, errno: str) -> None:
    assert said({"/x/a.so": file}) == f"Error loading shared library /x/a.so: {errno}"


def test_neither_machine_nor_e_ident_is_looked_at() -> None:
    assert said({"/x/a.so": library(header=header(machine=183))}) is None
    damaged = Malformed(reason="not-elf", size=99, beneath=library())
    assert said({"/x/a.so": damaged}) is None
    foreign = SharedObject(header=header(ident=IDENT[:4] + b"\1" + IDENT[5:]), size=99, foreign=True)
    assert said({"/x/a.so": foreign}) == "Error loading shared library /x/a.so: Exec format error"


def test_what_is_made_for_another_machine_fails_at_its_first_relocation() -> None:
    jump = wanted("malloc", kind="plt")._replace(type=1026)
    text = "Error relocating /x/a.so: unsupported relocation type"
    assert said({"/x/a.so": library(header=header(machine=183), wants=[jump])}) == f"{text} 1026"
    relative = library(header=header(machine=183), dynamic={"has_rela": True, "relacount": 3})
    link_map = load("/x/a.so", musl_host({"/x/a.so": relative}))
    assert (link_map.predicted, link_map.errors[0].kind) == (f"{text} 1027", "wrong-machine")


def test_versions_are_not_compared() -> None:
    files = {**only("a.so", ["/x/b.so"], wants=[wanted("f", "V2", "/x/b.so")], version_needs=[needs("/x/b.so", "V2")])}
    assert said({**files, "/x/b.so": library(exports={"f": defined("V1")})}) is None
    old = library(exports={"f": defined("V1", hidden=True)})
    assert said({**files, "/x/b.so": old}) == "Error relocating /x/a.so: f: symbol not found"


def test_a_weak_reference_may_stay_open_unless_the_object_defines_it() -> None:
    weak = wanted("f", weak=True)
    assert said(only("a.so", wants=[weak])) is None
    assert (
        said(only("a.so", wants=[weak], exports={"f": defined("V1", hidden=True)}))
        == "Error relocating /x/a.so: f: symbol not found"
    )


def test_the_plt_is_relocated_first_and_each_object_in_the_order_of_loading() -> None:
    first = library(["/x/b.so"], wants=[wanted("data"), wanted("called", kind="plt")])
    files = {"/x/a.so": first, **only("b.so", wants=[wanted("other")])}
    texts = [error.text for error in load("/x/a.so", musl_host(files)).errors]
    assert texts == [f"Error relocating /x/{where}: symbol not found" for where in ("a.so: called", "a.so: data", "b.so: other")]


def test_undefined_symbols_are_no_errors_where_a_library_is_missing() -> None:
    assert len(load("/x/a.so", musl_host(only("a.so", ["libnone.so"], wants=[wanted("f")]))).errors) == 1


def test_an_indirect_function_is_no_definition() -> None:
    ifunc = defined()._replace(type=10)
    files = {**only("a.so", ["/x/b.so"], wants=[wanted("f")]), **only("b.so", exports={"f": ifunc})}
    assert said(files) == "Error relocating /x/a.so: f: symbol not found"
    relative = wanted("f")._replace(name=None, kind="irelative", type=37)
    assert said(only("a.so", wants=[relative])) == "Error relocating /x/a.so: unsupported relocation type 37"


@pytest.mark.parametrize(
    ("name", "since"),
    [("fopen64", (1, 2, 4)), ("readdir64_r", (1, 2, 4)), ("posix_fallocate64", (1, 2, 6)), ("malloc64", (9,))],
)
def test_lfs64_names_lead_to_the_plain_ones(name: str, since: tuple[int, ...]) -> None:
    for version in ((1, 2, 3), (1, 2, 4), (1, 2, 5), (1, 2, 6)):
        text = None if version >= since else f"Error relocating /x/a.so: {name}: symbol not found"
        assert said(only("a.so", wants=[wanted(name)]), version) == text


def test_initial_exec_tls_is_refused_after_the_start() -> None:
    own = library(wants=[IE], exports={"variable": defined(tls=True)}, segments=TLS_SEGMENTS)
    text = "initial-exec TLS resolves to dynamic definition in"
    assert said({"/x/a.so": own}) == f"Error relocating /x/a.so: variable: {text} /x/a.so"
    nameless = library(wants=[wanted("malloc", kind="plt"), IE._replace(name=None)], segments=TLS_SEGMENTS)
    error = load("/x/a.so", musl_host({"/x/a.so": nameless})).errors[0]
    assert (error.text, error.certain) == (f"Error relocating /x/a.so: malloc: {text} /x/a.so", False)
    assert musl.list_objects(musl_host({"/x/a.so": own}), "/x/a.so", Memo())[0].errors == ()


def test_initial_exec_tls_of_what_was_there_from_the_start() -> None:
    program = PYTHON._replace(segments=TLS_SEGMENTS)
    program = program._replace(definitions={"variable": (defined(tls=True),)})
    assert said({PROGRAM: program, **only("a.so", wants=[IE])}) is None


def test_a_weak_variable_that_nothing_defines_kills() -> None:
    assert said(only("a.so", wants=[IE._replace(weak=True)])) == "signal: SIGSEGV"


def test_search_order_and_inheritance() -> None:
    """LD_LIBRARY_PATH; then RUNPATH like RPATH of the object and of all that needed it; then the system's directories."""
    branch = library(["libleaf.so"])
    root = library(["libbranch.so"], dynamic={"runpath": "$ORIGIN/deep:/lib"})
    places = ("/env", "/x/deep", "/lib", "/usr/lib")
    for index, place in enumerate(places):
        files = {"/x/a.so": root, "/x/deep/libbranch.so": branch, **{f"{p}/libleaf.so": library() for p in places[index:]}}
        link_map = load("/x/a.so", musl_host(files, environment={"LD_LIBRARY_PATH": "/none:/env"}))
        assert link_map.objects[-1].path == f"{place}/libleaf.so"
    assert link_map.objects[-1].search.found == "system"


@pytest.mark.parametrize(
    ("path", "found"),
    [("$ORIGIN/../d", "/x/../d"), ("${ORIGIN}/../d", "/x/../d"), ("/d:$LIB", None), ("$ORIGINAL/d", "/xAL/d"), ("::/d\n", "/d")],
)
def test_tokens_of_a_search_path(path: str, found: str | None) -> None:
    files = {**only("a.so", ["libb.so"], dynamic={"runpath": path}), "/d/libb.so": library(), "/xAL/d/libb.so": library()}
    link_map = load("/x/a.so", musl_host(files))
    assert [item.path for item in link_map.objects[1:]] == ([f"{found}/libb.so"] if found else [])


def test_a_broken_file_ends_the_search() -> None:
    broken = Malformed(reason="too-short", size=3)
    files: dict[str, ElfFile] = {**only("a.so", ["libb.so"]), "/lib/libb.so": broken, "/usr/lib/libb.so": library()}
    assert said(files) == "Error loading shared library libb.so: Exec format error (needed by /x/a.so)"


def test_a_name_means_what_a_search_found_before_and_never_a_soname() -> None:
    named = library(dynamic={"soname": "libsoname.so"})
    files: dict[str, ElfFile | str | int] = {
        "/x/a.so": library(["/x/real.so", "libb.so", "real.so", "libsoname.so"]),
        "/x/real.so": named,
        "/lib/libb.so": "/x/real.so",
    }
    link_map = load("/x/a.so", musl_host(files))
    # The file's own name counts once a search has led to it by another; the soname does not.
    assert link_map.predicted == "Error loading shared library libsoname.so: No such file or directory (needed by /x/a.so)"
    assert [item.path for item in link_map.objects] == ["/x/a.so", "/x/real.so"]


def test_another_c_library_is_replaced_by_the_own_one() -> None:
    link_map = load("/glibc/libc.so.6", musl_host({"/glibc/libc.so.6": LIBC}))
    assert (link_map.predicted, link_map.objects) == (None, ())


def test_an_executable_at_fixed_addresses_loads_where_they_are_free() -> None:
    fixed = (Segment(PT_LOAD, 5, 0, 0x400000, 0x1000, 0x1000, 4096), Segment(PT_DYNAMIC, 6, 0, 0x400100, 9, 9, 8))
    files = {"/x/a.so": library(header=header(kind=2), segments=fixed)}
    assert said(files) is None
    program = PYTHON._replace(header=header(kind=2), segments=fixed)
    assert said({**files, PROGRAM: program}) == "Error loading shared library /x/a.so: Resource busy"


def test_deaths() -> None:
    assert said({"/x/a.so": library(faults=(Fault("mapping", "SIGBUS"),))}) == "signal: SIGBUS"
    assert said({"/x/a.so": library(dynamic={"has_gnu_hash": False})}) == "signal: SIGSEGV"
    # What glibc trips over and musl does not look at.
    assert (
        said({"/x/a.so": library(faults=(Fault("version-needs", "SIGSEGV"), Fault("notes", "SIGSEGV")), bad_bloom=True)}) is None
    )


def test_dt_relr_is_unknown_before_1_2_4() -> None:
    packed = only("a.so", dynamic={"has_relr": True})
    assert said(packed, (1, 2, 3)) == "signal: SIGSEGV"
    assert said(packed, (1, 2, 4)) is None
    assert musl.list_objects(musl_host(packed, (1, 2, 3)), "/x/a.so", Memo())[0].errors == ()


def test_relro_outside_the_mapping() -> None:
    relro = (*segments(), Segment(0x6474E552, 4, 0, 0x9000, 0x1000, 0x1000, 1))
    text = "Error relocating /x/a.so: RELRO protection failed:"
    assert said({"/x/a.so": library(segments=relro)}, (1, 2, 3)) == f"{text} Out of memory"
    assert said({"/x/a.so": library(segments=relro)}) == f"{text} No error information"


def test_policies() -> None:
    denied = Policy(exec_mapping=(("/x/", 1),), text_relocation=13)
    assert said(only("a.so"), policy=denied) == "Error loading shared library /x/a.so: Operation not permitted"
    moved = {"/y/a.so": library(dynamic={"tags": (22,)})}
    assert load("/y/a.so", musl_host(moved, policy=denied)).predicted == "Error loading shared library /y/a.so: Permission denied"


def test_an_executable_stack_is_no_matter() -> None:
    assert said({"/x/a.so": library(segments=segments(stack=7))}) is None
