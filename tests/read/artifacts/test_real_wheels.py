"""Real wheels, installed by pip: what abicheck says lies where is what lies there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from typing import TYPE_CHECKING

import pytest

from abicheck.model.elf import SharedObject
from abicheck.read.artifacts.environment import find_environment
from abicheck.read.artifacts.installed import find_distributions, open_installed
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.elf import read_elf
from abicheck.read.files import FactStore
from containers.make_root import cache_dir

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network

WHEELS = ["ctranslate2", "numpy", "ruff", "tokenizers", "av"]


def _fetch(name: str) -> Path:
    """The newest wheel of a project for this interpreter, fetched once."""
    directory = cache_dir() / "download" / f"newest-{sys.implementation.cache_tag}-{sys.platform}"
    pattern = re.compile(rf"{name}-[^-]+-.*\.whl")
    present = [each for each in directory.glob("*.whl") if pattern.fullmatch(each.name)]
    if not present:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(directory),
            name,
        ]
        subprocess.run(command, check=True)
        present = [each for each in directory.glob("*.whl") if pattern.fullmatch(each.name)]
    return present[0]


def _generated(wheel: Path) -> set[str]:
    """The names of the files that pip makes itself."""
    parser = ConfigParser(delimiters="=")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/entry_points.txt"):
                parser.read_string(archive.read(name).decode())
    commands = parser["console_scripts"] if parser.has_section("console_scripts") else {}
    return {"INSTALLER", "REQUESTED", "direct_url.json", *commands}


@pytest.mark.parametrize("name", WHEELS)
def test_a_wheel_is_what_pip_installs(tmp_path: Path, name: str) -> None:
    wheel = _fetch(name)
    directory = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    before = {path for path in directory.rglob("*") if not path.is_dir()}
    install = [
        "-m",
        "pip",
        f"--python={directory}/bin/python",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-compile",
        str(wheel),
    ]
    subprocess.run([sys.executable, *install], check=True)
    installed = {path for path in directory.rglob("*") if not path.is_dir()} - before
    generated = _generated(wheel)

    environment = find_environment(str(directory))
    mine = open_wheel(str(wheel), environment.scheme, str(wheel))
    assert set(mine.distribution.files) == {str(path) for path in installed if path.name not in generated}
    assert mine.distribution.binaries
    assert mine.distribution.problems == ()
    for path in mine.distribution.binaries:
        facts, real = mine.facts(mine.entries()[path]), read_elf(path)
        assert isinstance(facts, SharedObject)
        assert isinstance(real, SharedObject)
        assert facts._replace(definitions={}) == real._replace(definitions={})

    (found,) = find_distributions(environment.libraries[0])
    theirs = open_installed(
        found.place, here=environment.scheme, there=environment.scheme, store=FactStore(), verify=True
    ).distribution
    assert set(theirs.files) == set(map(str, installed))
    assert theirs.problems == ()
    for field in ("name", "version", "binaries", "imports", "requires", "requires_python", "tags"):
        assert getattr(theirs, field) == getattr(mine.distribution, field)


def test_peak_memory_is_that_of_the_largest_member() -> None:
    """In a process of its own; by VmHWM, because ru_maxrss starts from what the parent had."""
    if sys.platform != "linux":
        pytest.skip("only Linux has /proc")
    program = """
import re, sys
from abicheck.model.artifact import Scheme
from abicheck.read.artifacts.wheel import open_wheel
wheel = open_wheel(sys.argv[1], Scheme("/v/lib", "/v/bin", "/v"), "")
entries = wheel.entries()
for path in wheel.distribution.binaries:
    wheel.facts(entries[path])
largest = max(entries[path].size for path in wheel.distribution.binaries)
print(largest >> 10, re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(_fetch("ctranslate2"))],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    largest, peak = map(int, run.stdout.split())
    assert peak < largest + (40 << 10)
