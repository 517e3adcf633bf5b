"""The examples of the documentation, run as a reader would run them."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import abicheck.api

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
LIBRARY, PYTEST, NOX = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
#: A distribution with native code that is there wherever the tests run: jsonschema needs it.
INSTALLED = "rpds-py"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the examples judge this machine")


def _run(code: str, file: str, target: str, place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    (place / file).write_text(code.replace('"numpy"', repr(target)), encoding="utf-8")
    environment = {**os.environ, "ABICHECK_CACHE": str(place / "cache")}
    environment.pop("VIRTUAL_ENV", None)
    arguments = [sys.executable, *command]
    return subprocess.run(arguments, cwd=place, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    path = tmp_path / "broken.so"
    path.touch()
    return str(path)


def test_the_example_in_the_docstring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path))
    assert doctest.testmod(abicheck.api) == (0, 6)


def test_every_public_name_is_there_and_documented() -> None:
    for name in abicheck.api.__all__:
        assert getattr(abicheck.api, name).__doc__, name


def test_the_library(tmp_path: Path) -> None:
    ran = _run(LIBRARY, "example.py", INSTALLED, tmp_path, "example.py")
    assert re.match(rf"{INSTALLED} [\d.]+ loads None\n", ran.stdout), ran.stderr


def test_in_pytest(tmp_path: Path, broken: str) -> None:
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py")
    assert "1 passed" in _run(PYTEST, "test_example.py", INSTALLED, tmp_path, *command).stdout
    assert "file too short" in _run(PYTEST, "test_example.py", broken, tmp_path, *command).stdout


def test_in_nox(tmp_path: Path, broken: str) -> None:
    command = ("-m", "nox", "-s", "abi")
    ran = _run(NOX, "noxfile.py", INSTALLED, tmp_path, *command)
    assert "Session abi was successful" in ran.stderr
    ran = _run(NOX, "noxfile.py", broken, tmp_path, *command)
    assert ran.returncode == 1
    assert f"{broken}: file too short" in ran.stderr
