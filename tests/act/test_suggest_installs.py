"""Constraints of `suggest`, given to pip and to uv in a container of that host: `confirm` runs what they install."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine import Engine
from abicheck.api.suggest import suggest
from containers.make_base import open_base

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.engine

BASE = "abicheck/test-suggest"
PYTHON = "/usr/bin/python3.11"
PLATFORMS = [f"--platform=manylinux{each}_x86_64" for each in ("2014", "_2_17", "_2_27", "_2_28")]
FOR = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", *PLATFORMS]


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """abicheck, all that its confirm needs, a newer and an older ctranslate2 that loads and one that does not; pip and uv."""
    directory = tmp_path_factory.mktemp("wheels")
    directory.chmod(0o755)
    _pip("wheel", "--no-deps", "-w", str(directory), ".")
    (own,) = directory.glob("abicheck_env-*.whl")
    _pip("download", "-d", str(directory), *FOR, f"{own}[confirm]", "pip", "setuptools", "uv")  # setuptools: older ctranslate2
    for version in ("4.4.0", "4.6.0"):
        _pip("download", "-d", str(directory), "--no-deps", *FOR, f"ctranslate2=={version}")
    for path in directory.iterdir():
        path.chmod(0o644)
    return directory


@pytest.fixture(scope="module")
def engine() -> Engine:
    if os.environ.get("ABICHECK_TEST_ENGINE", "docker") != "docker":
        pytest.skip("what installers do is up to no engine, and takes minutes")
    found = Engine.find("docker")
    found.load_base(open_base("glibc-2.41"), BASE)
    return found


def _run(engine: Engine, wheels: Path, constraints: Path, program: str) -> Sequence[str]:
    """What a program prints there that may write a site into /tmp."""
    command = [engine.program, "run", "--rm", "--network=none", "--user=1000:1000", "--read-only", "--env=HOME=/tmp"]
    command += ["--tmpfs=/tmp:rw,exec,mode=1777,size=2g", f"--volume={wheels}:/wheels:ro", f"--volume={constraints.parent}:/c:ro"]
    done = subprocess.run(
        [*command, f"localhost/{BASE}", PYTHON, "-c", program], check=False, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


PIP = (
    "[sys.executable, glob.glob('/wheels/pip-*.whl')[0] + '/pip', '--python=' + python, '--disable-pip-version-check', 'install']"
)
UV = "['/tmp/uv/bin/uv', 'pip', 'install', '--python', python]"
INSTALL_UV = """
import zipfile
with zipfile.ZipFile(glob.glob('/wheels/uv-*.whl')[0]) as archive:
    name = next(each for each in archive.namelist() if each.endswith('/scripts/uv'))
    os.makedirs('/tmp/uv/bin'); open('/tmp/uv/bin/uv', 'wb').write(archive.read(name)); os.chmod('/tmp/uv/bin/uv', 0o755)
"""
PROGRAM = """
import glob, os, subprocess, sys
{prepare}
subprocess.run([sys.executable, '-m', 'venv', '--without-pip', '/tmp/venv'], check=True)
python = '/tmp/venv/bin/python'
options = ['--no-index', '--find-links=/wheels', '-c', '/c/constraints.txt']
subprocess.run([*{installer}, *options, 'abicheck-env[confirm]'], check=True, stdout=sys.stderr)
print(*(os.path.basename(each) for each in glob.glob('/tmp/venv/lib/python*/site-packages/ctranslate2-*.dist-info')), flush=True)
sys.exit(subprocess.run(['/tmp/venv/bin/abicheck', 'confirm']).returncode)
"""


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_is_installed_by_the_constraints_is_confirmed(engine: Engine, wheels: Path, tmp_path: Path, installer: str) -> None:
    report = suggest(["ctranslate2<4.6.1"], ["debian:13"], python="3.11")
    assert (report.errors, report.constraints) == ((), "ctranslate2>=4.6.0,<4.6.1\n")
    tmp_path.chmod(0o755)
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(report.constraints)
    prepare, command = (INSTALL_UV, UV) if installer == "uv" else ("", PIP)
    found, *said = _run(engine, wheels, constraints, PROGRAM.format(prepare=prepare, installer=command))
    assert found == "ctranslate2-4.6.0.dist-info"
    assert any("as predicted" in line for line in said), said
