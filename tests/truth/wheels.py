"""The wheels of the corpus: fetched with pip, checked by digest, their ELF files unpacked once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from packaging.utils import parse_wheel_filename

from containers.make_root import cache_dir

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIST = Path(__file__).with_name("wheels.toml")
ELF = b"\x7fELF"


class WheelError(Exception):
    """A wheel of the corpus cannot be had; the message says which and why."""


def unpacked(into: Path) -> list[Path]:
    """A directory in `into` for each wheel of the list, with the wheel's ELF files where an installer puts them."""
    wheels = tomllib.loads(LIST.read_text(encoding="utf-8"))["wheel"]
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda wheel: _unpack(wheel, into), wheels))


def _unpack(wheel: dict[str, str], into: Path) -> Path:
    target = into / wheel["file"].removesuffix(".whl")
    if target.exists():
        return target
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpack.", dir=into) as work:
        objects = Path(work, "objects")
        objects.mkdir()
        with zipfile.ZipFile(fetch(wheel)) as archive:
            for member in archive.infolist():
                with archive.open(member) as stream:
                    is_elf = stream.read(4) == ELF
                if is_elf:
                    archive.extract(member, objects)
        objects.rename(target)
    return target


def fetch(wheel: dict[str, str]) -> Path:
    """The wheel's file in the cache, downloaded with the user's own pip configuration when it is not there."""
    name = wheel["file"]
    downloads = cache_dir() / "download"
    if not (downloads / name).exists():
        run = subprocess.run(_pip_download(name, downloads), capture_output=True, text=True, check=False)
        if run.returncode != 0 or not (downloads / name).exists():
            raise WheelError(f"pip cannot download {name}: {(run.stderr.strip().splitlines() or ['another file came'])[-1]}")
    if sha256((downloads / name).read_bytes()).hexdigest() != wheel["sha256"]:
        raise WheelError(f"{downloads / name} has another digest than {LIST.name} says: remove it")
    return downloads / name


def _pip_download(name: str, downloads: Path) -> list[str]:
    project, version, _, tags = parse_wheel_filename(name)
    tag = next(iter(sorted(tags, key=str)))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(downloads)]
    wanted = ["--python-version", tag.interpreter.removeprefix("cp"), "--implementation", "cp", "--abi", tag.abi]
    return [*command, *wanted, "--platform", tag.platform, f"{project}=={version}"]
