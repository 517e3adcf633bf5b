"""Versions and symbols: what glibc compares, with what, and in which order."""

from __future__ import annotations

import pytest

from abicheck.model.symbols import BEYOND, Definition, Demand, NeededVersion, Reference, Version, VersionNeed
from tests.judge.loader.machine import LIBC, defined, defines, host, library, load, needs, only, version, wanted

OLD, NEW = (2, 36), (2, 41)


def test_a_missing_version_names_provider_and_requirer() -> None:
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.38")]))
    assert load("/x/a.so", on).predicted == f"{LIBC}: version `GLIBC_2.38' not found (required by /x/a.so)"


def test_versions_are_names_not_numbers() -> None:
    """GLIBC_2.4 is there, GLIBC_2.40 is not, whatever a comparison of numbers or strings would say."""
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.4")]))
    assert load("/x/a.so", on).predicted is None
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.1")]))
    assert "`GLIBC_2.1' not found" in (load("/x/a.so", on).predicted or "")


def test_a_version_is_wanted_from_one_file() -> None:
    """libm defines it, but it is wanted from libc: the same name elsewhere does not help."""
    libm = library(version_definitions=defines("GLIBC_2.99"))
    files = only("a.so", ["libm.so.6", "libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.99")])
    on = host({**files, "/lib/x86_64-linux-gnu/libm.so.6": libm})
    assert load("/x/a.so", on).predicted == f"{LIBC}: version `GLIBC_2.99' not found (required by /x/a.so)"


def test_a_foreign_library_already_loaded_decides() -> None:
    old = library(version_definitions=defines("GLIBCXX_3.4.19"), dynamic={"soname": "libstdc++.so.6"})
    files = {
        "/first.so": library(["/bundled/libstdc++.so.6"]), "/bundled/libstdc++.so.6": old,
        "/lib/x86_64-linux-gnu/libstdc++.so.6": library(version_definitions=defines("GLIBCXX_3.4.19", "GLIBCXX_3.4.30")),
        **only("a.so", ["libstdc++.so.6"], version_needs=[needs("libstdc++.so.6", "GLIBCXX_3.4.30")]),
    }  # fmt: skip
    on = host(files)
    assert load("/x/a.so", on).predicted is None
    after = load("/first.so", on).process
    text = "/bundled/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /x/a.so)"
    assert load("/x/a.so", on, process=after).predicted == text


@pytest.mark.parametrize(
    ("reference", "definition", "depends"),
    [
        (wanted("f")._replace(version=BEYOND), defined("V1"), True),
        (wanted("f", weak=True)._replace(version=BEYOND), None, True),
        (wanted("f", "V1", "libb.so"), defined("V1")._replace(version=BEYOND), True),
        (wanted("f"), defined("V1")._replace(version=BEYOND), False),
    ],
)
def test_what_lies_behind_a_table_of_versions_is_a_missing_fact(
    reference: Reference,
    definition: Definition | None,
    depends: bool,  # noqa: FBT001 - a table
) -> None:
    b = library(exports={"f": definition} if definition else {}, version_definitions=defines("V1"))
    on = host({**only("a.so", ["/x/b.so"], wants=[reference]), "/x/b.so": b})
    found = load("/x/a.so", on)
    assert found.predicted is None
    assert [missing.fact for missing in found.missing] == ["memory"] * depends


def test_a_symbol_that_nobody_defines_is_missed_whatever_its_version() -> None:
    on = host(only("a.so", wants=[wanted("f")._replace(version=BEYOND)]))
    assert load("/x/a.so", on).predicted == "/x/a.so: undefined symbol: f"


def test_a_library_of_another_load_is_not_in_scope() -> None:
    """The version is there, as it is looked for in all that is loaded; the symbol is not."""
    b = library(exports={"f": defined("V1")}, version_definitions=defines("V1"))
    symbols: dict[Version | None, frozenset[str]] = {version("V1", "libb.so"): frozenset({"f"})}
    a = library(wants=[wanted("f", "V1", "libb.so")], version_needs=[needs("libb.so", "V1")], demand=Demand(symbols, (), 1))
    on = host({"/first.so": library(["libb.so"]), "/lib/libb.so": b, "/x/a.so": a})
    after = load("/first.so", on).process
    assert load("/x/a.so", on, process=after).predicted == "/x/a.so: undefined symbol: f, version V1"


def test_a_weak_version_passes_and_its_strong_reference_then_fails() -> None:
    weak = needs("libc.so.6", "GLIBC_2.99", weak=True)
    on = host(only("a.so", ["libc.so.6"], version_needs=[weak]))
    assert load("/x/a.so", on).predicted is None
    strong = [wanted("malloc", "GLIBC_2.99", "libc.so.6")]
    on = host(only("a.so", ["libc.so.6"], version_needs=[weak], wants=strong))
    assert load("/x/a.so", on).predicted == "/x/a.so: undefined symbol: malloc, version GLIBC_2.99"


def test_a_weak_reference_does_not_make_its_version_weak() -> None:
    """GNU ld leaves the flags of the need at 0, so the need is hard although the symbol is weak."""
    weak = [wanted("new_function", "GLIBC_2.99", "libc.so.6", weak=True)]
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.99")], wants=weak))
    assert "`GLIBC_2.99' not found" in (load("/x/a.so", on).predicted or "")


def test_a_right_name_with_a_wrong_hash_is_not_found() -> None:
    need = VersionNeed("libc.so.6", 1, (NeededVersion("GLIBC_2.4", 1, 0, 2),))
    on = host(only("a.so", ["libc.so.6"], version_needs=[need]))
    assert load("/x/a.so", on).predicted == f"{LIBC}: version `GLIBC_2.4' not found (required by /x/a.so)"


def test_a_symbol_may_be_absent_although_its_version_exists() -> None:
    lib = library(version_definitions=defines("V1"), exports={"foo": defined("V1")})
    files = only("a.so", ["libb.so"], version_needs=[needs("libb.so", "V1")], wants=[wanted("bar", "V1", "libb.so")])
    on = host({**files, "/lib/libb.so": lib})
    assert load("/x/a.so", on).predicted == "/x/a.so: undefined symbol: bar, version V1"


def test_a_symbol_of_the_wanted_version_may_come_from_any_object() -> None:
    moved = library(version_definitions=defines("GLIBC_2.34"), exports={"pthread_create": defined("GLIBC_2.34")})
    stub = library(version_definitions=defines("GLIBC_2.34"))
    files = only(
        "a.so", ["libpthread.so.0", "libother.so"],
        version_needs=[needs("libpthread.so.0", "GLIBC_2.34")], wants=[wanted("pthread_create", "GLIBC_2.34", "libpthread.so.0")],
    )  # fmt: skip
    on = host({**files, "/lib/libpthread.so.0": stub, "/lib/libother.so": moved})
    assert load("/x/a.so", on).predicted is None


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        (defined(), True),  # base version
        (defined("V1", 2, hidden=True), True),  # index 2 is taken even when hidden
        (defined("V2", 3), True),  # the only one that is not hidden
        (defined("V2", 3, hidden=True), False),
        ((defined("V2", 3), defined("V3", 4)), False),  # two defaults: ambiguous
        ((defined("V2", 3), defined("V3", 4, hidden=True)), True),
    ],
)
def test_an_unversioned_reference(definition: Definition | tuple[Definition, ...], found: bool) -> None:  # noqa: FBT001
    lib = library(version_definitions=defines("V1", "V2", "V3"), exports={"f": definition})
    on = host({**only("a.so", ["libb.so"], wants=[wanted("f")]), "/lib/libb.so": lib})
    assert load("/x/a.so", on).predicted == (None if found else "/x/a.so: undefined symbol: f")


def test_a_versioned_reference_takes_a_base_definition() -> None:
    lib = library(version_definitions=defines("V1"), exports={"f": defined()})
    files = only("a.so", ["libb.so"], version_needs=[needs("libb.so", "V1")], wants=[wanted("f", "V1", "libb.so")])
    for glibc in (OLD, NEW):
        assert load("/x/a.so", host({**files, "/lib/libb.so": lib}, glibc)).predicted is None


@pytest.mark.parametrize(
    ("glibc", "text"),
    [
        (
            OLD,
            (
                "exit 127: Inconsistency detected by ld.so: dl-lookup.c: *: check_match: Assertion "
                "`version->filename == NULL || ! _dl_name_match_p (version->filename, map)' failed!"
            ),
        ),
        (NEW, None),
    ],
)
def test_an_unversioned_file_of_the_wanted_name(glibc: tuple[int, int], text: str | None) -> None:
    files = only("a.so", ["libb.so"], version_needs=[needs("libb.so", "V1")], wants=[wanted("f", "V1", "libb.so")])
    on = host({**files, "/lib/libb.so": library(exports={"f": defined()})}, glibc)
    assert load("/x/a.so", on).predicted == text


def test_a_version_wanted_from_a_library_that_nothing_loads() -> None:
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libgone.so", "V1")]))
    text = (
        "exit 127: Inconsistency detected by ld.so: dl-version.c: *: _dl_check_map_versions: Assertion `needed != NULL' failed!"
    )
    assert load("/x/a.so", on).predicted == text


def test_references_in_the_order_of_the_relocations() -> None:
    on = host(only("a.so", wants=[wanted("second"), wanted("first")]))
    loaded = load("/x/a.so", on)
    assert loaded.predicted == "/x/a.so: undefined symbol: second"
    assert [error.name for error in loaded.errors] == ["second", "first"]


def test_only_what_a_relocation_names_is_looked_up() -> None:
    """An undefined symbol of the symbol table that no relocation names is no reference, so the facts do not hold one."""
    assert load("/x/a.so", host(only("a.so", wants=[]))).predicted is None


def test_undefined_weak_references_are_no_errors() -> None:
    assert load("/x/a.so", host(only("a.so", wants=[wanted("__gmon_start__", weak=True)]))).predicted is None


def test_python_symbols_come_from_the_interpreter() -> None:
    on = host(only("a.so", wants=[wanted("PyLong_FromLong"), wanted("PyNew_Thing")]))
    assert load("/x/a.so", on).predicted == "/x/a.so: undefined symbol: PyNew_Thing"


def test_a_shared_libpython_is_among_what_the_interpreter_needs() -> None:
    program = library(["libpython3.so", "libc.so.6"], interpreter="/lib64/ld-linux-x86-64.so.2")
    files = {"/usr/bin/python3": program, "/usr/lib/libpython3.so": library(exports={"PyLong_FromLong": defined()})}
    assert load("/x/a.so", host({**files, **only("a.so", wants=[wanted("PyLong_FromLong")])})).predicted is None


def test_the_local_scope_of_another_load_is_not_seen() -> None:
    on = host({"/one.so": library(exports={"f": defined()}), **only("a.so", wants=[wanted("f")])})
    after = load("/one.so", on).process
    assert load("/x/a.so", on, process=after).predicted == "/x/a.so: undefined symbol: f"


def test_lazy_binding_leaves_the_plt_for_later() -> None:
    files = only("a.so", wants=[wanted("later", kind="plt")])
    assert load("/x/a.so", host(files), lazy=True).predicted is None
    assert load("/x/a.so", host(files)).predicted == "/x/a.so: undefined symbol: later"
    now = only("a.so", wants=[wanted("later", kind="plt")], dynamic={"bind_now": True})
    assert load("/x/a.so", host(now), lazy=True).predicted == "/x/a.so: undefined symbol: later"


@pytest.mark.parametrize(("number", "text"), [(0x2A, "0x2a"), (200, "0xc8"), (0x1234, "0x00001234")])
def test_an_unknown_relocation_type(number: int, text: str) -> None:
    unknown = Reference(None, None, False, "unknown", number, False, False)  # noqa: FBT003 - fields of a NamedTuple
    assert load("/x/a.so", host(only("a.so", wants=[unknown]))).predicted == f"/x/a.so: unexpected reloc type {text}"


def test_dependencies_are_relocated_before_what_needs_them() -> None:
    files = {**only("a.so", ["libb.so"], wants=[wanted("x")]), "/lib/libb.so": library(wants=[wanted("y")])}
    assert load("/x/a.so", host(files)).predicted == "/lib/libb.so: undefined symbol: y"


def test_a_dependency_that_fails_its_versions_goes_before_any_symbol() -> None:
    files = only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.99")], wants=[wanted("gone")])
    assert "`GLIBC_2.99' not found" in (load("/x/a.so", host(files)).predicted or "")


def test_private_versions_are_versions_like_others() -> None:
    on = host(only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_PRIVATE")]))
    assert load("/x/a.so", on).predicted == f"{LIBC}: version `GLIBC_PRIVATE' not found (required by /x/a.so)"


def test_ignored_relr_kills_after_all_else() -> None:
    relr = {"has_relr": True, "relr_entry": 8}
    files = {"/x/b.so": library(dynamic=relr), **only("a.so", ["/x/b.so"], wants=[wanted("nowhere")], dynamic=relr)}
    assert load("/x/b.so", host(files, (2, 35))).predicted == "signal: SIGSEGV"
    assert load("/x/a.so", host(files, (2, 35))).predicted == "/x/a.so: undefined symbol: nowhere"


def test_relr_needs_its_marker_from_2_36_on() -> None:
    relr = {"has_relr": True, "relr_entry": 8}
    bare = only("a.so", ["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.4")], dynamic=relr)
    assert load("/x/a.so", host(bare)).predicted == "/x/a.so: DT_RELR without GLIBC_ABI_DT_RELR dependency"
    alone = only("a.so", dynamic=relr)  # no libc.so among its needs: no marker is asked for
    assert load("/x/a.so", host(alone)).predicted is None
    assert load("/x/a.so", host(alone, (2, 31))).predicted == "signal: SIGSEGV"


def test_unique_symbols_bind_like_global_ones() -> None:
    unique = defined()._replace(binding=10)
    on = host({**only("a.so", ["libb.so"], wants=[wanted("f")]), "/lib/libb.so": library(exports={"f": unique})})
    assert load("/x/a.so", on).predicted is None


@pytest.mark.parametrize(
    "definition", [defined()._replace(binding=0), defined()._replace(visibility=2), defined()._replace(visibility=1)]
)
def test_local_and_hidden_definitions_are_not_found(definition: Definition) -> None:
    on = host({**only("a.so", ["libb.so"], wants=[wanted("f")]), "/lib/libb.so": library(exports={"f": definition})})
    assert load("/x/a.so", on).predicted == "/x/a.so: undefined symbol: f"


def test_protected_symbols_and_symbolic_objects_change_nothing() -> None:
    protected = defined()._replace(visibility=3)
    lib = library(exports={"f": protected}, dynamic={"symbolic": True})
    on = host({**only("a.so", ["libb.so"], wants=[wanted("f")]), "/lib/libb.so": lib})
    assert load("/x/a.so", on).predicted is None


def test_version_helper_has_the_loaders_hash() -> None:
    assert version("GLIBC_2.2.5").hash == 0x09691A75
