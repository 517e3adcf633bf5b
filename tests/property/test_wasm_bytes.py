"""Whatever bytes are given, the reader of modules answers: it raises nothing and stays inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.model.wasm import Damaged, Module
from abicheck.read.wasm import read_wasm
from tests.wasmwriter import FEATURES, custom, module, name, number, program, section, vector

WHOLE = program(
    b"\xfd\x0c" + bytes(16) + b"\x1a\x41\x00\x0e\x02\x00\x00\x00",
    extra=section(7, vector(name("f") + b"\x00\x00")) + section(9, vector(b"\x00\x41\x00\x0b" + vector(b"\x00"))),
) + custom("name", b"\x00" + number(3) + name("ab"))


def _read(data: bytes) -> None:
    found = read_wasm(data)
    assert isinstance(found, (Module, Damaged))
    if isinstance(found, Module):
        assert all(0 <= use.offset < len(data) for use in found.uses)


@given(st.binary(max_size=300))
def test_any_bytes_behind_the_magic(data: bytes) -> None:
    _read(data)
    _read(module(data))


@given(st.integers(0, 13), st.binary(max_size=200))
def test_any_section(code: int, content: bytes) -> None:
    _read(module(section(code, content)))


@given(st.binary(max_size=200))
def test_any_code(code: bytes) -> None:
    _read(program(code))


@pytest.mark.parametrize("feature", FEATURES)
def test_cut_everywhere(feature: str) -> None:
    data = FEATURES[feature] + WHOLE[8:]
    for size in range(len(data)):
        _read(data[:size])


@given(st.data())
def test_damaged(data: st.DataObject) -> None:
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(content))
