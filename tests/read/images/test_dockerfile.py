"""What a Dockerfile builds upon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import HostError
from abicheck.read.images.dockerfile import base_image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM debian:13\n", "debian:13"),
        ("# a comment\n\nfrom --platform=$BUILDPLATFORM debian:13 as x\nRUN true\n", "debian:13"),
        ("FROM a AS build\nFROM b\nCOPY --from=build /x /x\n", "b"),
        ("FROM a AS Build\nFROM b AS other\nFROM build\n", "a"),
        ("ARG V=3.12\nARG N=python:$V\nFROM ${N}-slim\n", "python:3.12-slim"),
        ('ARG A=x B="y"\nFROM $A:$B\n', "x:y"),
        ("FROM ${N:-python}:${V-3}${D:+-dev}\n", "python:3"),
        ("ARG V=1\nFROM a:$V\nARG V=2\nFROM b:$V\n", "b:1"),
        ("FROM \\\n  # between\n  debian:13 \\\n  AS x\n", "debian:13"),
        ("# escape=`\nFROM `\n  debian:13\n", "debian:13"),
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\n", "a"),
        ("FROM a\nRUN echo \\\n  FROM b\n", "a"),
        ("FROM a@sha256:0123\n", "a@sha256:0123"),
    ],
)
def test_base(text: str, base: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    assert base_image(str(tmp_path / "Dockerfile")) == base_image(str(tmp_path)) == base


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no FROM"),
        ("RUN true\n", "it has no FROM"),
        ("FROM\n", "line 1: FROM  names no image"),
        ("\nFROM a b c\n", "line 2: FROM a b c names no image"),
        ("FROM scratch\n", "starts from scratch"),
        ("ARG V\nFROM a:$V\n", "line 2: the argument V has no default; write ARG V=VALUE"),
    ],
)
def test_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(HostError) as refused:
        base_image(str(tmp_path / "f"))
    assert reason in refused.value.message


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="give the path of a Dockerfile"):
        base_image(str(tmp_path / "none"))
