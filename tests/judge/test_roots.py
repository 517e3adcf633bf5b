from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.judge.roots import alternatives, role
from abicheck.model.host import Interpreter
from tests.judge.loader.machine import defined, header, host, library

if TYPE_CHECKING:
    from abicheck.model.elf import SharedObject

ON = host({}, python=Interpreter("/usr/bin/python3.12", (3, 12)))
FREE = host({}, python=Interpreter("/usr/bin/python3.13t", (3, 13), free_threaded=True))
EXTENSION = library(exports={"PyInit_m": defined()})


@pytest.mark.parametrize(
    ("name", "facts", "kind"),
    [
        ("m.cpython-312-x86_64-linux-gnu.so", EXTENSION, "extension"),
        ("m.abi3.so", EXTENSION, "extension"),
        ("m.so", EXTENSION, "extension"),
        ("m.cpython-312-x86_64-linux-gnu.so", library(), "library"),
        ("other.so", EXTENSION, "library"),
        ("libm.so.6", library(interpreter="/lib64/ld-linux-x86-64.so.2"), "library"),
        ("ruff", library(interpreter="/lib64/ld-linux-x86-64.so.2"), "executable"),
        ("libx-1234.so.1", library(), "library"),
    ],
)
def test_what_a_binary_is(name: str, facts: SharedObject, kind: str) -> None:
    assert role(f"/site/{name}", facts, ON).kind == kind


@pytest.mark.parametrize(
    ("name", "facts", "reason"),
    [
        ("m.cpython-311-x86_64-linux-gnu.so", EXTENSION, "an extension for Python 3.11"),
        ("m.cpython-312t-x86_64-linux-gnu.so", EXTENSION, "an extension for Python 3.12, free-threaded"),
        ("m.pypy310-pp73-x86_64-linux-gnu.so", EXTENSION, "an extension for PyPy 3.10"),
        ("m.so", library(header=header(183)), "built for aarch64"),
        ("kernel.cubin", library(header=header(190)), "built for CUDA"),
        ("a.o", library(header=header(kind=1)), "neither a library nor a program"),
    ],
)
def test_what_is_not_for_this_host(name: str, facts: SharedObject, reason: str) -> None:
    assert role(f"/site/{name}", facts, ON) == (None, reason)


def test_a_free_threaded_python_takes_its_own_extensions_only() -> None:
    assert role("/site/m.cpython-313t-x86_64-linux-gnu.so", EXTENSION, FREE).kind == "extension"
    assert role("/site/m.abi3.so", EXTENSION, FREE).reason == "an extension for the stable ABI with the GIL"


def test_sets_of_which_one_is_enough() -> None:
    ffmpeg = {f"/site/t/libcore{n}.so": ["libtorch.so", f"libavcodec.so.{n + 54}"] for n in (4, 5, 6)}
    plain = {"/site/t/lib1.so": ["libc.so.6"], "/site/t/lib2.so": ["libc.so.6"], "/site/t/b.so": ["libavcodec.so.58"]}
    assert alternatives({**ffmpeg, **plain}) == [tuple(ffmpeg)]


def test_sets_that_need_a_member_of_such_a_set_each() -> None:
    core = {f"/site/t/libcore{n}.so": [f"libavcodec.so.{n + 54}"] for n in (4, 5)}
    custom = {f"/site/t/libops{n}.so": ["libc.so.6", f"libcore{n}.so"] for n in (4, 5)}
    other = {f"/site/t/libz{n}.so": [f"liby{n}.so"] for n in (1, 2)}
    assert alternatives({**core, **custom, **other}) == [tuple(core), tuple(custom)]
