from __future__ import annotations

import base64

import pytest

from abicheck.model.wasm import Damaged, Extern, Limits, Module
from abicheck.read.wasm import embedded, read_wasm
from tests.wasmwriter import (
    BESIDES,
    FEATURES,
    I32,
    I64,
    PLAIN,
    SHARED,
    V128,
    WIDE,
    bodies,
    custom,
    module,
    name,
    number,
    program,
    section,
    signature,
    vector,
)


def _module(data: bytes) -> Module:
    found = read_wasm(data)
    assert isinstance(found, Module), found
    return found


def _damage(data: bytes) -> Damaged:
    found = read_wasm(data)
    assert isinstance(found, Damaged), found
    return found


@pytest.mark.parametrize("feature", FEATURES)
def test_features_are_told_by_their_use(feature: str) -> None:
    found = _module(FEATURES[feature])
    assert {use.feature for use in found.uses} == {feature} | BESIDES.get(feature, set())
    assert found.unknown is None


def test_the_first_engines_instructions_need_nothing() -> None:
    code = (
        b"\x02\x40\x03\x7f\x41\x80\x7f\x04\x7f\x41\x00\x05\x41\x01\x0b\x0c\x00\x0b\x1a\x0b"  # blocks, loops, branches
        b"\x41\x00\x28\x02\xff\x01\x1a\x43\x0b\x0b\x0b\x0b\x1a\x44\xfd\xfe\xfc\x06\x12\xc0\x0b\x0b\x1a"  # constants like code
        b"\x41\x00\x0e\x81\x00\x00\x00\x10\x00\x41\x00\x11\x00\x00\x3f\x00\x1a\x41\x00\x40\x00\x1a\x0f"
    )
    assert _module(program(code)).uses == ()


@pytest.mark.parametrize(
    ("code", "features"),
    [
        (b"\xfc\x0a\x00\x00", ["bulk-memory"]),
        (b"\xfc\x0a\x00\x01", ["multi-memory"]),
        (b"\x11\x00\x80\x80\x80\x80\x00", ["reference-types"]),
        (b"\x1c\x01\x7f", ["reference-types"]),
        (b"\xfd\x57\x00\x00\x03", ["simd"]),
        (b"\xfd\xe4\x01", ["simd"]),
        (b"\xfe\x10\x02\x00", ["threads"]),
        (b"\xfe\x03\x00", ["threads"]),
        (b"\x28\x42\x01\x00", ["multi-memory"]),
        (b"\x02\x7b\x0b", ["simd"]),
        (b"\x08\x00", ["exceptions-legacy"]),
        (b"\xfb\x18\x03\x00\x6e\x6e", ["gc"]),
        (b"\x1f\x40\x02\x00\x00\x00\x03\x00\x0b\xc0", ["exceptions", "sign-extension"]),
        (b"\xc0" * 9000 + b"\xfc\x00", ["sign-extension", "saturating-float-to-int"]),
    ],
)
def test_operands_are_passed_over_exactly(code: bytes, features: list[str]) -> None:
    found = _module(program(code + b"\x41\x00\x1a"))
    assert ([use.feature for use in found.uses], found.unknown) == (features, None)


def test_where_the_first_use_is() -> None:
    data = program(b"\x00\xfd\x0c" + bytes(16) + b"\x1a", local=b"\x00")
    (use,) = _module(data).uses
    assert (use.feature, use.offset, use.form, use.function) == ("simd", data.index(b"\xfd\x0c"), "instruction", 0)
    data = program(b"", local=b"\x01\x01" + V128)
    (use,) = _module(data).uses
    assert (use.offset, use.form) == (data.rindex(V128), "type")


def test_functions_are_counted_from_the_imported_ones_on() -> None:
    data = module(
        section(1, vector(signature())),
        section(2, vector(name("a") + name("b") + b"\x00\x00")),
        section(3, vector(b"\x00", b"\x00")),
        bodies(b"", b"\x41\x00\xc0\x1a"),
    )
    (use,) = _module(data).uses
    assert use.function == 2


@pytest.mark.parametrize("code", [b"\x27", b"\xfc\x40", b"\xff", b"\xfd\xff\x7f", b"\xfb\x7f"])
def test_an_unknown_instruction_is_told_and_not_guessed(code: bytes) -> None:
    found = _module(program(b"\x41\x00\xc0\x1a" + code))
    assert found.unknown is not None
    assert f"(0x{code[0]:02x}" in found.unknown
    assert [use.feature for use in found.uses] == ["sign-extension"]


def test_imports_exports_and_memories() -> None:
    data = module(
        section(1, vector(signature(I32, I64))),
        section(
            2,
            vector(
                name("env") + name("memory") + b"\x02" + SHARED,
                name("a") + name("é") + b"\x00\x00",
                name("a") + name("t") + b"\x01\x70\x01\x00\x02",
                name("a") + name("g") + b"\x03\x7f\x01",
            ),
        ),
        section(7, vector(name("run") + b"\x00\x00")),
    )
    found = _module(data)
    assert found.imports == (
        Extern("memory", "memory", "env", limits=Limits(1, 2, shared=True)),
        Extern("function", "é", "a", ("i64",)),
        Extern("table", "t", "a", ("funcref",), Limits(0, 2)),
        Extern("global", "g", "a", ("i32",), mutable=True),
    )
    assert found.exports == (Extern("function", "run"),)
    assert found.memories == (Limits(1, 2, shared=True),)
    assert found.tables == (Limits(0, 2),)
    assert [use.feature for use in found.uses] == ["threads", "bigint", "mutable-globals"]
    assert _module(program(b"", memories=(WIDE,))).memories == (Limits(1, address64=True),)


def test_what_imports_must_be() -> None:
    imports = [b"\x04\x00\x00", b"\x03\x63\x00\x00", b"\x03\x6e\x00", b"\x01\x6f\x04\x01", b"\x00\x09"]
    data = module(
        section(1, vector(signature(I32 + V128, I64))),
        section(2, vector(*(name("a") + name(str(number)) + each for number, each in enumerate(imports)))),
    )
    assert _module(data).imports == (
        Extern("tag", "0", "a", ("i32", "v128")),
        Extern("global", "1", "a", ("ref",)),
        Extern("global", "2", "a", ("anyref",)),
        Extern("table", "3", "a", ("externref",), Limits(1, address64=True)),
        Extern("function", "4", "a"),  # of a type that is not there
    )


def test_custom_sections() -> None:
    data = module(
        custom(
            "producers",
            vector(name("language") + vector(name("C11") + name("")), name("processed-by") + vector(name("clang") + name("19"))),
        ),
        custom("target_features", vector(b"+" + name("simd128"))),
        custom("name", b"\x00" + number(5) + name("demo")),
        custom("producers", b"\xff\xff"),  # makes no sense, and no engine minds
    )
    found = _module(data)
    assert found.producers == (("language", ("C11",)), ("processed-by", ("clang 19",)))
    assert (found.target_features, found.name) == (("+simd128",), "demo")


@pytest.mark.parametrize(
    ("data", "kind", "text", "detail"),
    [
        (b"", "empty", "BufferSource argument is empty", "empty"),
        (b"\0as", "truncated", "expected 4 bytes, fell off end @+0", "3 bytes"),
        (b"\0asm\1\0", "truncated", "expected 4 bytes, fell off end @+4", "6 bytes"),
        (b"<!doctype html>", "other-file", "expected magic word 00 61 73 6d, found 3c 21 64 6f @+0", "HTML"),
        (b"version https://git-lfs.github.com/spec/", "pointer", "expected magic word 00 61 73 6d, found 76 65 72 73 @+0", "LFS"),
        (b"\x1f\x8b\x08\x00", "other-file", "expected magic word 00 61 73 6d, found 1f 8b 08 00 @+0", "gzip"),
        (b"\0asm\r\0\1\0", "other-file", "expected version 01 00 00 00, found 0d 00 01 00 @+4", "component"),
        (b"\0asm\1\0\0\0\x01", "truncated", None, "byte 9 of 9"),
        (
            b"\0asm\1\0\0\0\x01\x05\x00",
            "truncated",
            'section (code 1, "Type") extends past end of the module (length 5, remaining bytes 1) @+8',
            "ends in its Type section",
        ),
        (module(section(3, vector(b"\x00"))), "truncated", "function count is 1, but code section is absent @+12", "1 functions"),
        (module(section(1, b"\x01\x13")), "malformed", None, "no form of types: 0x13"),
        (module(section(99, b"")), "malformed", None, "no section has the number 99"),
        (module(section(8, b"\x00\x00")), "malformed", None, "holds more than it says"),
        (module(section(7, vector(b"\x01\xff\x00\x00"))), "malformed", None, "not UTF-8"),
        (module(section(1, b"\xff\xff\xff\xff\xff\x0f")), "malformed", None, "more than 32 bits"),
    ],
)  # fmt: skip
def test_what_is_no_module(data: bytes, kind: str, text: str | None, detail: str) -> None:
    found = _damage(data)
    assert (found.kind, found.text) == (kind, text)
    assert detail in found.detail


def test_a_cut_section_in_the_words_of_older_engines() -> None:
    assert _damage(b"\0asm\1\0\0\0\x01\x05\x00").older_text == "expected 5 bytes, fell off end @+10"


def test_damage_tells_what_stands_before_it() -> None:
    data = program(b"\x41\x00\xc0\x1a", memories=(SHARED,))
    assert [use.feature for use in _damage(data[:-1]).uses] == ["threads"]


def test_modules_in_a_script() -> None:
    first, second = program(b""), program(b"\x41\x00\xc0\x1a", memories=(PLAIN, PLAIN))
    told = [f'var x="data:application/octet-stream;base64,{base64.b64encode(each).decode()}";' for each in (first, second, first)]
    assert embedded("\n".join(told).encode()) == (first, second)
    (cut,) = embedded(told[1][:80].encode())
    assert second.startswith(cut)
    assert embedded(b"export default {}") == ()
