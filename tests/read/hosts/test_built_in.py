from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from abicheck.api.absent import absent_python
from abicheck.errors import DataError, HostError, UsageError
from abicheck.judge.loader import Memo, start
from abicheck.model.elf import Partial, SharedObject
from abicheck.read.files import Overlay
from abicheck.read.hosts import catalogue, open_host
from abicheck.read.hosts.catalogue import find, nearest
from abicheck.read.hosts.libraries import Limits, builds, derived

if TYPE_CHECKING:
    from abicheck.model.host import Host


@pytest.fixture(autouse=True)
def fresh() -> None:
    catalogue.catalogue.cache_clear()
    catalogue._document.cache_clear()


def library(host: Host, path: str) -> SharedObject:
    file = host.files.stat(path)
    assert not isinstance(file, int), path
    facts = host.files.facts(file)
    assert isinstance(facts, SharedObject)
    return facts


def nodes(host: Host, path: str) -> list[str]:
    return [each.name for each in library(host, path).version_definitions if not each.flags & 1]


@pytest.mark.parametrize("name", list(catalogue.catalogue()))
def test_a_program_starts_on_each(name: str) -> None:
    for arch in catalogue.catalogue()[name].arches:
        host = open_host(f"{name}/{arch}")
        assert host.python is not None
        path = host.python.path
        host = host._replace(files=Overlay(host.files, absent_python(host)))
        link_map, process = start(host, path, Memo())
        assert link_map.predicted is None
        assert not link_map.missing
        assert host.arch == arch
        assert len(process.objects) >= (4 if host.libc.kind == "glibc" else 2)


class TestQualifiers:
    def test_machine_level_and_page_size(self) -> None:
        host = open_host("debian:13/aarch64,page=64k")
        assert (host.arch, host.page_size, host.isa_level) == ("aarch64", 65536, 0)
        host = open_host("debian:13,cpu=v3")
        assert (host.isa_level, host.loader.hwcap_subdirs[0]) == (3, "glibc-hwcaps/x86-64-v3/")

    def test_the_usual_page_and_level_are_the_distributions_own(self) -> None:
        assert open_host("rhel:8/aarch64").page_size == 65536
        assert open_host("rhel:9").isa_level == 2
        assert open_host("rhel:10").isa_level == 3

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            ("debian:13/riscv64", "on no 'riscv64'; it is on x86_64, aarch64"),
            ("arch/aarch64", "not known on 'aarch64'"),
            ("debian:13,cpu=v5", "'cpu=v5' is no qualifier"),
            ("debian:13,page=64k", "'page=64k' is no qualifier"),
            ("debian:13/aarch64,cpu=v2", "'cpu=v2' is no qualifier"),
            ("debian:13,colour=red", "'colour=red' is no qualifier"),
            ("rhel:9,cpu=v1", "no CPU below x86-64-v2"),
        ],
    )
    def test_a_qualifier_that_makes_no_sense(self, spec: str, message: str) -> None:
        with pytest.raises(UsageError, match=message):
            open_host(spec)


class TestNames:
    def test_an_alias(self) -> None:
        assert open_host("debian:trixie").libc.version == (2, 41)
        assert open_host("debian:trixie").name == "debian:trixie"

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [("debian:31", "debian:13"), ("ubunut:22.04", "ubuntu:22.04"), ("pyton:3.12-slim", "python:3.12-slim")],
    )
    def test_an_unknown_one_is_told_the_nearest(self, wrong: str, right: str) -> None:
        assert right in nearest(wrong)
        with pytest.raises(UsageError, match=f"unknown host '{wrong}'.*{right}"):
            open_host(wrong)

    def test_nothing_is_like_this(self) -> None:
        assert nearest("qqqqqq") == []
        assert find("qqqqqq") is None


class TestPython:
    def test_any_may_be_brought(self) -> None:
        own, other = open_host("debian:13").python, open_host("debian:13", python="3.10").python
        assert own is not None
        assert other is not None
        assert (own.path, own.version, own.at_hand) == ("/usr/bin/python3.13", (3, 13), False)
        assert (other.path, other.version) == ("/usr/local/bin/python3.10", (3, 10))

    def test_an_image_has_its_own_and_no_other(self) -> None:
        host = open_host("python:3.12-slim")
        assert host.python is not None
        assert (host.python.path, host.any_python) == ("/usr/local/bin/python3.12", False)
        with pytest.raises(HostError, match=r"its Python is 3.12; leave out --python"):
            open_host("python:3.12-slim", python="3.11")

    def test_a_path_without_a_version(self) -> None:
        with pytest.raises(HostError, match="no version can be told"):
            open_host("debian:13", python="/opt/pypy")


class TestLibraries:
    def test_a_slim_image_has_no_openmp_and_the_full_one_has(self) -> None:
        assert isinstance(open_host("python:3.12-slim").files.stat("/lib/x86_64-linux-gnu/libgomp.so.1"), int)
        assert nodes(open_host("python:3.12"), "/lib/x86_64-linux-gnu/libgomp.so.1")[-1].startswith(("GOMP", "OACC", "OMP"))

    def test_glibc_has_the_nodes_of_its_version(self) -> None:
        there = nodes(open_host("almalinux:8"), "/lib64/libc.so.6")
        assert "GLIBC_2.28" in there
        assert "GLIBC_2.29" not in there
        assert "pthread_create" not in library(open_host("almalinux:8"), "/lib64/libc.so.6").definitions
        assert "pthread_create" in library(open_host("almalinux:9"), "/lib64/libc.so.6").definitions

    @pytest.mark.parametrize(
        ("spec", "path", "last"),
        [
            ("rhel:9", "/lib64/libstdc++.so.6", "GLIBCXX_3.4.29"),
            ("opensuse:15.5", "/lib64/libstdc++.so.6", "GLIBCXX_3.4.32"),
            ("amazonlinux:2023", "/lib64/libstdc++.so.6", "GLIBCXX_3.4.33"),
            ("rhel:7", "/lib64/libstdc++.so.6", "GLIBCXX_3.4.19"),
            ("debian:11", "/lib/x86_64-linux-gnu/libstdc++.so.6", "GLIBCXX_3.4.28"),
        ],
    )
    def test_libstdcxx_is_independent_of_glibc(self, spec: str, path: str, last: str) -> None:
        numbered = [node for node in nodes(open_host(spec), path) if node.startswith("GLIBCXX_3.4.")]
        assert max(numbered, key=lambda node: int(node.split(".")[2])) == last

    def test_markers_that_a_point_release_brings_are_not_known(self) -> None:
        partial = library(open_host("debian:13"), "/lib/x86_64-linux-gnu/libc.so.6").partial
        assert partial is not None
        assert partial.nodes == {"GLIBC_ABI_GNU2_TLS", "GLIBC_ABI_DT_X86_64_PLT"}
        assert "GLIBC_ABI_GNU2_TLS" in nodes(open_host("fedora:43"), "/lib64/libc.so.6")
        assert "GLIBC_ABI_GNU2_TLS" not in nodes(open_host("fedora:43/aarch64"), "/lib64/libc.so.6")

    def test_the_default_version_of_a_symbol_is_the_newest(self) -> None:
        found = library(open_host("ubuntu:22.04"), "/lib/x86_64-linux-gnu/libc.so.6").definitions["memcpy"]
        assert [(each.version.name, each.hidden) for each in found if each.version] == [
            ("GLIBC_2.2.5", True),
            ("GLIBC_2.14", False),
        ]

    def test_two_openings_give_the_same_files(self) -> None:
        path = "/lib64/libc.so.6"
        assert open_host("rhel:8").files.stat(path) == open_host("rhel:8").files.stat(path)
        assert open_host("rhel:8").files.stat(path) != open_host("rhel:9").files.stat(path)


class TestDamagedData:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda data: data["distributions"]["debian:13"].pop("glibc"), r"distributions.debian:13.glibc: not a int"),
            (lambda data: data["distributions"]["debian:13"].update(family="x"), r"distributions.debian:13.family: 'x' is none"),
            (lambda data: data["distributions"]["debian:13"].update(python="three"), r"debian:13.python: 'three' is no version"),
            (lambda data: data["distributions"]["colab"].update(base="mars"), r"distributions.colab.base: 'mars'"),
            (
                lambda data: data["distributions"]["alpine:3.22"].update(musl="1.2.5"),
                r"distributions.alpine:3.22.musl: not a list",
            ),
            (lambda data: data["families"]["suse"].pop("dirs"), r"families.suse.dirs: not a list"),
            (lambda data: data.pop("families"), r"families: not a dict"),
        ],
    )
    def test_names_the_key(self, change: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
        data = json.loads(json.dumps(catalogue._document()))
        assert callable(change)
        change(data)
        monkeypatch.setattr(catalogue, "_document", lambda: data)
        with pytest.raises(DataError, match=message):
            catalogue.catalogue()
        catalogue.catalogue.cache_clear()


class TestNextGlibc:
    """Debian's next glibc, on a system that has an older one of its own."""

    NAME = "debian:sid+glibc2.44"

    @pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
    def test_its_libraries_are_those_of_the_packages(self, arch: str) -> None:
        host = open_host(f"{self.NAME}/{arch}")
        libc = library(host, f"/lib/{arch}-linux-gnu/libc.so.6")
        assert (host.libc.version, host.loader.execstack_tunable_max) == ((2, 44), 2)
        assert "GLIBC_2.44" in nodes(host, f"/lib/{arch}-linux-gnu/libc.so.6")
        assert libc.partial is None
        newest = [
            each.version.name for each in library(host, f"/lib/{arch}-linux-gnu/libm.so.6").definitions["sinh"] if each.version
        ]
        assert "GLIBC_2.44" in newest

    def test_private_symbols_are_known(self) -> None:
        loader = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        there = library(open_host(self.NAME), loader).definitions
        assert [each.version.name for each in there["__pointer_chk_guard"] if each.version] == ["GLIBC_PRIVATE"]
        assert "__pointer_chk_guard" not in library(open_host("debian:14"), loader).definitions

    def test_it_says_that_only_glibc_is_of_experimental(self) -> None:
        told = {each.fact: each.value for each in open_host(self.NAME).assumptions}
        assert "glibc 2.44-3 of experimental, all others of sid, whose own glibc is 2.43-7" in told["point-release"]
        assert "experimental" not in {each.fact: each.value for each in open_host("debian:14").assumptions}["point-release"]

    @pytest.mark.parametrize("name", ["debian:sid", "debian:unstable", "debian:experimental", "debian:rc-buggy"])
    def test_images_with_an_older_glibc_are_not_taken_for_it(self, name: str) -> None:
        assert find(name) is None

    def test_it_is_proposed_where_sid_is_asked_for(self) -> None:
        assert nearest("debian:sid")[0] == self.NAME


def test_the_newest_of_the_table_is_known_where_its_symbols_came() -> None:
    arch, fedora = open_host("arch"), open_host("fedora:44")
    assert "GLIBC_2.44" in nodes(arch, "/usr/lib/libm.so.6")
    assert "GLIBC_2.44" not in nodes(fedora, "/usr/lib64/libm.so.6")
    found = library(arch, "/usr/lib/libm.so.6")
    assert [each.hidden for each in found.definitions["cosh"] if each.version and each.version.name == "GLIBC_2.44"] == [False]
    assert found.partial == Partial(symbols=frozenset())  # libm has nothing in GLIBC_PRIVATE
    loader = library(arch, "/usr/lib/ld-linux-x86-64.so.2")
    assert loader.partial == Partial(symbols=frozenset({"GLIBC_PRIVATE"}))


def test_what_is_newer_than_the_table_is_not_known() -> None:
    newest = builds("x86_64")[-1]
    newer, known = (
        derived("x86_64", newest.number, "libm.so.6", Limits(glibc, (), frozenset(), (), ())).partial for glibc in (45, 44)
    )
    assert newer is not None
    assert known is not None
    assert newer.nodes == {"GLIBC_2.45"}
    assert not known.nodes
