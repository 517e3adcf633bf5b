from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from abicheck.errors import TargetError
from abicheck.read.artifacts.environment import default_scheme, find_environment, this_environment
from abicheck.read.files import FactStore, Root


def _root(tmp_path: Path, files: list[str], links: dict[str, str] | None = None) -> Root:
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, target in (links or {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(target)
    return Root(str(tmp_path), FactStore())


@pytest.mark.parametrize(
    ("files", "links", "python", "library", "data"),
    [
        (["usr/bin/python3.13", "usr/lib/python3/dist-packages/x"], {"usr/bin/python3": "python3.13"}, "/usr/bin/python3",
         "/usr/local/lib/python3.13/dist-packages", "/usr/local"),
        (["usr/local/bin/python3.13", "usr/lib/python3/dist-packages/x"], {}, "/usr/local/bin/python3.13",
         "/usr/local/lib/python3.13/site-packages", "/usr/local"),
        (["usr/bin/python3.13", "usr/lib/python3/dist-packages/x", "v/pyvenv.cfg"], {"v/bin/python": "/usr/bin/python3.13"},
         "/v/bin/python", "/v/lib/python3.13/site-packages", "/v"),
        (["usr/bin/python3.13", "usr/lib64/python3.13/lib-dynload/x"], {}, "/usr/bin/python3.13",
         "/usr/lib64/python3.13/site-packages", "/usr"),
        (["opt/py/bin/python3.13"], {"usr/bin/python3": "/opt/py/bin/python3.13"}, "/usr/bin/python3",
         "/opt/py/lib/python3.13/site-packages", "/opt/py"),
        (["opt/py/bin/python3.13t"], {}, "/opt/py/bin/python3.13t", "/opt/py/lib/python3.13t/site-packages", "/opt/py"),
    ],
)  # fmt: skip
def test_where_an_installer_would_put_things(
    tmp_path: Path, files: list[str], links: dict[str, str], python: str, library: str, data: str
) -> None:
    scheme = default_scheme(_root(tmp_path, files, links), python, (3, 13))
    assert scheme == (library, data + "/bin", data)


def test_a_real_virtual_environment(tmp_path: Path) -> None:
    directory = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(directory)], check=True)
    program = (
        "import sysconfig, sys; p = sysconfig.get_paths(); print(p['platlib'], p['scripts'], p['data'], *sys.version_info[:2])"
    )
    run = subprocess.run([str(directory / "bin/python"), "-I", "-c", program], capture_output=True, text=True, check=True)
    library, scripts, data, major, minor = run.stdout.split()
    for given in (directory, directory / "bin/python", directory / "bin/python3"):
        found = find_environment(str(given))
        assert found.scheme == (library, scripts, data)
        assert found.version == (int(major), int(minor))
        assert found.libraries[0] == library
        assert found.python is not None
        assert Path(found.python).parent == directory / "bin"
    base = find_environment(sys.base_prefix)
    assert found.libraries[1:] == base.libraries
    config = directory / "pyvenv.cfg"
    config.write_text(config.read_text().replace("= true", "= false"))
    assert find_environment(str(directory)).libraries == (library,)
    alone = find_environment(library)
    assert (alone.libraries, alone.prefix, alone.version) == ((library,), str(directory), found.version)


def test_debian_keeps_its_own_beside_what_is_installed(tmp_path: Path) -> None:
    for name in ("bin", "local/lib/python3.11/dist-packages", "lib/python3/dist-packages", "lib/python3.11"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "bin/python3.11").touch()
    (tmp_path / "bin/python3").symlink_to("python3.11")
    found = find_environment(str(tmp_path))
    assert found.libraries == (f"{tmp_path}/local/lib/python3.11/dist-packages", f"{tmp_path}/lib/python3/dist-packages")
    assert found.scheme.scripts == f"{tmp_path}/local/bin"
    assert find_environment(str(tmp_path / "bin/python3")).libraries == found.libraries


def test_a_broken_environment_is_still_read(tmp_path: Path) -> None:
    library = tmp_path / "lib/python3.12/site-packages"
    library.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to("/gone/python3.12")
    (tmp_path / "pyvenv.cfg").write_text("home = /gone/bin\ninclude-system-site-packages = true\nversion = 3.12.1\nnonsense\n")
    found = find_environment(str(tmp_path))
    assert (found.libraries, found.version, found.python) == ((str(library),), (3, 12), str(tmp_path / "bin/python3"))
    assert find_environment(str(tmp_path / "bin/python3")).libraries == (str(library),)


def test_this_interpreter_has_an_environment() -> None:
    found = this_environment()
    assert found.prefix == sys.prefix
    assert set(found.libraries) <= set(sys.path)
    assert any(Path(pytest.__file__).is_relative_to(each) for each in found.libraries)


@pytest.mark.parametrize(("name", "said"), [("gone", "no such file"), ("file.txt", "no Python"), ("empty", "no site-packages")])
def test_what_is_no_environment(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(TargetError, match=said):
        find_environment(str(tmp_path / name))
