"""A C library beside the table: what is normal, and what is told."""

from __future__ import annotations

import pytest

from abicheck.judge.selfcheck import compare
from abicheck.model.description import Difference
from abicheck.model.host import Libc
from abicheck.model.symbols import VersionDefinition
from tests.judge.loader.machine import defined, defines, elf_hash, library

LD = "ld-linux-x86-64.so.2"
BASE = VersionDefinition("libx.so.6", elf_hash("libx.so.6"), 1, 1, 1)


def _difference(
    soname: str, listed: dict[str, str], has: dict[str, str], glibc: tuple[int, int] = (2, 36)
) -> tuple[Difference, ...]:
    """The differences of one library that defines `has` (symbols by node) where the table lists `listed`."""
    exports = {}
    for node, names in has.items():
        exports.update({name: defined(node) for name in names.split()})
        if node:
            exports[node] = defined(node)  # the linker defines an absolute symbol for each node
    facts = library(exports=exports, version_definitions=(BASE, *defines(*filter(None, has))))
    table = {soname: {node: frozenset(names.split()) for node, names in listed.items()}}
    check = compare({soname: facts}, table, Libc("glibc", glibc))
    assert (check.libraries, check.absent) == ((soname,), ())
    return check.differences


@pytest.mark.parametrize(
    ("soname", "node", "names", "glibc", "explanation"),
    [
        ("libc.so.6", "GLIBC_PRIVATE", "__libc_dlopen", (2, 36), "what glibc's own libraries share among themselves"),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", "", (2, 36), "a marker of what the loader can do"),
        ("libm.so.6", "GLIBC_2.4", "", (2, 36), "a node without symbols"),
        ("libcrypt.so.1", "XCRYPT_2.0", "crypt", (2, 36), "of libxcrypt, which takes the place of glibc's libcrypt"),
        (LD, "GLIBC_2.34", "__rtld_version_placeholder", (2, 34), "a placeholder that glibc 2.34 got after its release"),
        (LD, "GLIBC_2.35", "__rseq_size", (2, 34), "rseq of glibc 2.35, which Red Hat brought to 2.34"),
        # What only looks like it.
        ("libm.so.6", "GLIBC_2.37", "", (2, 36), None),
        ("libm.so.6", "MINE_1.0", "", (2, 36), None),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", "symbol", (2, 36), None),
        ("libc.so.6", "XCRYPT_2.0", "crypt", (2, 36), None),
        (LD, "GLIBC_2.35", "__rseq_size", (2, 33), None),
        ("libc.so.6", "GLIBC_2.35", "__rseq_size", (2, 34), None),
        ("libc.so.6", "GLIBC_2.99", "x", (2, 36), None),
        ("libc.so.6", "", "unversioned", (2, 36), None),
    ],
)
def test_a_node_that_the_table_lacks(soname: str, node: str, names: str, glibc: tuple[int, int], explanation: str | None) -> None:
    found = _difference(soname, {"GLIBC_2.3": "puts"}, {"GLIBC_2.3": "puts", node: names}, glibc)
    assert found == (Difference(soname, node, (), tuple(names.split()), explanation),)


@pytest.mark.parametrize(
    ("listed", "has", "lacks", "adds"),
    [
        ({"GLIBC_2.3": "puts gets"}, {"GLIBC_2.3": "puts"}, ("gets",), ()),
        ({"GLIBC_2.3": "puts"}, {"GLIBC_2.3": "puts mine"}, (), ("mine",)),
        ({"GLIBC_2.3": "puts gets"}, {"GLIBC_2.3": "puts mine"}, ("gets",), ("mine",)),
        ({"GLIBC_2.3": "puts"}, {}, ("puts",), ()),
    ],
)
def test_other_symbols_are_never_normal(
    listed: dict[str, str], has: dict[str, str], lacks: tuple[str, ...], adds: tuple[str, ...]
) -> None:
    assert _difference("libc.so.6", listed, has) == (Difference("libc.so.6", "GLIBC_2.3", lacks, adds, None),)


def test_what_is_lacking_is_not_explained_by_what_is_added() -> None:
    (found,) = _difference(LD, {"GLIBC_2.35": "__rseq_size"}, {"GLIBC_2.35": "__rseq_flags"}, (2, 34))
    assert found.explanation is None


def test_all_as_it_should_be() -> None:
    assert _difference("libc.so.6", {"GLIBC_2.3": "puts"}, {"GLIBC_2.3": "puts"}) == ()


def test_what_is_not_there_is_listed() -> None:
    table = {"libc.so.6": {"GLIBC_2.3": frozenset(("puts", "gets"))}, "libm.so.6": {"GLIBC_2.3": frozenset(("exp",))}}
    check = compare({}, table, Libc("glibc", (2, 36)))
    assert (check.libraries, check.absent, check.symbols, check.differences) == ((), ("libc.so.6", "libm.so.6"), 0, ())
