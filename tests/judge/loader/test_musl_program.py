"""musl's start of a program, --list, and what a dlopen does to the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader import Memo, dlopen, musl, start
from abicheck.model.elf import Malformed
from abicheck.model.symbols import Definition
from tests.judge.loader.machine import PROGRAM, defined, library, load, only, wanted
from tests.judge.loader.musl_machine import LDSO, musl_host, said

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile


def test_a_program_reports_all_its_errors() -> None:
    program = library(["libnone.so", "libb.so"], wants=[wanted("f", kind="plt")], interpreter=LDSO)
    files = {PROGRAM: program, "/lib/libb.so": library(wants=[wanted("g")])}
    link_map, _ = start(musl_host(files), PROGRAM)
    assert [error.text for error in link_map.errors] == [
        f"exit 127: Error loading shared library libnone.so: No such file or directory (needed by {PROGRAM})",
        "exit 127: Error relocating /lib/libb.so: g: symbol not found",
        f"exit 127: Error relocating {PROGRAM}: f: symbol not found",
    ]


def test_a_program_for_glibc_does_not_start() -> None:
    files = {PROGRAM: library(["libc.so.6"], interpreter="/lib64/ld-linux-x86-64.so.2")}
    assert start(musl_host(files), PROGRAM)[0].predicted == f"exit 127: {PROGRAM}: No such file or directory"
    files["/lib64/ld-linux-x86-64.so.2"] = library()
    assert [missing.fact for missing in start(musl_host(files), PROGRAM)[0].missing] == ["interpreter"]


def test_preloaded_objects_come_first_and_missing_ones_do_not_matter() -> None:
    files = {"/lib/libp.so": library(exports={"f": defined()}), **only("a.so", wants=[wanted("f")])}
    assert said(files, environment={"LD_PRELOAD": "libnone.so: libp.so"}) is None


def test_listing() -> None:
    text = Malformed(reason="not-elf", size=9)
    files: dict[str, ElfFile] = {"/x/a.so": library(["libb.so"]), "/lib/libb.so": library(), "/x/t.so": text}
    on = musl_host(files)
    link_map, _ = musl.list_objects(on, "/x/a.so", Memo())
    assert ([item.path for item in link_map.objects], link_map.errors) == (["/x/a.so", "/lib/libb.so"], ())
    texts = [musl.list_objects(on, path, Memo())[0].predicted for path in ("/x/t.so", "/x/none.so")]
    assert texts == [
        f"exit 1: {LDSO}: /x/t.so: Not a valid dynamic program",
        f"exit 1: {LDSO}: cannot load /x/none.so: No such file or directory",
    ]


def test_lazy_binding_defers_what_is_called() -> None:
    wants = [wanted("f", kind="plt"), wanted("g")]
    assert load("/x/a.so", musl_host(only("a.so", wants=wants)), lazy=True).predicted is None
    now = load("/x/a.so", musl_host(only("a.so", wants=wants, dynamic={"bind_now": True})), lazy=True)
    assert now.predicted == "Error relocating /x/a.so: f: symbol not found"


def test_symbols_of_a_local_load_are_seen_only_by_those_who_need_it() -> None:
    files = {**only("b.so", exports={"f": defined()}), **only("a.so", wants=[wanted("f")])}
    on = musl_host(files)
    _, begun = start(on, PROGRAM)
    _, local = dlopen(begun, "/x/b.so", on)
    assert load("/x/a.so", on, process=local).predicted == "Error relocating /x/a.so: f: symbol not found"
    _, shared = dlopen(begun, "/x/b.so", on, make_global=True)
    assert load("/x/a.so", on, process=shared).predicted is None
    # Opening it again makes what was loaded before global.
    _, later = dlopen(local, "/x/b.so", on, make_global=True)
    assert load("/x/a.so", on, process=later).predicted is None


def test_a_table_that_is_looked_up_beyond_the_mapping_kills() -> None:
    broken = Definition(None, 0, hidden=False, binding=0, visibility=0, type=0, fault="SIGSEGV")
    files = {**only("a.so", ["/x/b.so"], wants=[wanted("f")]), "/x/b.so": library(exports={"f": broken})}
    assert said(files) == "signal: SIGSEGV"
