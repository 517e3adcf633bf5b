"""The GitHub action as it is declared, and an abicheck that need not be installed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import abicheck
from tests.read.index.world import wheel

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program `abicheck` as it lies here."""
    path = tmp_path / "bin/abicheck"
    path.parent.mkdir()
    source = Path(abicheck.__file__).parents[1]
    command = f'PYTHONPATH={shlex.quote(str(source))} exec {shlex.quote(sys.executable)} -m abicheck "$@"'
    path.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a release that debian:12 has a wheel for, and one that it has none for."""
    index = tmp_path_factory.mktemp("index")
    wheel(index, "demo", "1.0")
    wheel(index, "demo", "2.0", "cp312-cp312-manylinux_2_39_x86_64")
    return index


@pytest.fixture
def project(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a requirements.txt that cannot be installed on debian:12, and one that can."""
    project = tmp_path / "a project"
    project.mkdir()
    (project / "requirements.txt").write_text("# pinned\ndemo==2.0\n", encoding="utf-8")
    (project / "good requirements.txt").write_text("demo==1.0\n", encoding="utf-8")
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "RUNNER_", "INPUT_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ABICHECK_CACHE", str(index / "cache"))  # asked once: pip takes seconds
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.chdir(project)
    return project
