"""What artifacts ask of a host: binaries built in memory, floors, windows and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abicheck.judge.requirements import choose_roots, gather, opens_by_name, python_need, unfit, window
from abicheck.judge.requirements.names import gpu, promised_glibc
from abicheck.judge.requirements.nodes import parse_node
from abicheck.model.elf import Malformed, Property, Segment
from abicheck.model.report import Window
from abicheck.model.requirements import Gpu, Opened, Use
from tests.judge.loader.machine import defined, defines, header, library, needs, segments, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import SharedObject
    from abicheck.model.requirements import Node, Requirements, Trait

EXTENSION = "pkg/_ext.cpython-312-x86_64-linux-gnu.so"
LIBC = "libc.so.6"
NO_BOUND = Window(None, None, "2.44")


def asks(*nodes: str, file: str = LIBC, weak: bool = False, **more: Any) -> SharedObject:
    """An object that needs versions of a library, each with one symbol in lower case."""
    symbols = [wanted(node.lower(), node, file) for node in nodes]
    return library([file], version_needs=[needs(file, *nodes, weak=weak)], wants=more.pop("wants", symbols), **more)


def extension(**more: Any) -> SharedObject:
    return library([LIBC], exports={"PyInit__ext": defined()}, **more)


def of(objects: Mapping[str, SharedObject], **more: Any) -> Requirements:
    return gather(objects, choose_roots(objects), "x86_64", **more)


def node(requirements: Requirements, name: str) -> Node:
    (found,) = [each for library in requirements.libraries for each in library.nodes if each.name == name]
    return found


def traits(requirements: Requirements) -> dict[str, Trait]:
    return {each.kind: each for each in requirements.traits}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GLIBC_2.28", ("GLIBC", (2, 28))),
        ("GLIBC_2.2.5", ("GLIBC", (2, 2, 5))),
        ("GLIBCXX_3.4.9", ("GLIBCXX", (3, 4, 9))),
        ("CXXABI_TM_1", ("CXXABI_TM", (1,))),
        ("OPENSSL_1_1_0", ("OPENSSL", (1, 1, 0))),
        ("GLIBC_PRIVATE", ("GLIBC_PRIVATE", ())),
        ("1." * 4000 + "x", ("1." * 4000 + "x", ())),
        ("", ("", ())),
    ],
)
def test_names_of_versions(name: str, expected: tuple[str, tuple[int, ...]]) -> None:
    assert parse_node(name) == expected


class TestFloors:
    def test_versions_are_numbers(self) -> None:
        found = of({"a.so": asks("GLIBC_2.9", "GLIBC_2.28", "GLIBC_2.2.5")})
        assert found.window == Window("2.28", None, "2.44")
        assert node(found, "GLIBC_2.28").uses == (Use("a.so", ("glibc_2.28",)),)
        assert [each.name for each in found.libraries[0].nodes] == ["GLIBC_2.28"]

    def test_every_version_when_asked_for(self) -> None:
        found = of({"a.so": asks("GLIBC_2.9", "GLIBC_2.28")}, every=True)
        assert [each.name for each in found.libraries[0].nodes] == ["GLIBC_2.28", "GLIBC_2.9"]

    def test_all_that_is_newer_than_the_tag(self) -> None:
        objects = {"a.so": asks("GLIBC_2.9", "GLIBC_2.18", "GLIBC_2.28")}
        found = of(objects, platforms=["cp312-cp312-manylinux2014_x86_64"])
        assert [each.name for each in found.libraries[0].nodes] == ["GLIBC_2.28", "GLIBC_2.18"]
        assert found.promised == "2.17"

    def test_the_loader_checks_a_need_that_no_symbol_uses(self) -> None:
        found = of({"a.so": asks("GLIBC_2.30", wants=[])})
        assert (found.window, node(found, "GLIBC_2.30").uses) == (Window("2.30", None, "2.44"), (Use("a.so"),))

    @pytest.mark.parametrize(("reference_is_weak", "low"), [(True, None), (False, "2.30")])
    def test_a_weak_need_counts_for_strong_references_only(self, *, reference_is_weak: bool, low: str | None) -> None:
        reference = wanted("f", "GLIBC_2.30", LIBC, weak=reference_is_weak)
        found = of({"a.so": asks("GLIBC_2.30", weak=True, wants=[reference])})
        assert found.window == Window(low, None, "2.44")

    def test_a_weak_reference_with_a_hard_need_counts(self) -> None:
        found = of({"a.so": asks("GLIBC_2.30", wants=[wanted("f", "GLIBC_2.30", LIBC, weak=True)])})
        assert node(found, "GLIBC_2.30").uses == (Use("a.so", ("f",)),)

    def test_what_the_artifact_brings_is_not_asked_of_the_host(self) -> None:
        mine = library(version_definitions=defines("GLIBCXX_3.4.30"), dynamic={"soname": "libstdc++.so.6"})
        found = of({"a.so": asks("GLIBCXX_3.4.30", file="libstdc++.so.6"), "lib/libstdc++.so.6.0.30": mine})
        assert found.libraries == ()
        assert found.objects == ("a.so", "lib/libstdc++.so.6.0.30")

    def test_symbols_that_another_object_defines_are_not_asked_of_the_host(self) -> None:
        user = asks("GLIBC_2.30", wants=[wanted("f", "GLIBC_2.30", LIBC), wanted("g", "GLIBC_2.30", LIBC)])
        user = user._replace(dynamic=user.dynamic._replace(needed=(LIBC, "libf.so")) if user.dynamic else None)
        other = library(exports={"f": defined("GLIBC_2.30"), "g": defined("GLIBC_2.29")})
        assert node(of({"a.so": user, "libf.so": other}), "GLIBC_2.30").uses == (Use("a.so", ("g",)),)

    def test_per_library(self) -> None:
        found = of(
            {"a.so": asks("GLIBC_2.17"), "b.so": asks("GLIBC_2.27", file="libm.so.6"), "c.so": asks("A_1", file="liba.so.1")}
        )
        assert [(each.name, each.needed_by) for each in found.libraries] == [
            (LIBC, ("a.so",)),
            ("libm.so.6", ("b.so",)),
            ("liba.so.1", ("c.so",)),
        ]

    def test_aarch64_begins_with_2_17(self) -> None:
        objects = {"a.so": library([LIBC])._replace(header=header(183), segments=segments())}
        assert window(objects, ["a.so"], "aarch64") == Window("2.17", None, "2.44")


class TestWindow:
    @pytest.mark.parametrize(
        ("more", "kind", "expected"),
        [
            ({"dynamic": {"has_relr": True}}, "relative-relocations", Window("2.36", None, "2.44")),
            ({"segments": segments(stack=7)}, "executable-stack", Window(None, "2.40", "2.44")),
            ({"segments": segments(stack=None)}, "executable-stack", Window(None, "2.40", "2.44")),
            ({"segments": segments(align=0x800)}, "alignment", Window("2.35", None, "2.44")),
            ({"version_needs": [needs(LIBC, "GLIBC_PRIVATE")]}, "private-symbols", Window(None, None, None)),
            ({"version_needs": [needs(LIBC, "GLIBC_ABI_DT_RELR")]}, "marker", Window("2.36", None, "2.44")),
            ({"version_needs": [needs(LIBC, "GLIBC_ABI_GNU2_TLS")]}, "marker", Window("2.43", None, "2.44")),
            ({"version_needs": [needs(LIBC, "GLIBC_ABI_OF_2099")]}, "marker", Window(None, None, None)),
            ({"properties": Property(x86_isa_needed=7)}, "isa-level", NO_BOUND),
            ({"dynamic": {"textrel": True}}, "text-relocations", NO_BOUND),
            ({"wants": [wanted("v", kind="tls-static")], "segments": segments(tls=(24, 8))}, "static-tls", NO_BOUND),
            ({"properties": Property(abi_tag=(0, 4, 4, 0))}, "kernel", NO_BOUND),
        ],
    )
    def test_traits(self, more: dict[str, Any], kind: str, expected: Window) -> None:
        found = of({"a.so": library([LIBC], **more)})
        assert found.window == expected
        assert traits(found)[kind].objects == ("a.so",)

    def test_nothing_bounds_a_harmless_object(self) -> None:
        found = of({"a.so": library([LIBC])})
        assert (found.window, [*traits(found)]) == (NO_BOUND, ["page-size"])

    def test_values(self) -> None:
        plain = library(properties=Property(x86_isa_needed=3, abi_tag=(0, 3, 2, 0)))
        more = library(
            properties=Property(x86_isa_needed=15, abi_tag=(0, 4, 4, 0)),
            wants=[wanted("v", kind="tls-static")],
            segments=segments(tls=(24, 8)),
        )
        found = traits(of({"a.so": plain, "b.so": more}))
        assert {kind: (each.value, each.objects) for kind, each in found.items()} == {
            "isa-level": ("x86-64-v4", ("b.so",)),
            "static-tls": ("24", ("b.so",)),
            "kernel": ("4.4.0", ("b.so",)),
            "page-size": ("4096", ("a.so", "b.so")),
        }

    def test_a_stack_counts_only_where_something_is_opened(self) -> None:
        program = library(["libx.so"], interpreter="/lib64/ld-linux-x86-64.so.2")
        objects = {"bin/tool": program, "libx.so": library(segments=segments(stack=7))}
        assert window(objects, ["bin/tool"], "x86_64") == NO_BOUND
        assert window(objects, ["bin/tool", "libx.so"], "x86_64") == Window(None, "2.40", "2.44")

    def test_a_missing_stack_header_is_harmless_on_aarch64(self) -> None:
        assert window({"a.so": library(segments=segments(stack=None))}, ["a.so"], "aarch64") == Window("2.17", None, "2.44")

    @pytest.mark.parametrize(
        ("load", "size"),
        [
            (Segment(1, 5, 0, 0, 1, 1, 0x10000), None),
            (Segment(1, 5, 0x10000, 0x10000, 1, 1, 0x10000), None),
            (Segment(1, 5, 0x1000, 0x5000, 1, 1, 0x4000), "16384"),
            (Segment(1, 5, 0x1000, 0x1000, 1, 1, 0x1000), "4096"),
            # Since 2.35 p_align no longer counts, and 2.35 is the floor for this one.
            (Segment(1, 5, 0x1000, 0x1000, 1, 1, 0x800), None),
            (Segment(1, 5, 0x1000, 0x3000, 1, 1, 0x200000), "8192"),
            (Segment(1, 5, 0x10, 0x1000, 1, 1, 0x1000), "16"),
        ],
    )
    def test_the_largest_page(self, load: Segment, size: str | None) -> None:
        stack = Segment(0x6474E551, 6, 0, 0, 0, 0, 16)
        found = traits(of({"a.so": library(segments=(load, stack))}))
        assert (found["page-size"].value if "page-size" in found else None) == size

    def test_musl_has_no_window(self) -> None:
        found = of({"a.so": library(["libc.musl-x86_64.so.1"])})
        assert (found.libc, found.window) == (("musl",), None)

    def test_either_libc(self) -> None:
        assert of({"a.so": library()}).libc == ()
        assert of({"a.so": library(["libc.so"]), "b.so": library(["libm.so.6"])}).libc == ("glibc", "musl")


class TestReach:
    def test_extensions_and_programs_come_first(self) -> None:
        objects = {
            EXTENSION: extension(),
            "pkg/plugin.so": library(),
            "bin/tool": library(interpreter="/lib64/ld-linux-x86-64.so.2"),
        }
        assert choose_roots(objects) == (EXTENSION, "bin/tool")

    def test_libraries_only_where_there_is_nothing_else(self) -> None:
        objects = {"liba.so.1": library(["libb.so.2"]), "libb.so.2": library(), "libc1.so": library(["libc2.so"])}
        assert choose_roots(objects) == ("liba.so.1", "libc1.so")

    def test_a_circle_has_no_beginning(self) -> None:
        circle = {"liba.so": library(["libb.so"]), "libb.so": library(["liba.so"]), "libc1.so": library(["libc1.so"])}
        assert choose_roots(circle) == ("libc1.so", "liba.so")

    def test_what_no_root_reaches_stands_apart(self) -> None:
        objects = {EXTENSION: extension(), "pkg/plugin.so": asks("GLIBC_2.30", segments=segments(stack=7))}
        found = of(objects)
        assert found.window == NO_BOUND
        assert (found.objects, found.apart, found.apart_window) == (
            (EXTENSION,),
            ("pkg/plugin.so",),
            Window("2.30", "2.40", "2.44"),
        )

    def test_all_files_of_one_name_are_meant(self) -> None:
        objects = {"a.so": library(["libx.so"]), "p/libx.so": asks("GLIBC_2.20"), "q/libx.so": asks("GLIBC_2.30")}
        assert window(objects, ["a.so"], "x86_64") == Window("2.30", None, "2.44")


class TestNames:
    def test_opened_libraries(self) -> None:
        opener = library(["libm.so.6", "libb.so"], wants=[wanted("dlopen")], dynamic={"soname": "liba.so.1"})
        assert opens_by_name(opener)
        assert not opens_by_name(library(wants=[wanted("dlsym")]))
        names = ["libm.so.6", "liba.so.1", "libplugin.so", "libcuda.so.1"]
        found = of({"liba.so": opener, "libb.so": library(), "libplugin.so": library()}, opened={"liba.so": names, "libb.so": []})
        assert found.opened == (
            Opened("libcuda.so.1", ("liba.so",), bundled=False),
            Opened("libplugin.so", ("liba.so",), bundled=True),
        )
        assert found.gpu == Gpu(driver=True, libraries=("libcuda.so.1",))

    def test_gpu(self) -> None:
        names = ["libcublas.so.12", "libcudart.so.11.0", "libcufft.so.11", "libcudnn_ops.so.9", "libcudnn.so.9", "libz.so.1"]
        found = gpu(names)
        assert (found.cuda, found.cudnn, found.driver) == (("11", "12"), ("9",), False)
        assert found.libraries == tuple(sorted(names[:-1]))

    @pytest.mark.parametrize(
        ("tags", "extensions", "versions", "newer"),
        [
            (["cp312-cp312-manylinux_2_17_x86_64"], ["a.cpython-312-x86_64-linux-gnu.so"], ("3.12",), False),
            (["cp37-abi3-manylinux_2_28_x86_64"], ["a.abi3.so"], ("3.7",), True),
            (["cp313-cp313t-manylinux_2_28_x86_64"], ["a.cpython-313t-x86_64-linux-gnu.so"], ("3.13t",), False),
            (["cp39-cp39-any", "cp310-cp310-any"], [], ("3.9", "3.10"), False),
            (["py3-none-manylinux2014_x86_64"], ["bin/ruff"], (), False),
            ([], ["p/a.cpython-311-x86_64-linux-gnu.so", "libx.so.1"], ("3.11",), False),
            ([], ["a.abi3.so"], (), False),
            ([], ["a.pypy310-pp73-x86_64-linux-gnu.so"], ("3.10",), False),
            ([], ["a.so"], (), False),
        ],
    )
    def test_pythons(self, tags: list[str], extensions: list[str], versions: tuple[str, ...], *, newer: bool) -> None:
        found = python_need(tags, extensions, None)
        assert (found.versions, found.or_newer) == (versions, newer)

    @pytest.mark.parametrize(
        ("platforms", "expected"),
        [
            (["cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64"], (2, 27)),
            (["a-b-manylinux_2_28_x86_64", "a-b-manylinux2014_x86_64"], (2, 17)),
            (["a-b-manylinux1_x86_64"], (2, 5)),
            (["a-b-musllinux_1_2_x86_64"], None),
            ([], None),
        ],
    )
    def test_what_a_tag_promises(self, platforms: list[str], expected: tuple[int, int] | None) -> None:
        assert promised_glibc(platforms) == expected


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (library(), ""),
        (Malformed("too-short", 3), "cut short or damaged"),
        (library(foreign=True), "made for another machine"),
        (library()._replace(header=header(190)), "made for another machine"),
        (library()._replace(header=header(kind=1)), "neither a library nor a program"),
    ],
)
def test_what_no_loader_takes(facts: SharedObject, reason: str) -> None:
    assert unfit(facts) == reason
