"""Which assumptions could change a verdict: each where it matters and where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from abicheck.judge.assumptions import doubts
from abicheck.judge.verdict import judge
from abicheck.model.elf import Property
from abicheck.model.host import Assumption, Interpreter
from tests.judge.loader.machine import PROGRAM, defined, host, library, load, segments

if TYPE_CHECKING:
    from abicheck.model.elf import SharedObject

ROOT = "/x/a.so"
BESIDE_LIBC = "/lib/x86_64-linux-gnu/a.so"
POLICIES = ("selinux", "memory-deny-write-execute", "seccomp")
STACK = library(segments=segments(stack=7))
TEXT = library(dynamic={"textrel": True})
NEWER_KERNEL = library(properties=Property(abi_tag=(0, 5, 0, 0)))
SAME_KERNEL = library(properties=Property(abi_tag=(0, 3, 2, 0)))
V3 = library(properties=Property(x86_isa_needed=4))
V1 = library(properties=Property(x86_isa_needed=1))
PLAIN = library()
HUGE = library(segments=tuple(each._replace(memsz=1 << 31) if each.flags == 6 else each for each in segments()))


def _doubted(facts: SharedObject, *facts_assumed: str, path: str = ROOT, **more: Any) -> list[str]:
    assumptions = tuple(Assumption(fact, "so") for fact in facts_assumed)
    on = host({path: facts}, assumptions=assumptions, python=Interpreter(PROGRAM, (3, 12)), **more)
    return [missing.fact for missing in doubts(load(path, on), on)]


@pytest.mark.parametrize("fact", POLICIES)
@pytest.mark.parametrize(("facts", "matters"), [(STACK, True), (TEXT, True), (PLAIN, False)])
def test_policies(fact: str, facts: SharedObject, *, matters: bool) -> None:
    assert _doubted(facts, fact) == [fact] * matters


@pytest.mark.parametrize(
    ("fact", "facts", "more", "matters"),
    [
        ("noexec-mounts", PLAIN, {}, True),
        ("noexec-mounts", PLAIN, {"path": BESIDE_LIBC}, False),
        ("page-size", PLAIN, {}, False),
        ("memory", PLAIN, {}, False),
        ("memory", HUGE, {}, True),
        ("cpu", PLAIN, {}, False),
        ("cpu", V1, {}, False),
        ("cpu", V3, {}, True),
        ("cpu", PLAIN, {"path": "/lib/glibc-hwcaps/x86-64-v3/a.so"}, True),
        ("kernel", PLAIN, {"glibc": (2, 31)}, False),
        ("kernel", SAME_KERNEL, {"glibc": (2, 31)}, False),
        ("kernel", NEWER_KERNEL, {"glibc": (2, 31)}, True),
        ("kernel", NEWER_KERNEL, {"glibc": (2, 36)}, False),
        ("environment", PLAIN, {}, True),
        ("interpreter", PLAIN, {}, True),
        ("a fact of tomorrow", PLAIN, {}, True),
    ],
)
def test_what_could_stop_a_load(fact: str, facts: SharedObject, more: dict[str, Any], *, matters: bool) -> None:
    assert _doubted(facts, fact, **more) == [fact] * matters


@pytest.mark.parametrize(("align", "matters"), [(0x1000, True), (0x10000, False)])
def test_pages_of_aarch64(align: int, *, matters: bool) -> None:
    on = host({ROOT: library(segments=segments(align=align))})
    link_map = load(ROOT, on)
    on = on._replace(arch="aarch64", assumptions=(Assumption("page-size", "4096"),))
    assert [missing.fact for missing in doubts(link_map, on)] == ["page-size"] * matters


@pytest.mark.parametrize(
    ("facts", "glibc", "assumed", "expected"),
    [
        (library(["libgone.so"]), (2, 36), ("environment", "selinux"), ["environment"]),
        (library(["libgone.so"]), (2, 36), ("selinux", "cpu"), []),
        (STACK, (2, 42), ("environment", *POLICIES), ["environment"]),
        (library(properties=Property(x86_isa_needed=8)), (2, 36), ("cpu",), ["cpu"]),
        (library(["libgone.so"], properties=Property(x86_isa_needed=8)), (2, 36), ("environment",), []),
        (library(["libgone.so"], properties=Property(x86_isa_needed=8)), (2, 36), ("environment", "cpu"), ["environment", "cpu"]),
        (library(dynamic={"flags_1": 0x40}), (2, 36), ("environment", "cpu"), []),
    ],
)
def test_what_could_cure_a_failure(
    facts: SharedObject, glibc: tuple[int, int], assumed: tuple[str, ...], expected: list[str]
) -> None:
    assert load(ROOT, host({ROOT: facts}, glibc)).errors
    assert _doubted(facts, *assumed, glibc=glibc) == expected


def test_a_doubted_failure_depends_and_its_errors_are_warnings() -> None:
    on = host({ROOT: STACK}, (2, 42), assumptions=(Assumption("environment", "empty"),))
    link_map = load(ROOT, on)
    plain, strict = judge(link_map, "library", on), judge(link_map, "library", on, strict=True)
    assert (plain.verdict, [each.severity for each in plain.findings]) == ("fails", ["error"])
    assert (strict.verdict, [each.severity for each in strict.findings]) == ("depends", ["warning"])
    assert strict.predicted == plain.predicted
    assert strict.missing_facts[0].reason == "with another it may load (assumed: empty)"


def test_without_assumptions_nothing_changes() -> None:
    on = host({ROOT: library(exports={"PyInit_a": defined()})})
    link_map = load(ROOT, on)
    assert judge(link_map, "extension", on, strict=True) == judge(link_map, "extension", on)
