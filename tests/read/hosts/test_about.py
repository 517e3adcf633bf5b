from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.model.description import SystemFacts
from abicheck.read.hosts.about import read_about

if TYPE_CHECKING:
    from pathlib import Path


def _root(tmp_path: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(tmp_path)


def test_nothing_is_told_where_nothing_is(tmp_path: Path) -> None:
    assert read_about({}, "/nowhere/bin/python", str(tmp_path)) == SystemFacts(None, None, None, None)


@pytest.mark.parametrize(
    "line",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16)",
    ],
)
def test_what_the_files_tell(tmp_path: Path, line: str) -> None:
    files = {
        "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
        "proc/driver/nvidia/version": f"{line}\nGCC version: gcc 12\n",
        ".dockerenv": "",
        "venv/pyvenv.cfg": "",
    }
    root = _root(tmp_path, files)
    expected = SystemFacts("Debian GNU/Linux 13 (trixie)", "docker", "virtual environment", "550.54.14")
    assert read_about({}, f"{root}/venv/bin/python", root) == expected


@pytest.mark.parametrize(
    ("environ", "files", "kind"),
    [
        ({"container": "podman"}, {}, "podman"),
        ({}, {"run/.containerenv": ""}, "podman"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {".dockerenv": ""}, "kubernetes"),
        ({}, {}, None),
    ],
)
def test_kinds_of_containers(tmp_path: Path, environ: dict[str, str], files: dict[str, str], kind: str | None) -> None:
    assert read_about(environ, "python", _root(tmp_path, files)).container == kind


def test_environments(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    assert read_about({}, f"{tmp_path}/bin/python", str(tmp_path)).environment == "conda environment"
    assert read_about({}, "/snap/x/current/usr/bin/python3", str(tmp_path)).environment == "snap"
