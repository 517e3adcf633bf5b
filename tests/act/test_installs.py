"""What `suggest` and `repair` give, installed where the glibc refuses the original: `confirm` hears the right words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.act.engine import Engine
from abicheck.api.repair import repair
from abicheck.api.suggest import suggest
from containers.make_base import open_base

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.engine

BASE = "abicheck/test-installs"
PYTHON = "/usr/bin/python3.11"
PLATFORMS = [f"--platform=manylinux{each}_x86_64" for each in ("2014", "_2_17", "_2_27", "_2_28")]
FOR = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", *PLATFORMS]
PIP = "[sys.executable, glob.glob('/wheels/pip-*.whl')[0] + '/pip', '--python=' + python, '--disable-pip-version-check']"
UV = "['/tmp/uv', 'pip']"
#: uv is a program in its wheel; it finds the environment by the variable, pip by its option.
PROGRAM = """
import glob, json, os, subprocess, sys, zipfile
with zipfile.ZipFile(glob.glob('/wheels/uv-*.whl')[0]) as archive:
    name = next(each for each in archive.namelist() if each.endswith('/scripts/uv'))
    open('/tmp/uv', 'wb').write(archive.read(name)); os.chmod('/tmp/uv', 0o755)
subprocess.run([sys.executable, '-m', 'venv', '--without-pip', '/tmp/venv'], check=True)
os.environ['VIRTUAL_ENV'] = '/tmp/venv'
python = '/tmp/venv/bin/python'
installer = {installer}
subprocess.run([*installer, 'install', '--no-index', '--find-links=/wheels', *{what}], check=True, stdout=sys.stderr)
subprocess.run([*installer, 'check'], check=True, stdout=sys.stderr)
wheel = open(glob.glob('/tmp/venv/lib/python*/site-packages/ctranslate2-*.dist-info/WHEEL')[0]).read()
confirmed = subprocess.run(['/tmp/venv/bin/abicheck', 'confirm', '--format=json'], stdout=subprocess.PIPE, text=True)
print(json.dumps({{'wheel': wheel, 'code': confirmed.returncode, 'report': json.loads(confirmed.stdout)}}))
"""


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """abicheck with all that its confirm needs, a newer and an older ctranslate2, and one that does not load; pip and uv."""
    directory = tmp_path_factory.mktemp("wheels")
    directory.chmod(0o755)
    _pip("wheel", "--no-deps", "-w", str(directory), ".")
    (own,) = directory.glob("abicheck_env-*.whl")
    _pip("download", "-d", str(directory), *FOR, f"{own}[confirm]", "pip", "setuptools", "uv")  # setuptools: older ctranslate2
    for version in ("4.4.0", "4.6.0"):
        _pip("download", "-d", str(directory), "--no-deps", *FOR, f"ctranslate2=={version}")
    return directory


@pytest.fixture(scope="module")
def engine() -> Engine:
    if os.environ.get("ABICHECK_TEST_ENGINE", "docker") != "docker":
        pytest.skip("what installers do is up to no engine, and takes minutes")
    found = Engine.find("docker")
    found.load_base(open_base("glibc-2.41"), BASE)
    return found


def _confirmed(engine: Engine, wheels: Path, installer: str, what: list[str]) -> tuple[str, dict[str, Any]]:
    """The WHEEL of the ctranslate2 that is installed there, and the result of what `confirm` does with it."""
    for path in wheels.iterdir():
        path.chmod(0o644)
    command = [engine.program, "run", "--rm", "--network=none", "--user=1000:1000", "--read-only", "--env=HOME=/tmp"]
    command += ["--tmpfs=/tmp:rw,exec,mode=1777,size=2g", f"--volume={wheels}:/wheels:ro", f"localhost/{BASE}"]
    program = PROGRAM.format(installer=installer, what=what)
    done = subprocess.run([*command, PYTHON, "-c", program], check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["code"] == 0, said["report"]
    assert said["report"]["agree"] is True
    (result,) = said["report"]["results"]
    assert result["deed"] == "transcribe"
    return said["wheel"], result


@pytest.mark.parametrize("installer", [PIP, UV], ids=["pip", "uv"])
def test_what_is_installed_by_the_constraints_is_confirmed(engine: Engine, wheels: Path, installer: str) -> None:
    report = suggest(["ctranslate2<4.6.1"], ["debian:13"], python="3.11")
    assert (report.errors, report.constraints) == ((), "ctranslate2>=4.6.0,<4.6.1\n")
    (wheels / "constraints.txt").write_text(report.constraints)
    _, result = _confirmed(engine, wheels, installer, ["-c", "/wheels/constraints.txt", "abicheck-env[confirm]"])
    assert result["artifact"]["version"] == "4.6.0"


def test_pip_installs_a_repaired_wheel_which_transcribes_the_right_words(engine: Engine, wheels: Path) -> None:
    """Of both wheels that it finds pip takes the one with the higher build tag."""
    (released,) = wheels.glob("ctranslate2-4.4.0-cp*.whl")
    report = repair([str(released)])
    assert (report.errors, report.exit_code) == ((), 0)
    (check,) = report.repairs[0].checks
    assert (check.before, check.after) == ("fails", "loads")
    what = ["ctranslate2==4.4.0", "abicheck-env", "faster-whisper", "av<19", "setuptools"]
    wheel, result = _confirmed(engine, wheels, PIP, what)
    assert "\nBuild: 1abicheck\n" in wheel
    assert result["artifact"]["version"] == "4.4.0"
