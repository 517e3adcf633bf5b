"""Real projects, through this machine's own pip and its configuration."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from abicheck.errors import TargetError
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target, Wheel
from abicheck.read.index.closure import closure
from abicheck.read.index.fetch import fetch
from abicheck.read.index.simple import wheel_pythons

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.read.index.store import Store

pytestmark = pytest.mark.network

TRIXIE = Libc("glibc", (2, 41))
ALPINE = Libc("musl", (1, 2, 5))


@pytest.mark.parametrize(
    ("requirement", "target", "filename"),
    [
        ("ctranslate2==4.4.0", Target((3, 12), "x86_64", TRIXIE), "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("ctranslate2==4.4.0", Target((3, 12), "aarch64", TRIXIE), "cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64"),
        ("ruff==0.9.0", Target((3, 14), "x86_64", TRIXIE), "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("ruff==0.9.0", Target((3, 8), "x86_64", ALPINE), "py3-none-musllinux_1_2_x86_64"),
    ],
)
def test_a_wheel_of_the_index(requirement: str, target: Target, filename: str, store: Store) -> None:
    outcome = fetch(Requirement(requirement), target, store)
    assert isinstance(outcome, Wheel)
    assert os.path.basename(outcome.path) == f"{requirement.replace('==', '-')}-{filename}.whl"


@pytest.mark.parametrize(
    ("requirement", "target", "pythons"),
    [
        ("ctranslate2==4.4.0", Target((3, 13), "x86_64", TRIXIE), (3, 12)),
        ("ctranslate2==4.4.0", Target((3, 12), "x86_64", ALPINE), None),
    ],
)
def test_no_wheel_of_the_index(requirement: str, target: Target, pythons: tuple[int, int] | None, store: Store) -> None:
    outcome = fetch(Requirement(requirement), target, store)
    assert isinstance(outcome, NotInstallable)
    assert outcome.text == f"ERROR: No matching distribution found for {requirement}"
    assert (outcome.pythons[0] if outcome.pythons else None) == pythons
    assert wheel_pythons(Requirement(requirement), target.arch, target.libc, store)[:1] == ((pythons,) if pythons else ())


def test_an_sdist_only_project(store: Store) -> None:
    outcome = fetch(Requirement("docopt==0.6.2"), Target((3, 12), "x86_64", TRIXIE), store)
    assert isinstance(outcome, NotInstallable)
    assert outcome.sdist_only


def test_no_such_project(store: Store) -> None:
    with pytest.raises(TargetError, match="no such project"):
        fetch(Requirement("abicheck-no-such-project"), Target((3, 12), "x86_64", TRIXIE), store)


@pytest.mark.skipif((platform.libc_ver()[0], platform.machine()) != ("glibc", "x86_64"), reason="asks the pip of this machine")
@pytest.mark.parametrize("requirement", ["faster-whisper", "requests[socks]"])
def test_a_closure_is_what_pip_would_install_here(requirement: str, tmp_path: Path, store: Store) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:"]
    subprocess.run([*command, "--quiet", "--report", str(report), requirement], check=True)
    installed = [each["metadata"] for each in json.loads(report.read_text())["install"]]
    expected = {canonicalize_name(each["name"]): each["version"] for each in installed}
    here = Target(sys.version_info[:3], "x86_64", Libc("glibc", tuple(map(int, platform.libc_ver()[1].split(".")))))
    assert {member.name: member.outcome.version for member in closure([Requirement(requirement)], here, store)} == expected
