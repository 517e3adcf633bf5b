"""The script of the GitHub action in real containers, where there is nothing but a slim Debian and its Python."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import abicheck
from abicheck.act.engine import Engine
from abicheck.errors import EngineError
from containers.make_root import RootError
from tests.ci.conftest import ACTION, ROOT
from tests.elfwriter import write_elf
from tests.truth.shells import open_shell

if TYPE_CHECKING:
    from tests.truth.shells import Shell

pytestmark = pytest.mark.engine

WANTED = os.environ.get("ABICHECK_TEST_ENGINE")
#: Runs the step and tells what it left.
STEP = """
sh /x/repository/ci/action.sh
echo "ended with $?"
cat /tmp/output /tmp/summary
head -c 11 /tmp/abicheck.sarif
"""


@pytest.fixture(scope="module", params=["docker", "podman"])
def shell(request: pytest.FixtureRequest) -> tuple[Engine, Shell]:
    if WANTED not in (None, request.param):
        pytest.skip(f"{WANTED} is asked for")
    try:
        engine = Engine.find(request.param)
        return engine, open_shell("glibc-2.41", engine)
    except (EngineError, RootError) as error:
        if WANTED:
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("needed", "code", "verdict", "begins"),
    [
        ("libc.so.6", 0, "passes", "✓ 1 file · 1 host · "),
        ("libmore.so.1", 1, "fails", "::error title=/x/objects/a.so%3A library-missing::libmore.so.1: cannot open shared object"),
    ],
)
def test_a_step_in_a_container(
    needed: str, code: int, verdict: str, begins: str, shell: tuple[Engine, Shell], tmp_path: Path
) -> None:
    engine, place = shell
    tmp_path.chmod(0o755)
    (tmp_path / "a.so").write_bytes(write_elf(soname="a.so", needed=[needed]))
    python = f"/usr/bin/python{'.'.join(map(str, place.python))}"
    (tmp_path / "abicheck").write_text(f'#!/bin/sh\nexec {python} -m abicheck "$@"\n', encoding="ascii")
    (tmp_path / "abicheck").chmod(0o755)
    # The package as it lies here, and what it needs; all of that is pure Python.
    packages = sysconfig.get_path("purelib")
    mounts = {str(ROOT): "/x/repository", str(Path(abicheck.__file__).parents[1]): "/x/source", packages: "/x/packages"}
    mounts[str(tmp_path)] = "/x/objects"
    variables = {f"INPUT_{name.upper().replace('-', '_')}": str(each["default"]) for name, each in ACTION["inputs"].items()}
    variables |= {"INPUT_TARGET": "/x/objects/a.so", "INPUT_COMMAND": "/x/objects/abicheck", "INPUT_SARIF": "/tmp/abicheck.sarif"}
    variables |= {"GITHUB_OUTPUT": "/tmp/output", "GITHUB_STEP_SUMMARY": "/tmp/summary", "RUNNER_TEMP": "/tmp"}
    variables |= {"GITHUB_ACTION_PATH": "/x/repository", "PATH": "/usr/bin:/bin", "PYTHONPATH": "/x/source:/x/packages"}
    ran = engine.run(place.image, ["/bin/sh", "-c", STEP], mounts=tuple(mounts.items()), environ=variables)
    log, ended, left = ran.stdout.partition(f"ended with {code}\n")
    assert ended, ran
    assert log.startswith(begins)
    outputs = f"verdict={verdict}\nexit-code={code}\nsarif=/tmp/abicheck.sarif\n"
    assert left.startswith(f"{outputs}### {'✗' if code else '✓'} /x/objects/a.so ")
    assert left.endswith('{\n "$schema')
