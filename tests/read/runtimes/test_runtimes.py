from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import DataError, HostError, UsageError
from abicheck.read import runtimes
from abicheck.read.runtimes import NAMES, is_runtime, open_runtime, parse_version
from tests.wasmwriter import FEATURES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("node", True), ("node:20", True), ("safari:16.3", True), ("local", False), ("nodes:20", False), ("debian:13", False)],
)
def test_names(spec: str, expected: bool) -> None:  # noqa: FBT001 -- a parameter of the table
    assert is_runtime(spec) is expected


@pytest.mark.parametrize(
    ("version", "since"),
    [("21.0", "25.0"), ("22.18", "22.19"), ("22", "22.19"), ("23.11", "25.0"), ("24.15", "24.15"), ("26", "25.0")],
)
def test_what_older_majors_were_given_later(version: str, since: str) -> None:
    runtime = open_runtime(f"node:{version}")
    assert runtime.family.since["exceptions"] == parse_version(since)
    assert runtime.family in runtime.families


def test_a_version() -> None:
    runtime = open_runtime("safari:16.3")
    assert (runtime.family.title, runtime.version, runtime.family.since["simd"]) == ("Safari", (16, 3), (16, 4))
    assert open_runtime("node:v20.11.1").version == (20, 11, 1)


def test_a_page_that_is_isolated() -> None:
    isolated, plain = open_runtime("safari:16.3/isolated"), open_runtime("safari:16.3")
    assert (isolated.version, isolated.isolated, plain.isolated) == ((16, 3), True, None)


@pytest.mark.parametrize(
    "spec",
    ["chrome", "node:", "node:20-slim", "firefox:latest", "safari:1.2.3.4", "chrome:99999", "node:20/isolated", "chrome:1/x"],
)
def test_no_version(spec: str) -> None:
    with pytest.raises(UsageError, match=r"by its version, as in \w+:\d+"):
        open_runtime(spec)


def test_every_feature_of_the_table_is_told_by_a_module_of_the_tests() -> None:
    assert open_runtime("node:20").features.keys() == FEATURES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_the_table_is_newer_than_the_newest(name: str) -> None:
    family = open_runtime(f"{name}:1").family
    assert all(since[: len(family.newest)] <= family.newest for since in family.since.values())


def _program(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    node = directory / "node"
    node.write_text(f"#!/bin/sh\n{script}\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}")


def test_the_node_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, monkeypatch, "echo v18.20.5")
    runtime = open_runtime("node")
    assert (runtime.name, runtime.version) == ("node", (18, 20, 5))


@pytest.mark.parametrize("script", ["echo 'no version'", "exit 3"])
def test_a_node_that_does_not_tell_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    _program(tmp_path, monkeypatch, script)
    with pytest.raises(HostError, match="does not tell its version"):
        open_runtime("node")


def test_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match=r"no Node.js on the PATH"):
        open_runtime("node")


@pytest.mark.parametrize("change", [('simd = "16.4"', 'smid = "16.4"'), ('newest = "26"', 'newest = "x"'), ("title", "titel")])
def test_a_damaged_table(monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]) -> None:
    content = runtimes._content().replace(*change)
    monkeypatch.setattr(runtimes, "_content", lambda: content)
    runtimes.table.cache_clear()
    try:
        with pytest.raises(DataError, match="install abicheck anew"):
            open_runtime("node:20")
    finally:
        runtimes.table.cache_clear()
