"""Checks of one object on a host: stack, pages, CPU, static TLS, truncation, and their order by version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.loader import dlopen, start
from abicheck.model.elf import Fault, Property, Segment, SharedObject
from abicheck.model.host import Policy
from tests.judge.loader.machine import PT_GNU_STACK, PT_LOAD, Shelf, defined, header, host, library, load, only, segments, wanted

if TYPE_CHECKING:
    from abicheck.model.elf import Stage

REFUSED = "cannot enable executable stack as shared object requires"
LATE = [(2, 41), (2, 43)]


@pytest.mark.parametrize("stack", [7, None])
def test_an_executable_stack_is_refused_from_2_41_on(stack: int | None) -> None:
    files = only("a.so", segments=segments(stack=stack))
    assert load("/x/a.so", host(files, (2, 40))).predicted is None
    for glibc in LATE:
        assert load("/x/a.so", host(files, glibc)).predicted == f"/x/a.so: {REFUSED}: Invalid argument"


def test_a_missing_stack_header_is_harmless_on_aarch64() -> None:
    files = {path: facts._replace(header=header(183)) for path, facts in only("a.so", segments=segments(stack=None)).items()}
    files_of = host({}, (2, 41)).files
    assert isinstance(files_of, Shelf)
    shelf = {
        path: facts._replace(header=header(183)) for path, facts in files_of.files.items() if isinstance(facts, SharedObject)
    }
    assert load("/x/a.so", host({**shelf, **files}, (2, 41), arch="aarch64")).predicted is None


def test_a_needed_library_bears_its_needed_name() -> None:
    files = {**only("a.so", ["libb.so"]), "/lib/libb.so": library(segments=segments(stack=7))}
    assert load("/x/a.so", host(files, (2, 41))).predicted == f"libb.so: {REFUSED}: Invalid argument"


@pytest.mark.parametrize(
    ("glibc", "text"),
    [
        ((2, 36), "libgone.so: cannot open shared object file: No such file or directory"),
        ((2, 41), f"libb.so: {REFUSED}: Invalid argument"),
    ],
)
def test_the_stack_is_looked_at_before_the_dependencies(glibc: tuple[int, int], text: str) -> None:
    files = {**only("a.so", ["libb.so"]), "/lib/libb.so": library(["libgone.so"], segments=segments(stack=7))}
    assert load("/x/a.so", host(files, glibc)).predicted == text


def test_an_executable_stack_is_state() -> None:
    files = {**only("a.so", segments=segments(stack=7)), "/x/b.so": library(segments=segments(stack=7))}
    on = host(files, (2, 40))
    after = load("/x/a.so", on).process
    assert after.stack_executable
    denied = on._replace(policy=Policy(exec_stack=13))
    assert load("/x/b.so", denied, process=after).predicted is None
    assert load("/x/b.so", denied).predicted == f"/x/b.so: {REFUSED}: Permission denied"


def test_a_program_with_an_executable_stack_takes_all() -> None:
    program = library(["libc.so.6"], segments=segments(stack=7), interpreter="/lib64/ld-linux-x86-64.so.2")
    files = {"/usr/bin/python3": program, **only("a.so", segments=segments(stack=7))}
    assert load("/x/a.so", host(files, (2, 41))).predicted is None


@pytest.mark.parametrize(("maximum", "value", "loads"), [(2, "2", True), (1, "2", False), (2, "1", False), (2, "0", False)])
def test_the_tunable(maximum: int, value: str, loads: bool) -> None:  # noqa: FBT001 - a table
    on = host(
        only("a.so", segments=segments(stack=7)), (2, 41), environment={"GLIBC_TUNABLES": f"a=b:glibc.rtld.execstack={value}"}
    )
    on = on._replace(loader=on.loader._replace(execstack_tunable_max=maximum))
    assert (load("/x/a.so", on).predicted is None) is loads


def test_a_preloaded_library_may_still_ask_for_it() -> None:
    on = host(only("a.so", segments=segments(stack=7)), (2, 41), environment={"LD_PRELOAD": "/x/a.so"})
    begun, process = start(on, "/usr/bin/python3")
    assert begun.errors == ()
    assert process.stack_executable
    assert dlopen(process, "/x/a.so", on)[0].predicted is None


@pytest.mark.parametrize(
    ("stage", "glibc", "keys", "dies"),
    [
        ("older-notes", (2, 31), False, False),
        ("older-notes", (2, 36), False, True),
        ("older-notes", (2, 39), False, False),
        ("notes", (2, 36), False, False),
        ("notes", (2, 39), False, True),
        ("execute-only", (2, 31), False, False),
        ("execute-only", (2, 31), True, True),
    ],
)
def test_which_loader_meets_a_fault(stage: Stage, glibc: tuple[int, int], keys: bool, dies: bool) -> None:  # noqa: FBT001 - a table
    files = only("a.so", faults=(Fault(stage, "SIGSEGV"),))
    expected = "signal: SIGSEGV" if dies else None
    assert load("/x/a.so", host(files, glibc, protection_keys=keys)).predicted == expected


@pytest.mark.parametrize(
    ("vaddr", "memsz", "expected", "depends"),
    [
        (0x1000, 0x1000, None, False),
        (0x2000, 0x10000, None, True),
        (0x200000, 0x1000, "cannot apply additional memory protection after relocation: Cannot allocate memory", False),
    ],
)
def test_read_only_after_relocation(vaddr: int, memsz: int, expected: str | None, depends: bool) -> None:  # noqa: FBT001 - a table
    relro = Segment(0x6474E552, 4, 0, vaddr, memsz, memsz, 1)
    found = load("/x/a.so", host(only("a.so", segments=(*segments(), relro))))
    assert found.predicted == (expected and f"/x/a.so: {expected}")
    assert bool(found.missing) is depends


def test_initial_values_that_do_not_fit_static_tls_may_do_anything() -> None:
    large = [segment._replace(filesz=0x40) if segment.type == 7 else segment for segment in segments(tls=(0x20, 8))]
    files = only("a.so", segments=tuple(large), exports={"v": defined(tls=True)}, wants=[wanted("v", kind="tls-static")])
    found = load("/x/a.so", host(files))
    assert (found.predicted, [missing.fact for missing in found.missing]) == (None, ["memory"])


def test_older_loaders_read_the_hash_table_in_their_own_way() -> None:
    a = library(exports={"f": defined()}, wants=[wanted("f")])
    files = {"/x/a.so": a._replace(older=a._replace(definitions={}))}
    assert load("/x/a.so", host(files, (2, 36))).predicted is None
    assert load("/x/a.so", host(files, (2, 35))).predicted == "/x/a.so: undefined symbol: f"


@pytest.mark.parametrize(("needed", "level", "loads"), [(4, 3, True), (8, 3, False), (8, 4, True), (1, 1, True), (3, 1, False)])
def test_isa_level(needed: int, level: int, loads: bool) -> None:  # noqa: FBT001 - a table
    files = only("a.so", properties=Property(x86_isa_needed=needed))
    expected = None if loads else "/x/a.so: CPU ISA level is lower than required"
    assert load("/x/a.so", host(files, isa_level=level)).predicted == expected
    assert load("/x/a.so", host(files, (2, 31), isa_level=level)).predicted is None


@pytest.mark.parametrize(
    ("load_segment", "old", "new"),
    [
        (Segment(PT_LOAD, 5, 0, 0, 0x1000, 0x1000, 0x800), "alignment not page-aligned", None),
        (
            Segment(PT_LOAD, 5, 0x10, 0, 0x1000, 0x1000, 0x1000),
            "address/offset not properly aligned",
            "address/offset not page-aligned",
        ),
        (Segment(PT_LOAD, 5, 0, 0x1000, 0x1000, 0x1000, 0x200000), "address/offset not properly aligned", None),
    ],
)
def test_alignment(load_segment: Segment, old: str | None, new: str | None) -> None:
    files = only("a.so", segments=(load_segment, *segments()[2:]))
    for glibc, text in (((2, 31), old), ((2, 36), new)):
        expected = None if text is None else f"/x/a.so: ELF load command {text}"
        assert load("/x/a.so", host(files, glibc)).predicted == expected


@pytest.mark.parametrize(
    ("glibc", "text"), [((2, 31), "alignment not page-aligned"), ((2, 36), "address/offset not page-aligned")]
)
def test_four_kilobyte_objects_on_large_pages(glibc: tuple[int, int], text: str) -> None:
    layout = (segments()[0], Segment(PT_LOAD, 6, 0x1000, 0x2000, 0x800, 0x900, 0x1000), *segments()[2:])
    aligned = segments(align=0x10000)[:1] + segments()[2:]
    shelf = host({}).files
    assert isinstance(shelf, Shelf)
    base = {path: facts._replace(segments=aligned) for path, facts in shelf.files.items() if isinstance(facts, SharedObject)}
    error = load("/x/a.so", host({**base, **only("a.so", segments=layout)}, glibc, page_size=65536))
    assert error.predicted == f"/x/a.so: ELF load command {text}"
    assert error.errors[0].kind == "page-size-mismatch"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"segments": ()}, "object file has no loadable segments"),
        ({"header": header(kind=2)}, "cannot dynamically load executable"),
        ({"segments": segments()[:2], "dynamic_": None}, "object file has no dynamic section"),
        ({"flags_1": 0x08000000}, "cannot dynamically load position-independent executable"),
        ({"flags_1": 0x40}, "shared object cannot be dlopen()ed"),
        ({"header": header(kind=1)}, "only ET_DYN and ET_EXEC can be loaded"),
    ],
)
def test_what_is_no_library(change: dict[str, object], text: str) -> None:
    flags = {"flags_1": change.pop("flags_1")} if "flags_1" in change else {}
    facts = library(dynamic=flags)
    if "dynamic_" in change:
        facts = facts._replace(dynamic=change.pop("dynamic_"))  # type: ignore[arg-type]
    assert load("/x/a.so", host({"/x/a.so": facts._replace(**change)})).predicted == f"/x/a.so: {text}"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stage", "signal"), [("mapping", "SIGBUS"), ("dynamic", "SIGSEGV"), ("hash", "SIGBUS"), ("needed", "SIGSEGV")]
)
def test_a_process_that_dies(stage: str, signal: str) -> None:
    needed = [] if stage == "needed" else ["libgone.so"]
    files = only("a.so", needed, faults=(Fault(stage, signal),))  # type: ignore[arg-type]
    assert load("/x/a.so", host(files)).predicted == f"signal: {signal}"


def test_references_before_a_fault_are_reported_first() -> None:
    faults = (Fault("relocations", "SIGSEGV"),)
    assert load("/x/a.so", host(only("a.so", faults=faults))).predicted == "signal: SIGSEGV"
    files = only("a.so", wants=[wanted("gone")], faults=faults)
    assert load("/x/a.so", host(files)).predicted == "/x/a.so: undefined symbol: gone"


@pytest.mark.parametrize(("glibc", "dies"), [((2, 31), True), ((2, 36), False)])
def test_a_dynamic_section_marked_read_only(glibc: tuple[int, int], dies: bool) -> None:  # noqa: FBT001 - a table
    layout = tuple(s._replace(flags=4) if s.type == 2 else s for s in segments())
    files = only("a.so", segments=layout, faults=(Fault("dynamic-write", "SIGSEGV"),))
    assert load("/x/a.so", host(files, glibc)).predicted == ("signal: SIGSEGV" if dies else None)


@pytest.mark.parametrize(
    ("dynamic", "condition"),
    [
        ({"has_rela": True, "rela_entry": 8}, "info[DT_RELAENT]->d_un.d_val == sizeof (ElfW(Rela))"),
        ({"plt_rel": 17}, "info[DT_PLTREL]->d_un.d_val == DT_RELA"),
        ({"has_relr": True, "relr_entry": 4}, "info[DT_RELRENT]->d_un.d_val == sizeof (ElfW(Relr))"),
    ],
)
def test_assertions_over_the_dynamic_section(dynamic: dict[str, object], condition: str) -> None:
    expected = "exit 127: Inconsistency detected by ld.so: get-dynamic-info.h: *: elf_get_dynamic_info: Assertion "
    assert load("/x/a.so", host(only("a.so", dynamic=dynamic))).predicted == f"{expected}`{condition}' failed!"


def test_the_abi_note_counts_up_to_2_35() -> None:
    files = only("a.so", properties=Property(abi_tag=(0, 7, 0, 0)))
    text = "/x/a.so: cannot open shared object file: No such file or directory"
    assert load("/x/a.so", host(files, (2, 31))).predicted == text
    assert load("/x/a.so", host(files, (2, 36))).predicted is None


@pytest.mark.parametrize("glibc", [(2, 31), (2, 36), (2, 41)])
@pytest.mark.parametrize(("size", "align", "loads"), [(1664, 64, True), (1700, 8, False), (8, 128, False), (64, 64, True)])
def test_static_tls(glibc: tuple[int, int], size: int, align: int, loads: bool) -> None:  # noqa: FBT001 - a table
    """The surplus is 1664 bytes; an alignment beyond that of the block cannot be had at all."""
    wants = [wanted("state", kind="tls-static")]
    facts = library(exports={"state": defined(tls=True)}, wants=wants, segments=segments(tls=(size, align)))
    expected = None if loads else "/x/a.so: cannot allocate memory in static TLS block"
    assert load("/x/a.so", host({"/x/a.so": facts}, glibc)).predicted == expected


def test_static_tls_is_charged_to_the_object_that_defines_the_variable() -> None:
    provider = library(exports={"state": defined(tls=True)}, segments=segments(tls=(4096, 8)))
    on = host({**only("a.so", ["libb.so"], wants=[wanted("state", kind="tls-static")]), "/lib/libb.so": provider})
    assert load("/x/a.so", on).predicted == "/lib/libb.so: cannot allocate memory in static TLS block"


def test_static_tls_is_used_up() -> None:
    facts = library(exports={"s": defined(tls=True)}, wants=[wanted("s", kind="tls-static")], segments=segments(tls=(1000, 8)))
    on = host({"/x/a.so": facts, "/x/b.so": facts})
    after = load("/x/a.so", on).process
    assert load("/x/b.so", on, process=after).predicted == "/x/b.so: cannot allocate memory in static TLS block"
    large = on._replace(environment={"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=4096"})
    assert load("/x/b.so", large, process=load("/x/a.so", large).process).predicted is None


def test_tls_descriptors_take_what_is_left_and_never_fail() -> None:
    wants = [wanted("state", kind="tls-descriptor")]
    facts = library(exports={"state": defined(tls=True)}, wants=wants, segments=segments(tls=(1 << 20, 8)))
    assert load("/x/a.so", host({"/x/a.so": facts})).predicted is None
    both = facts._replace(references=(*facts.references, wanted("state", kind="tls-static")))
    assert load("/x/a.so", host({"/x/a.so": both})).predicted == "/x/a.so: cannot allocate memory in static TLS block"


@pytest.mark.parametrize(("glibc", "suffix"), [((2, 19), ": Operation not permitted"), ((2, 36), "")])
def test_a_noexec_mount(glibc: tuple[int, int], suffix: str) -> None:
    on = host(only("a.so"), glibc, policy=Policy(exec_mapping=(("/x/", 1),)))
    loaded = load("/x/a.so", on)
    assert loaded.predicted == f"/x/a.so: failed to map segment from shared object{suffix}"
    assert loaded.errors[0].kind == "exec-mapping-denied"


def test_text_relocations_where_they_are_denied() -> None:
    files = only("a.so", dynamic={"textrel": True})
    assert load("/x/a.so", host(files)).predicted is None
    denied = host(files, policy=Policy(text_relocation=13))
    assert load("/x/a.so", denied).predicted == "/x/a.so: cannot make segment writable for relocation: Permission denied"


@pytest.mark.parametrize("segment", [Segment(PT_GNU_STACK, 6, 0, 0, 0, 0, 0), Segment(0x6474E551, 4, 0, 0, 0, 0, 0)])
def test_a_stack_that_need_not_be_executable(segment: Segment) -> None:
    files = only("a.so", segments=(*segments(stack=None), segment))
    assert load("/x/a.so", host(files, (2, 41))).predicted is None


def test_a_filter_needs_its_filtee_and_an_auxiliary_does_not() -> None:
    text = "libreal.so: cannot open shared object file: No such file or directory"
    assert load("/x/a.so", host(only("a.so", dynamic={"filters": ("libreal.so",)}))).predicted == text
    assert load("/x/a.so", host(only("a.so", dynamic={"auxiliaries": ("libreal.so",)}))).predicted is None


@pytest.mark.parametrize("tag", ["filters", "auxiliaries"])
def test_a_filtee_is_searched_before_what_it_is_for(tag: str) -> None:
    real = library(["libdeep.so"], exports={"f": defined()})
    files = {**only("a.so", wants=[wanted("f"), wanted("g")], dynamic={tag: ("libreal.so",)}), "/lib/libreal.so": real}
    loaded = load("/x/a.so", host({**files, "/lib/libdeep.so": library(exports={"g": defined()})}))
    assert loaded.predicted is None
    paths = [loaded.process.objects[index].path for index in loaded.scope]
    assert paths.index("/lib/libreal.so") < paths.index("/x/a.so")


def test_a_program_tells_all_its_versions_and_its_first_missing_library() -> None:
    on = host({"/usr/bin/tool": library(["libgone.so"], interpreter="/lib64/ld-linux-x86-64.so.2")})
    begun, _ = start(on, "/usr/bin/tool")
    assert begun.predicted == (
        "exit 127: /usr/bin/tool: error while loading shared libraries: libgone.so: "
        "cannot open shared object file: No such file or directory"
    )
