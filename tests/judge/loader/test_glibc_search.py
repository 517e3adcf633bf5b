"""Where glibc looks, what it takes, and how it spells it."""

from __future__ import annotations

import pytest

from abicheck.judge.loader import dlopen, start
from abicheck.model.elf import ElfFile, Malformed
from tests.judge.loader.machine import LIBC, defined, header, host, library, load, only, wanted

MISSING = "cannot open shared object file: No such file or directory"


def test_file_names_count_not_sonames() -> None:
    lib = library(dynamic={"soname": "libwanted.so.1"})
    on = host({**only("a.so", ["libwanted.so.1"], dynamic={"runpath": "/x"}), "/x/libother.so": lib})
    assert load("/x/a.so", on).predicted == f"libwanted.so.1: {MISSING}"


def test_a_soname_counts_once_it_is_loaded() -> None:
    lib = library(dynamic={"soname": "libwanted.so.1"})
    on = host({**only("a.so", ["/x/libother.so", "libwanted.so.1"]), "/x/libother.so": lib})
    assert load("/x/a.so", on).predicted is None


def test_paths_stay_as_they_were_built() -> None:
    broken = library(wants=[wanted("nowhere")])
    files = {"/x/pkg/a.so": library(["libb.so"], dynamic={"rpath": "$ORIGIN/../pkg.libs"}), "/x/pkg.libs/libb.so": broken}
    assert load("/x/pkg/a.so", host(files)).predicted == "/x/pkg/../pkg.libs/libb.so: undefined symbol: nowhere"


def test_origin_is_the_directory_of_the_path_as_opened() -> None:
    files: dict[str, ElfFile | str | int] = {
        "/x/link.so": "/y/real.so",
        "/y/real.so": library(["libb.so"], dynamic={"runpath": "${ORIGIN}"}),
        "/y/libb.so": library(),
    }
    assert load("/x/link.so", host(files)).predicted == f"libb.so: {MISSING}"
    assert load("/y/real.so", host(files)).predicted is None


@pytest.mark.parametrize(
    ("token", "directory"), [("$LIB", "/opt/lib/x86_64-linux-gnu"), ("$LIBS", "/opt/$LIBS"), ("$X", "/opt/$X")]
)
def test_only_known_tokens_are_replaced(token: str, directory: str) -> None:
    files = {**only("a.so", ["libb.so"], dynamic={"runpath": f"/opt/{token}"}), f"{directory}/libb.so": library()}
    assert load("/x/a.so", host(files)).predicted is None


def test_search_order() -> None:
    """RPATH, LD_LIBRARY_PATH, RUNPATH, the cache, the built-in directories; an object with a RUNPATH uses no RPATH at all."""
    places = ["/rpath", "/env", "/runpath", "/cached", "/lib/x86_64-linux-gnu"]
    libraries = {f"{place}/libb.so": library() for place in places}

    def found(dynamic: dict[str, str], present: list[str]) -> str:
        files = {**only("a.so", ["libb.so"], dynamic=dynamic), **{f"{p}/libb.so": libraries[f"{p}/libb.so"] for p in present}}
        on = host(files, environment={"LD_LIBRARY_PATH": "/env"})
        on = on._replace(loader=on.loader._replace(cache={"libb.so": ("/cached/libb.so",)}))
        return next(item.path for item in load("/x/a.so", on).objects if item.path.endswith("libb.so"))

    both = {"rpath": "/rpath", "runpath": "/runpath"}
    assert found({"rpath": "/rpath"}, places) == "/rpath/libb.so"
    assert found(both, places) == "/env/libb.so"
    assert found(both, [p for p in places if p != "/env"]) == "/runpath/libb.so"
    assert found({}, places[3:]) == "/cached/libb.so"
    assert found({}, places[4:]) == "/lib/x86_64-linux-gnu/libb.so"


def test_rpath_serves_dependencies_and_runpath_does_not() -> None:
    files = {"/x/libb.so": library(["libc2.so"]), "/x/libc2.so": library()}
    by_rpath = host({**only("a.so", ["libb.so"], dynamic={"rpath": "/x"}), **files})
    by_runpath = host({**only("a.so", ["libb.so"], dynamic={"runpath": "/x"}), **files})
    assert load("/x/a.so", by_rpath).predicted is None
    assert load("/x/a.so", by_runpath).predicted == f"libc2.so: {MISSING}"


def test_the_interpreters_rpath_serves_extensions_without_runpath() -> None:
    program = library(["libc.so.6"], dynamic={"rpath": "$ORIGIN/../lib"}, interpreter="/lib64/ld-linux-x86-64.so.2")
    files = {"/usr/bin/python3": program, "/usr/lib/libb.so": library()}
    hidden = host({}).loader._replace(system_dirs=("/lib/x86_64-linux-gnu/",))
    assert load("/x/a.so", host({**only("a.so", ["libb.so"]), **files}, loader=hidden)).predicted is None
    runpath = only("a.so", ["libb.so"], dynamic={"runpath": "/nowhere"})
    assert load("/x/a.so", host({**runpath, **files}, loader=hidden)).predicted == f"libb.so: {MISSING}"


@pytest.mark.parametrize("tag", ["rpath", "runpath"])
def test_a_name_given_to_dlopen_is_looked_for_along_the_callers_path(tag: str) -> None:
    files = {"/x/libb.so": library(["libc2.so"]), "/x/libc2.so": library(), "/y/libd.so": library()}
    on = host({**only("a.so", dynamic={tag: "/x:/y"}), **files})
    begun, process = start(on, "/usr/bin/python3")
    assert begun.errors == ()
    assert dlopen(process, "libd.so", on)[0].predicted == f"libd.so: {MISSING}"
    _, process = dlopen(process, "/x/a.so", on)
    caller = len(process.objects) - 1
    assert dlopen(process, "libd.so", on, caller=caller)[0].predicted is None
    # It is not the loader of what it opens, whose dependencies are looked for elsewhere.
    assert dlopen(process, "libb.so", on, caller=caller)[0].predicted == f"libc2.so: {MISSING}"


def test_nodeflib_leaves_out_the_system_directories() -> None:
    lib = {"/lib/x86_64-linux-gnu/libb.so": library()}
    on = host({**only("a.so", ["libb.so"], dynamic={"flags_1": 0x800}), **lib})
    # Nothing was opened for it, so there is no errno to tell.
    assert load("/x/a.so", on).predicted == "libb.so: cannot open shared object file"
    assert load("/x/a.so", host({**only("a.so", ["libb.so"]), **lib})).predicted is None


def test_an_invalid_cache_is_no_cache_and_ld_so_conf_is_never_read() -> None:
    on = host({**only("a.so", ["libb.so"]), "/opt/lib/libb.so": library()})
    assert on.loader.cache is None
    assert load("/x/a.so", on).predicted == f"libb.so: {MISSING}"


def test_another_machine_is_passed_over_and_ends_as_not_found() -> None:
    other = library(header=header(machine=183))
    assert load("/x/a.so", host({"/x/a.so": other})).predicted == f"/x/a.so: {MISSING}"
    files = {**only("a.so", ["libb.so"], dynamic={"runpath": "/arm:/good"}), "/arm/libb.so": other, "/good/libb.so": library()}
    assert load("/x/a.so", host(files)).predicted is None


def test_another_class_is_passed_over_and_said_when_nothing_else_is_found() -> None:
    other = library(header=header(ident=b"\x7fELF\x01\x01\x01" + bytes(9)))
    files = only("a.so", ["libb.so"], dynamic={"runpath": "/i386:/good"})
    assert load("/x/a.so", host({**files, "/i386/libb.so": other})).predicted == "libb.so: wrong ELF class: ELFCLASS32"
    assert load("/x/a.so", host({**files, "/i386/libb.so": other, "/good/libb.so": library()})).predicted is None


def test_a_broken_candidate_stops_the_search() -> None:
    files = only("a.so", ["libb.so"], dynamic={"runpath": "/bad:/good"})
    bad = Malformed(reason="not-elf", size=100)
    on = host({**files, "/bad/libb.so": bad, "/good/libb.so": library()})
    assert load("/x/a.so", on).predicted == "/bad/libb.so: invalid ELF header"


@pytest.mark.parametrize(
    ("malformed", "text"),
    [
        (Malformed(reason="too-short", size=0), "file too short"),
        (Malformed(reason="too-short", size=63), "file too short"),
        (Malformed(reason="not-elf", size=64), "invalid ELF header"),
        (Malformed(reason="is-a-directory", size=0, errno=21), "cannot read file data: Is a directory"),
        (Malformed(reason="short-program-headers", size=80, header=header()), "cannot read file data"),
        (
            Malformed(reason="bad-program-header-offset", size=80, header=header(), errno=22),
            "cannot read file data: Invalid argument",
        ),
    ],
)
def test_files_that_are_no_objects(malformed: Malformed, text: str) -> None:
    assert load("/x/a.so", host({"/x/a.so": malformed})).predicted == f"/x/a.so: {text}"


@pytest.mark.parametrize(
    ("ident", "text"),
    [
        (b"\x7fELF\x02\x02\x01" + bytes(9), "ELF file data encoding not little-endian"),
        (b"\x7fELF\x02\x01\x02" + bytes(9), "ELF file version ident does not match current one"),
        (b"\x7fELF\x02\x01\x01\x09" + bytes(8), "ELF file OS ABI invalid"),
        (b"\x7fELF\x02\x01\x01\x00\x01" + bytes(7), "ELF file ABI version invalid"),
        (b"\x7fELF\x02\x01\x01\x03\x04" + bytes(7), "ELF file ABI version invalid"),
        (b"\x7fELF\x02\x01\x01\x03\x03" + bytes(7), None),
        (b"\x7fELF\x02\x01\x01\x00\x00\x01" + bytes(6), "nonzero padding in e_ident"),
    ],
)
def test_e_ident(ident: bytes, text: str | None) -> None:
    expected = None if text is None else f"/x/a.so: {text}"
    machine = 62 if ident[5] == 1 else 62 << 8  # as it reads in the byte order that the file says it has
    assert load("/x/a.so", host({"/x/a.so": library(header=header(machine, ident=ident))})).predicted == expected


def test_debian_looks_at_the_machine_before_the_byte_order() -> None:
    foreign = library(header=header(machine=22, ident=b"\x7fELF\x02\x02\x01" + bytes(9)))
    debian = host({"/x/a.so": foreign})
    fedora = debian._replace(loader=debian.loader._replace(vendor="GNU"))
    assert load("/x/a.so", debian).predicted == f"/x/a.so: {MISSING}"
    assert load("/x/a.so", fedora).predicted == "/x/a.so: ELF file data encoding not little-endian"


def test_a_file_already_loaded_under_another_name_is_the_same_object() -> None:
    files: dict[str, ElfFile | str | int] = {"/x/libb.so.1": "/x/libb.so", "/x/libb.so": library()}
    files.update(only("a.so", ["libb.so.1", "libb.so"], dynamic={"runpath": "/x"}))
    loaded = load("/x/a.so", host(files))
    assert [item.path for item in loaded.objects] == ["/x/a.so", "/x/libb.so.1"]
    assert loaded.objects[1].names == ("libb.so.1", "libb.so")


def test_two_wheels_with_one_hashed_soname_share_the_first_ones_library() -> None:
    """Alone the second works; after the first it gets the first one's library, which lacks what it needs."""
    first = library(dynamic={"soname": "libz-1.so"})
    second = library(exports={"late": defined()}, dynamic={"soname": "libz-1.so"})
    files = {
        "/one/a.so": library(["libz-1.so"], dynamic={"runpath": "$ORIGIN"}), "/one/libz-1.so": first,
        "/two/b.so": library(["libz-1.so"], wants=[wanted("late")], dynamic={"runpath": "$ORIGIN"}), "/two/libz-1.so": second,
    }  # fmt: skip
    on = host(files)
    assert load("/two/b.so", on).predicted is None
    after = load("/one/a.so", on).process
    assert load("/two/b.so", on, process=after).predicted == "/two/b.so: undefined symbol: late"


def test_libc_is_spelled_as_it_was_found() -> None:
    gone = only("a.so", ["libc.so.6"], wants=[wanted("nothing")])
    loaded = load("/x/a.so", host(gone))
    assert LIBC in [item.path for item in loaded.process.objects]


def test_all_errors_are_listed_and_the_first_is_the_verdict() -> None:
    on = host(only("a.so", ["libone.so", "libtwo.so"], wants=[wanted("from_one")]))
    assert [error.name for error in load("/x/a.so", on).errors] == ["libone.so", "libtwo.so"]
