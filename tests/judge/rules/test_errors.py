from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge import verdict
from abicheck.model.host import Interpreter
from abicheck.model.report import Finding, Remedy, Window
from tests.judge.loader.machine import PROGRAM, defines, host, library, load, needs, segments, wanted
from tests.judge.loader.musl_machine import musl_host
from tests.judge.rules.environment import distribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.artifact import Distribution, DistributionKind
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host

WINDOW = Window("2.17", "2.40", "2.44")
CTRANSLATE2 = distribution(
    "ctranslate2",
    "ctranslate2/_ext.cpython-312-x86_64-linux-gnu.so",
    "ctranslate2.libs/libctranslate2-d3638643.so.4.4.0",
    version="4.4.0",
)
EXT, LIB = CTRANSLATE2.binaries


def _first(on: Host, path: str, *distributions: Distribution, window: Window | None = None) -> Finding:
    link_map = load(path, on)
    return verdict.judge(link_map, "extension", on, distributions, window).findings[0]


def _ctranslate2(glibc: tuple[int, int]) -> Host:
    origin = {"runpath": "$ORIGIN/../ctranslate2.libs"}
    files: Mapping[str, ElfFile] = {
        EXT: library(["libctranslate2-d3638643.so.4.4.0"], dynamic=origin),
        LIB: library(segments=segments(stack=7)),
    }
    return host(files, glibc)


def test_an_executable_stack_is_told_as_a_user_needs_it() -> None:
    finding = _first(_ctranslate2((2, 41)), EXT, CTRANSLATE2, window=WINDOW)
    assert finding == Finding(
        rule="exec-stack-refused",
        severity="error",
        confidence="certain",
        object="ctranslate2.libs/libctranslate2-d3638643.so.4.4.0",
        message="It asks for an executable stack (PT_GNU_STACK), which dlopen refuses since glibc 2.41. "
        "It loads on glibc 2.17 to 2.40.",
        evidence=(
            "libctranslate2-d3638643.so.4.4.0: cannot enable executable stack as shared object requires: Invalid argument",
            "PT_GNU_STACK has the flags RWE",
        ),
        remedies=finding.remedies,
    )
    assert finding.remedies[0] == Remedy("upgrade", "ctranslate2 4.6.0 or newer loads here", "pip install 'ctranslate2>=4.6.0'")
    assert [remedy.command for remedy in finding.remedies] == [
        "pip install 'ctranslate2>=4.6.0'",
        "abicheck repair ctranslate2",
        "GLIBC_TUNABLES=glibc.rtld.execstack=2",
        None,
    ]


@pytest.mark.parametrize(
    ("kind", "given", "place", "command"),
    [
        ("distribution", "ctranslate2", "/v/ctranslate2-4.4.0.dist-info", "abicheck repair ctranslate2"),
        ("wheel", "w/ctranslate2.whl", "w/ctranslate2.whl", "abicheck repair w/ctranslate2.whl"),
        ("wheel", "ctranslate2==4.4.0", "/cache/0123/ctranslate2.whl", "abicheck repair ctranslate2.whl"),
        ("directory", "d", "d", f"patchelf --clear-execstack {LIB}"),
    ],
)
def test_the_repair_of_what_was_given(kind: DistributionKind, given: str, place: str, command: str) -> None:
    about = CTRANSLATE2._replace(kind=kind, given=given, place=place)
    remedies = _first(_ctranslate2((2, 41)), EXT, about).remedies
    assert [remedy.command for remedy in remedies if remedy.kind == "repair"] == [command]


def test_no_remedy_that_does_not_work_there() -> None:
    on = _ctranslate2((2, 41))
    on = on._replace(loader=on.loader._replace(execstack_tunable_max=1))
    assert "execstack=2" not in str(_first(on, EXT, CTRANSLATE2).remedies)


@pytest.mark.parametrize(
    ("version", "first"),
    [
        ("4.5.0", "ctranslate2 4.6.0 or newer loads here"),
        ("2.19.0", "ctranslate2 4.6.0 or newer loads here"),
        ("2.18.0", "a newer version of ctranslate2 may have the mark removed"),
        ("4.6.0", "a newer version of ctranslate2 may have the mark removed"),
        ("unknown", "a newer version of ctranslate2 may have the mark removed"),
    ],
)
def test_facts_are_for_the_versions_that_they_name(version: str, first: str) -> None:
    finding = _first(_ctranslate2((2, 41)), EXT, CTRANSLATE2._replace(version=version))
    assert finding.remedies[0].text == first


def test_without_a_distribution_nothing_is_made_up() -> None:
    finding = _first(_ctranslate2((2, 41)), EXT)
    assert finding.object == "libctranslate2-d3638643.so.4.4.0"
    assert finding.message == "It asks for an executable stack (PT_GNU_STACK), which dlopen refuses since glibc 2.41."
    assert [remedy.kind for remedy in finding.remedies] == ["repair", "environment", "host"]


def test_a_missing_library() -> None:
    beside = library(["libb.so"], dynamic={"runpath": "$ORIGIN"})
    finding = _first(host({"/x/a.so": beside, "/x/libb.so": library(["libgomp.so.1"])}), "/x/a.so")
    assert finding.message == "libgomp.so.1 is not where the loader of test looks for it. /x/libb.so needs it."
    assert finding.remedies[0] == Remedy("install", "install the package that brings it", "apt-get install libgomp1")
    stranger = _first(host({"/x/a.so": library(["libstrange.so.9"])}), "/x/a.so")
    assert (
        stranger.remedies[0].text
        == "install the package that brings libstrange.so.9, or the wheel of the same project that bundles it"
    )


def test_a_missing_version() -> None:
    on = host({"/x/a.so": library(["libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_2.29")])}, (2, 28))
    tokenizers = distribution("tokenizers", version="0.10.0")._replace(binaries=("/x/a.so",))
    finding = _first(on, "/x/a.so", tokenizers)
    assert finding.message == (
        "It needs GLIBC_2.29, which /lib/x86_64-linux-gnu/libc.so.6 of test (glibc 2.28) does not define: "
        "it was built on a newer system."
    )
    assert finding.remedies[0].text == "tokenizers 0.11.1 or newer loads here"
    older = _first(on, "/x/a.so", tokenizers._replace(version="0.22.0"))
    assert "not newer than glibc 2.28" in older.remedies[0].text


@pytest.mark.parametrize(
    ("symbol", "python", "rule"),
    [
        ("PyThreadState_GetUnchecked", True, "interpreter-mismatch"),
        ("_PyLong_New", True, "interpreter-mismatch"),
        ("Py_Version", True, "interpreter-mismatch"),
        ("PyThreadState_GetUnchecked", False, "symbol-missing"),
        ("pyramid", True, "symbol-missing"),
    ],
)
def test_a_symbol_of_another_python(symbol: str, python: bool, rule: str) -> None:  # noqa: FBT001 -- a table
    on = host({"/x/a.so": library(wants=[wanted(symbol)])})
    if python:
        on = on._replace(python=Interpreter(PROGRAM, (3, 11)))
    finding = _first(on, "/x/a.so")
    assert (finding.rule, finding.object) == (rule, "/x/a.so")
    assert symbol in finding.message


GLIBC_BUILT = [needs("libc.so.6", "GLIBC_2.14")]


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"/x/a.so": library(["libstdc++.so.6"], version_needs=GLIBC_BUILT)}, "glibc-on-musl"),
        ({"/x/a.so": library(["ld-linux-x86-64.so.2"])}, "glibc-on-musl"),
        ({"/x/a.so": library(["libc.so.6"], wants=[wanted("__printf_chk")], version_needs=GLIBC_BUILT)}, "glibc-on-musl"),
        ({"/x/a.so": library(["libstdc++.so.6"])}, "library-missing"),
        ({"/x/a.so": library(wants=[wanted("bar")])}, "symbol-missing"),
    ],
)
def test_what_was_built_for_glibc_on_musl(files: Mapping[str, ElfFile], rule: str) -> None:
    finding = _first(musl_host(files), "/x/a.so")
    assert finding.rule == rule
    if rule == "glibc-on-musl":
        assert finding.message == "It was built for glibc, and test has musl 1.2.5."
        assert finding.evidence[0].startswith("Error ")


def test_every_error_is_told_and_the_first_one_first() -> None:
    on = host({"/x/a.so": library(["libb.so", "libc.so.6"], version_needs=[needs("libc.so.6", "GLIBC_9")])})
    link_map = load("/x/a.so", on)
    findings = verdict.judge(link_map, "extension", on).findings
    assert [(each.rule, each.evidence[0]) for each in findings] == [(error.kind, error.text) for error in link_map.errors]
    assert findings[0].evidence[0] == link_map.predicted


def test_foreign_names_are_no_templates() -> None:
    odd = "{0}{host.__class__}.so"
    finding = _first(host({"/x/a.so": library([odd])}), "/x/a.so")
    assert finding.message.startswith(f"{odd} is not where ")


def test_versions_defined_elsewhere_do_not_confuse() -> None:
    files = {"/x/a.so": library(["libv.so"], dynamic={"runpath": "/x"}, version_needs=[needs("libv.so", "V2")]),
             "/x/libv.so": library(version_definitions=defines("V1"))}  # fmt: skip
    assert "/x/libv.so of test" in _first(host(files), "/x/a.so").message
