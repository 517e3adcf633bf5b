"""What a lookup by name finds: through the object's own hash table, exactly as the loader walks it."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from abicheck.read.elf import hashes
from tests.elfparts import FUNC, LOCAL, NOTYPE, OBJECT, PROTECTED, TLS, UNIQUE, WEAK, Symbol, gnu_hash
from tests.elfwriter import Elf, write_elf
from tests.read.elf.damage import facts, stages, with_entry, with_word

if TYPE_CHECKING:
    from abicheck.model.symbols import Definition

NOWHERE = 1 << 47
MANY = [Symbol(f"name{number}", defined=True) for number in range(200)]


def _find(data: bytes, name: str) -> tuple[Definition, ...]:
    return facts(data).definitions.get(name, ())


@pytest.mark.parametrize("hashes", [("gnu",), ("sysv",), ("gnu", "sysv")])
def test_every_defined_name_is_found_and_no_other(hashes: tuple[str, ...]) -> None:
    definitions = facts(write_elf(symbols=[*MANY, Symbol("undefined")], hashes=hashes)).definitions
    assert sorted(definitions) == sorted(symbol.name for symbol in MANY)
    assert len(definitions) == 200
    assert all(len(definitions[symbol.name]) == 1 for symbol in MANY)
    for absent in ("undefined", "name", "name1000", "", "\udcff", "ü"):
        assert absent not in definitions
        assert definitions.get(absent) is None
        with pytest.raises(KeyError):
            definitions[absent]


def test_without_a_hash_table_nothing_is_found() -> None:
    assert dict(facts(write_elf(symbols=MANY, hashes=())).definitions) == {}


@pytest.mark.parametrize(
    ("symbol", "binding", "kind", "visibility"),
    [
        (Symbol("s", defined=True, binding=WEAK), WEAK, OBJECT, 0),
        (Symbol("s", defined=True, binding=UNIQUE, type=FUNC), UNIQUE, FUNC, 0),
        (Symbol("s", defined=True, visibility=PROTECTED), 1, OBJECT, PROTECTED),
        (Symbol("s", defined=True, type=TLS, value=0), 1, TLS, 0),
        (Symbol("s", defined=True, type=NOTYPE, value=0, section=0xFFF1), 1, NOTYPE, 0),
        (Symbol("s", defined=True, type=10), 1, 10, 0),
    ],
)
def test_what_counts_as_a_definition(symbol: Symbol, binding: int, kind: int, visibility: int) -> None:
    (found,) = _find(write_elf(symbols=[symbol]), "s")
    assert (found.binding, found.type, found.visibility, found.undefined) == (binding, kind, visibility, False)


@pytest.mark.parametrize(
    "symbol",
    [
        Symbol("s"),
        Symbol("s", defined=True, value=0),
        Symbol("s", defined=True, type=3),
        Symbol("s", defined=True, type=4),
        Symbol("s", defined=True, binding=LOCAL),
    ],
)
def test_what_does_not(symbol: Symbol) -> None:
    assert _find(write_elf(symbols=[symbol]), "s") == ()


def test_an_undefined_symbol_with_a_value_is_marked() -> None:
    (found,) = _find(write_elf(symbols=[Symbol("s", defined=True, section=0, value=0x100)]), "s")
    assert found.undefined


def test_several_definitions_of_one_name_stand_in_the_order_of_the_chain() -> None:
    symbols = [Symbol("s", defined=True, version=version, default=version == "V2") for version in ("V1", "V2", "V3")]
    found = _find(write_elf(symbols=symbols, version_definitions=["V1", "V2", "V3"]), "s")
    assert [(each.version.name if each.version else None, each.hidden) for each in found] == [
        ("V1", True),
        ("V2", False),
        ("V3", True),
    ]


def test_a_name_is_found_by_its_hash_alone() -> None:
    """Where the string was edited and the hash was not, neither the old nor the new name is found."""
    elf = Elf(symbols=[Symbol("answer", defined=True), *MANY])
    data = elf.build().replace(b"answer", b"Answer")
    assert _find(data, "answer") == ()
    assert _find(data, "Answer") == ()
    assert "Answer" not in list(facts(data).definitions)
    assert _find(data, "name7")


def test_names_may_share_their_bytes() -> None:
    elf = Elf(symbols=[Symbol("long_name", defined=True), Symbol("name", defined=True)])
    elf.build()
    strings = elf.layout["dynstr"]
    data = elf.build()
    merged = data.index(b"long_name\0") + 5 - strings
    found = facts(with_word(elf, "dynsym", 24 * elf.index("name"), "I", merged)).definitions
    assert set(found) == {"long_name", "name"}


def test_a_large_shift_leaves_older_loaders_no_hash() -> None:
    elf = Elf(symbols=[Symbol("answer", defined=True)])
    found = facts(with_word(elf, "gnu_hash", 12, "I", 32))
    assert found.definitions.get("answer")
    assert found.older is not None
    assert not found.older.definitions.get("answer")
    assert facts(with_word(elf, "gnu_hash", 12, "I", 31)).older is None


@pytest.mark.parametrize("tag", [5, 6])
def test_without_symbols_or_strings_every_lookup_is_deadly(tag: int) -> None:
    (found,) = _find(write_elf(symbols=MANY, without=[tag]), "nowhere")
    assert found.fault == "SIGSEGV"


@pytest.mark.parametrize("words", [0, 1 << 31])
def test_a_bloom_filter_beyond_the_mapping(words: int) -> None:
    (found,) = _find(with_word(Elf(symbols=MANY), "gnu_hash", 8, "I", words), "name7")
    assert found.fault == "SIGSEGV"


def test_a_bloom_filter_of_another_size_hides_everything() -> None:
    assert _find(with_word(Elf(symbols=MANY), "gnu_hash", 8, "I", 0x40), "name7") == ()


def test_a_bloom_filter_whose_size_is_no_power_of_two() -> None:
    found = facts(with_word(Elf(symbols=MANY), "gnu_hash", 8, "I", 3))
    assert found.bad_bloom
    assert dict(found.definitions) == {}


@pytest.mark.parametrize("table", ["gnu_hash", "hash"])
def test_a_table_without_buckets_is_passed_over(table: str) -> None:
    hashes = ("gnu",) if table == "gnu_hash" else ("sysv",)
    found = facts(with_word(Elf(symbols=MANY, hashes=hashes), table, 0, "I", 0))
    assert dict(found.definitions) == {}
    assert found.faults == ()


@pytest.mark.parametrize(("hashes", "tag"), [(("gnu",), 0x6FFFFEF5), (("sysv",), 4)])
def test_a_table_that_is_nowhere(hashes: tuple[str, ...], tag: int) -> None:
    assert stages(with_entry(Elf(symbols=MANY, hashes=hashes), tag, NOWHERE)) == {"hash": "SIGSEGV"}


@pytest.mark.parametrize("tag", [5, 6])
def test_symbols_or_strings_that_are_nowhere(tag: int) -> None:
    (found,) = _find(with_entry(Elf(symbols=MANY), tag, NOWHERE), "name7")
    assert found.fault == "SIGSEGV"


def test_the_loader_dies_at_a_bucket_that_leads_out_of_the_mapping() -> None:
    elf = Elf(symbols=MANY)
    buckets = 200 // 3
    bucket = gnu_hash("name7") % buckets
    data = with_word(elf, "gnu_hash", 24 + 4 * bucket, "I", 0x7FFFFFF)
    (found,) = _find(data, "name7")
    assert found.fault == "SIGSEGV"
    alive = next(symbol.name for symbol in MANY if gnu_hash(symbol.name) % buckets != bucket)
    assert _find(data, alive)[0].fault is None


def test_a_sysv_chain_in_circles_ends() -> None:
    elf = Elf(symbols=MANY[:1], hashes=("sysv",))
    data = with_word(elf, "hash", 8 + 4 + 4, "I", 1)
    assert {each.binding for each in _find(data, "name0")} == {1}
    assert _find(data, "other") == ()


def test_facts_can_be_pickled(library: Elf) -> None:
    found = facts(library.build())
    assert found.definitions["answer"]
    copy = pickle.loads(pickle.dumps(found))
    assert copy == found
    assert dict(copy.definitions) == dict(found.definitions)


def test_nothing_of_the_file_is_kept_that_no_lookup_needs() -> None:
    data = write_elf(symbols=MANY)
    assert len(pickle.dumps(facts(data))) < len(pickle.dumps(facts(data + bytes(1 << 20)))) + 1000 < 20_000


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 1022, 1023, 1024, 5000])
def test_names_of_any_length_have_the_loaders_hash(length: int) -> None:
    name = bytes(number * 7 % 127 + 1 for number in range(length))
    assert hashes.gnu_hash(name) == gnu_hash(name.decode())
    assert hashes.gnu_hashes([name, b"x"])[0] == gnu_hash(name.decode())
