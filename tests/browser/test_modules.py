"""Modules in a real browser: what is predicted for its version, with isolation and without, is what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api.confirm import confirm_modules
from tests.wasmwriter import FEATURES, PLAIN, SHARED, module, name, section, vector

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser
#: Old and new features, one that has long been missing, and a file that is none.
MODULES = {each: FEATURES[each] for each in ("simd", "gc", "exceptions", "wide-arithmetic")} | {"page": b"<!doctype html>"}
#: Why a page that is not isolated cannot start threads.
NOT_ISOLATED = (
    "DataCloneError: Failed to execute 'postMessage' on 'Worker': SharedArrayBuffer transfer requires self.crossOriginIsolated."
)


def _asking(memory: bytes) -> bytes:
    """A module that imports a memory."""
    return module(section(2, vector(name("env") + name("memory") + b"\x02" + memory)))


def test_shared_memory_needs_isolation_and_nothing_else_does(tmp_path: Path) -> None:
    for title, memory in (("shared", SHARED), ("plain", PLAIN)):
        (tmp_path / f"{title}.wasm").write_bytes(_asking(memory))
    report = confirm_modules([str(tmp_path / "shared.wasm"), str(tmp_path / "plain.wasm")], ["chrome"])
    assert report.errors == ()
    told = [(each.result.artifact.name, each.result.host.name.partition("/")[2], each.observed) for each in report.cells]
    assert [(title, page, seen.text) for title, page, seen in told if seen is not None] == [
        ("shared.wasm", "", NOT_ISOLATED),
        ("shared.wasm", "isolated", None),
        ("plain.wasm", "", None),
    ]
    assert [each.agree for each in report.cells] == [True, True, True]


def test_a_feature_is_there_or_missing_as_predicted(tmp_path: Path) -> None:
    paths = [tmp_path / f"{title}.wasm" for title in MODULES]
    for path, data in zip(paths, MODULES.values(), strict=True):
        path.write_bytes(data)
    report = confirm_modules(list(map(str, paths)), ["chrome"])
    assert report.errors == ()
    assert {each.cell.name: each.differences for each in report.cells if each.agree is False} == {}
    assert len(report.cells) == len(MODULES)
    assert report.cells[-1].result.verdict == "fails"
