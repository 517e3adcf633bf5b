from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import UsageError
from abicheck.model.configuration import Known
from abicheck.read.baseline import read_baseline

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = {"package": "demo", "host": "debian:13", "rule": "no-wheel"}


def _read(directory: Path, data: bytes) -> frozenset[Known]:
    path = directory / "known.json"
    path.write_bytes(data)
    return read_baseline(str(path))


def test_known_errors(tmp_path: Path) -> None:
    document = {"schema_version": 1, "known": [ENTRY, ENTRY, {**ENTRY, "host": "rhel:8"}]}
    found = _read(tmp_path, json.dumps(document).encode())
    assert found == {Known("demo", "debian:13", "no-wheel"), Known("demo", "rhel:8", "no-wheel")}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be a table"),
        ({"known": []}, "schema_version: must be 1"),
        ({"schema_version": 2, "known": []}, "schema_version: must be 1"),
        ({"schema_version": 1, "known": {}}, "known: must be a list of tables"),
        ({"schema_version": 1, "known": [], "more": 1}, "more: is no key here; there are schema_version, known"),
        ({"schema_version": 1, "known": [ENTRY, 1]}, "known[1]: must be a table"),
        ({"schema_version": 1, "known": [{}]}, "known[0]: must have package, host, rule"),
        ({"schema_version": 1, "known": [{**ENTRY, "rule": ""}]}, "known[0]: must have package, host, rule"),
        ({"schema_version": 1, "known": [{**ENTRY, "rule": 1}]}, "known[0].rule: must be a string"),
        ({"schema_version": 1, "known": [{**ENTRY, "object": "x"}]}, "known[0].object: is no key here; there are package, host"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, document: object, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        _read(tmp_path, json.dumps(document).encode())
    assert raised.value.subject == str(tmp_path / "known.json")
    assert raised.value.message.removeprefix(": ").startswith(message)
    assert raised.value.message.endswith("; write it again with --write-baseline")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON ("),
        (b"<<<<<<< HEAD\n", "no JSON ("),
        (b"\xff\xfe\xff", "no JSON ("),
        (b"[" * 200_000, "no JSON (nested too deeply)"),
        (b"9" * 5000, "no JSON ("),
    ],
)
def test_what_is_no_json(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        _read(tmp_path, data)
    assert raised.value.message.startswith(message)
    assert "\n" not in raised.value.message


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read \(No such file or directory\); write it first with --write-baseline"):
        read_baseline(str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="embedded null byte"):
        read_baseline("a\0b")
