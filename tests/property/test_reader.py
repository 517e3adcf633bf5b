"""No bytes make the reader raise anything: whatever a file holds is facts."""

from __future__ import annotations

import struct
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.elf import parse_elf
from tests.elfparts import FUNC, Relocation, Symbol, abi_tag, gnu_property
from tests.elfwriter import Elf, write_elf
from tests.read.elf.conftest import real_files

WRITTEN = Elf(
    soname="libx.so.1",
    needed=["libc.so.6"],
    runpath="$ORIGIN",
    symbols=[
        Symbol("puts", version="GLIBC_2.2.5", file="libc.so.6", type=FUNC),
        *(Symbol(f"name{number}", defined=True, version="V1") for number in range(20)),
    ],
    version_definitions=["V1"],
    relocations=[Relocation("relative"), Relocation("jump_slot", "puts"), Relocation("glob_dat", "name7")],
    relr=[0x1000, 3],
    notes=[abi_tag(0, 3, 2, 0), gnu_property({0xC0000002: 3, 0xC0008002: 1})],
    hashes=("gnu", "sysv"),
    tls_size=8,
    bss=10_000,
)
BASES = [
    WRITTEN.build(),
    write_elf(symbols=WRITTEN.symbols, version_definitions=["V1"], relocations=WRITTEN.relocations, hashes=["sysv"]),
    write_elf(machine="aarch64", symbols=WRITTEN.symbols, version_definitions=["V1"], relocations=WRITTEN.relocations),
    *(path.read_bytes() for path in real_files()[:3] if path.stat().st_size < 200_000),
]
#: Numbers that mean something to a loader, beside arbitrary ones.
VALUES = st.one_of(
    st.sampled_from(
        [0, 1, 2, 3, 8, 24, 0xFFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0xFFFF, 2**31, 2**32 - 1, 2**47, 2**63, 2**64 - 1]
    ),
    st.integers(0, 0x3000),
    st.integers(0, 2**64 - 1),
)


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A good file with some words changed, most of them where the tables are, and maybe cut short."""
    data = bytearray(draw(st.sampled_from(BASES)))
    dynamic = _dynamic_offset(data)
    for _ in range(draw(st.integers(1, 6))):
        start, size = draw(st.sampled_from([(0, 64), (64, 560), (dynamic, 512), (0, 0x1000), (0, len(data))]))
        position = min(start + draw(st.integers(0, size)) // 4 * 4, len(data) - 8)
        form = draw(st.sampled_from("BHIQ"))
        struct.pack_into("<" + form, data, position, draw(VALUES) % (1 << 8 * struct.calcsize(form)))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def _dynamic_offset(data: bytearray) -> int:
    (count,) = struct.unpack_from("<H", data, 56)
    headers = [struct.unpack_from("<IIQ", data, 64 + 56 * number) for number in range(count)]
    return next(int(offset) for kind, _, offset in headers if kind == 2)


def _ask_everything(data: bytes) -> None:
    found = parse_elf(data)
    assert found.size == len(data)
    if isinstance(found, Malformed):
        return
    assert isinstance(found, SharedObject)
    names = [each.name for each in found.references[:50] if each.name is not None]
    for name in [*names, *islice(found.definitions, 50), "name7", "", "\udcff"]:
        assert all(definition.fault or definition.index >= 0 for definition in found.definitions.get(name, ()))
    assert parse_elf(data) == found or len(found.definitions) > 50


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    _ask_everything(data)


@given(st.binary(max_size=2000))
def test_any_bytes_behind_a_good_header(data: bytes) -> None:
    _ask_everything(BASES[0][:64] + data)


@given(st.binary(min_size=48, max_size=2000), st.sampled_from(range(len(BASES))))
def test_any_bytes_behind_good_program_headers(data: bytes, number: int) -> None:
    base = BASES[number]  # not drawn itself: an example that fails is to be printed
    _ask_everything(base[:700] + data + base[700 + len(data) :])


@given(damaged_files())
def test_damaged_files(data: bytes) -> None:
    _ask_everything(data)
