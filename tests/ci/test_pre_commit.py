"""The hooks, as pre-commit runs them from this repository as it lies here."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CONFIG = """
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: abicheck-check
        args: [--host, "debian:12", --python, "3.12"]
      - id: abicheck-gate
        args: ["git:HEAD:requirements.txt", requirements.txt, --host, "debian:12", --python, "3.12"]
"""


def _git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A repository of what git would take from here, and its revision."""
    copy = tmp_path / "repository"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "pyproject.toml", "README.md", "LICENSE", "src"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in (*filter(None, listed.split("\0")), ".pre-commit-hooks.yaml"):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    _git(copy, "init", "-q")
    _git(copy, "add", "-A")
    _git(copy, "commit", "-q", "-m", "all")
    return copy, _git(copy, "rev-parse", "HEAD")


@pytest.mark.network
def test_a_commit_is_stopped_by_what_does_not_load(
    repository: tuple[Path, str], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hooks are installed from the index, and ask that of this test.
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    (project / "good requirements.txt").unlink()
    lock = project / "requirements.txt"
    lock.write_text("demo==1.0\n", encoding="utf-8")
    config = CONFIG.format(repository=repository[0], revision=repository[1])
    (project / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    _git(project, "init", "-q")
    _git(project, "add", "-A")
    with monkeypatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.delenv("PIP_FIND_LINKS")
        subprocess.run([sys.executable, "-m", "pre_commit", "install-hooks"], cwd=project, check=True)
    _git(project, "commit", "-q", "-m", "1.0")
    assert _said(project, 0) == {"abicheck check": "Skipped", "abicheck gate": "Skipped"}
    lock.write_text("demo==1.0 # the same\n", encoding="utf-8")
    assert _said(project, 0) == {"abicheck check": "Passed", "abicheck gate": "Passed"}
    lock.write_text("demo==2.0\n", encoding="utf-8")
    assert _said(project, 1) == {"abicheck check": "Failed", "abicheck gate": "Failed"}


def _said(project: Path, code: int) -> dict[str, str]:
    """What the hooks say of what is staged, by their names."""
    _git(project, "add", "-A")
    ran = subprocess.run([sys.executable, "-m", "pre_commit", "run"], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stdout
    lines = [line for line in ran.stdout.splitlines() if line.startswith("abicheck ") and "..." in line]
    return {line.partition("...")[0]: line.rpartition(".")[2].rpartition(")")[2] for line in lines}


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("requirements.txt", True),
        ("a/dev-requirements.txt", True),
        ("requirements/prod.txt", False),
        ("requirements-3.12.txt", True),
        ("README.txt", False),
        ("pylock.toml", True),
        ("a/pylock.dev.toml", True),
        ("uv.lock", True),
        ("poetry.lock", True),
        ("pdm.lock", True),
        ("Pipfile.lock", True),
        ("Cargo.lock", False),
    ],
)
def test_hooks_take_lock_files(path: str, taken: bool) -> None:  # noqa: FBT001 -- a row of a table
    assert [bool(re.search(hook["files"], path)) for hook in HOOKS] == [taken, taken]


def test_hooks_are_commands_of_abicheck() -> None:
    assert {hook["id"]: hook["entry"] for hook in HOOKS} == {"abicheck-check": "abicheck check", "abicheck-gate": "abicheck gate"}
    assert {hook["language"] for hook in HOOKS} == {"python"}
