"""A repaired wheel in a container whose glibc refuses the original: pip installs it, and `confirm` hears the right words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine import Engine
from abicheck.api.repair import repair
from containers.make_base import open_base

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.engine

BASE = "abicheck/test-repair"
PYTHON = "/usr/bin/python3.11"
PLATFORMS = [f"--platform=manylinux{each}_x86_64" for each in ("2014", "_2_17", "_2_27", "_2_28")]
FOR = ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", *PLATFORMS]
#: Installs from a directory in which pip finds both wheels, and takes the one with the higher build tag.
PROGRAM = """
import glob, json, os, subprocess, sys
subprocess.run([sys.executable, '-m', 'venv', '--without-pip', '/tmp/venv'], check=True)
python = '/tmp/venv/bin/python'
pip = [sys.executable, glob.glob('/wheels/pip-*.whl')[0] + '/pip', '--python=' + python, '--disable-pip-version-check']
options = ['--no-index', '--find-links=/wheels', 'ctranslate2==4.4.0', 'abicheck-env', 'faster-whisper', 'av<19', 'setuptools']
subprocess.run([*pip, 'install', *options], check=True, stdout=sys.stderr)
subprocess.run([*pip, 'check'], check=True, stdout=sys.stderr)
wheel = open(glob.glob('/tmp/venv/lib/python*/site-packages/ctranslate2-*.dist-info/WHEEL')[0]).read()
confirmed = subprocess.run(['/tmp/venv/bin/abicheck', 'confirm', '--format=json'], stdout=subprocess.PIPE, text=True)
print(json.dumps({'wheel': wheel, 'code': confirmed.returncode, 'report': json.loads(confirmed.stdout)}))
"""


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """abicheck with all that its confirm needs, and ctranslate2 4.4.0 as it was released and repaired; pip."""
    directory = tmp_path_factory.mktemp("wheels")
    directory.chmod(0o755)
    _pip("wheel", "--no-deps", "-w", str(directory), ".")
    (own,) = directory.glob("abicheck_env-*.whl")
    # Older ctranslate2 wants setuptools.
    _pip(
        "download",
        "-d",
        str(directory),
        *FOR,
        f"{own}",
        "av<19",
        "faster-whisper>=1.1",
        "ctranslate2==4.4.0",
        "pip",
        "setuptools",
    )
    (released,) = directory.glob("ctranslate2-*.whl")
    report = repair([str(released)])
    assert (report.errors, report.exit_code) == ((), 0)
    (check,) = report.repairs[0].checks
    assert (check.before, check.after) == ("fails", "loads")
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


def test_pip_installs_a_repaired_wheel_which_transcribes_the_right_words(engine: Engine, wheels: Path) -> None:
    command = [engine.program, "run", "--rm", "--network=none", "--user=1000:1000", "--read-only", "--env=HOME=/tmp"]
    command += ["--tmpfs=/tmp:rw,exec,mode=1777,size=2g", f"--volume={wheels}:/wheels:ro", f"localhost/{BASE}"]
    done = subprocess.run([*command, PYTHON, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert "\nBuild: 1abicheck\n" in said["wheel"]
    assert said["code"] == 0, said["report"]
    assert said["report"]["agree"] is True
    (result,) = said["report"]["results"]
    assert (result["deed"], result["artifact"]["version"]) == ("transcribe", "4.4.0")
