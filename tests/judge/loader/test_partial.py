"""Libraries of which only a part is known: what rests on the rest depends, or is likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.loader import Memo, dlopen, start
from abicheck.judge.verdict import judge
from abicheck.model.elf import Partial, SharedObject
from tests.judge.loader.machine import PROGRAM, defined, defines, host, library, load, needs, wanted

if TYPE_CHECKING:
    from abicheck.model.symbols import Reference

LIB = "/lib/x86_64-linux-gnu/libstdc++.so.6"


def runtime(partial: Partial | None) -> SharedObject:
    return library(
        exports={"known": defined("GLIBCXX_3.4", 2)},
        version_definitions=defines("GLIBCXX_3.4", "GLIBCXX_3.4.1"),
        dynamic={"soname": "libstdc++.so.6"},
        partial=partial,
    )


def user(*references: Reference, nodes: tuple[str, ...] = ()) -> SharedObject:
    return library(["libstdc++.so.6"], wants=references, version_needs=[needs("libstdc++.so.6", *nodes)] if nodes else ())


@pytest.mark.parametrize(
    ("partial", "verdict"),
    [(None, "fails"), (Partial(by_node=True), "loads"), (Partial(symbols=frozenset({"GLIBCXX_3.4.1"})), "depends")],
)
def test_a_symbol_that_is_not_known_in_a_node_that_is_there(partial: Partial | None, verdict: str) -> None:
    item = user(wanted("other", "GLIBCXX_3.4.1", "libstdc++.so.6"), nodes=("GLIBCXX_3.4.1",))
    on = host({LIB: runtime(partial), "/x/a.so": item})
    assert judge(load("/x/a.so", on), "library", on).verdict == verdict


@pytest.mark.parametrize(("partial", "verdict"), [(None, "fails"), (Partial(nodes=frozenset({"GLIBCXX_3.4.2"})), "depends")])
def test_a_node_that_a_point_release_may_have(partial: Partial | None, verdict: str) -> None:
    item = user(wanted("new", "GLIBCXX_3.4.2", "libstdc++.so.6"), nodes=("GLIBCXX_3.4.2",))
    on = host({LIB: runtime(partial), "/x/a.so": item})
    found = judge(load("/x/a.so", on), "library", on)
    assert found.verdict == verdict
    assert [each.fact for each in found.missing_facts] == (["version", "symbol"] if partial else [])


def test_that_is_not_forgotten_at_the_second_load() -> None:
    item = user(nodes=("GLIBCXX_3.4.2",))
    on = host({LIB: runtime(Partial(nodes=frozenset({"GLIBCXX_3.4.2"}))), "/x/a.so": item})
    memo = Memo()
    _, process = start(on, PROGRAM, memo)
    assert [bool(dlopen(process, "/x/a.so", on, memo)[0].missing) for _ in range(2)] == [True, True]


def test_a_node_that_is_surely_not_there_fails_all_the_same() -> None:
    on = host({LIB: runtime(Partial(by_node=True)), "/x/a.so": user(nodes=("GLIBCXX_3.4.9",))})
    assert judge(load("/x/a.so", on), "library", on).verdict == "fails"


def test_an_unversioned_symbol_that_nothing_known_has_is_likely_not_there() -> None:
    on = host({LIB: runtime(Partial(by_node=True)), "/x/a.so": user(wanted("nowhere"))})
    (error,) = load("/x/a.so", on).errors
    assert (error.kind, error.certain) == ("symbol-missing", False)


class TestLibrariesOfWhichItIsNotKnownWhetherTheyAreThere:
    def test_depend(self) -> None:
        on = host({"/x/a.so": library(["libz.so.1"], wants=[wanted("deflate")])}, uncertain=frozenset({"libz.so.1"}))
        found = judge(load("/x/a.so", on), "library", on)
        assert found.verdict == "depends"
        assert "libz.so.1" in found.missing_facts[0].reason

    def test_others_fail(self) -> None:
        on = host({"/x/a.so": library(["libGL.so.1"])}, uncertain=frozenset({"libz.so.1"}))
        assert judge(load("/x/a.so", on), "library", on).verdict == "fails"

    def test_a_failure_beside_it_counts(self) -> None:
        on = host({"/x/a.so": library(["libz.so.1", "libGL.so.1"])}, uncertain=frozenset({"libz.so.1"}))
        assert judge(load("/x/a.so", on), "library", on).verdict == "fails"

    def test_all_that_are_not_there(self) -> None:
        on = host({"/x/a.so": library(["libGL.so.1"])}, uncertain=frozenset({"*"}))
        assert judge(load("/x/a.so", on), "library", on).verdict == "depends"
