"""The directories in which an environment keeps its distributions, and where an installer on a host would put new ones.

Sources: `getsitepackages` in CPython's Lib/site.py, `_INSTALL_SCHEMES` in Lib/sysconfig, and Debian's patches to both
(python3.11's debian/patches/distutils-install-layout.diff and sysconfig-debian-schemes.diff).
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.artifact import Scheme

if TYPE_CHECKING:
    from abicheck.model.files import Files

_NEXT = "give a virtual environment, a Python in it, or a site-packages directory"


class Environment(NamedTuple):
    """A place of this machine where distributions are installed.

    `libraries` are the directories that hold them and exist, in the order of sys.path; the first counts where two hold the
    same distribution. `scheme` is where an installer puts more. `python` is the interpreter as the environment names it: it may
    be a link that leads nowhere, or missing (None). `version` is None where nothing tells it.
    """

    prefix: str
    libraries: tuple[str, ...]
    scheme: Scheme
    python: str | None = None
    version: tuple[int, int] | None = None


def default_scheme(files: Files, python: str, version: tuple[int, int]) -> Scheme:
    """Where pip would install for the interpreter `python` of a host.

    `sys.prefix` is the directory above that of the executable, links followed, or that of pyvenv.cfg (Modules/getpath.py).
    Debian's /usr/bin/python3 installs below /usr/local, in dist-packages (its scheme `posix_local`).
    """
    name = f"python{version[0]}.{version[1]}"
    if posixpath.basename(files.resolve(python)) == name + "t":
        name += "t"  # free-threaded builds have directories of their own (PEP 703)
    above = posixpath.dirname(posixpath.dirname(python))
    for prefix in (above, posixpath.dirname(python)):
        if not isinstance(files.stat(posixpath.join(prefix, "pyvenv.cfg")), int):
            return _scheme(prefix, f"lib/{name}/site-packages")
    prefix = posixpath.dirname(posixpath.dirname(files.resolve(python)))
    if prefix == "/usr" and not isinstance(files.stat("/usr/lib/python3/dist-packages"), int):
        return _scheme("/usr/local", f"lib/{name}/dist-packages")
    # sys.platlibdir of Fedora and openSUSE.
    here, there = (files.stat(posixpath.join(prefix, lib, name, "lib-dynload")) for lib in ("lib", "lib64"))
    lib = "lib64" if isinstance(here, int) and not isinstance(there, int) else "lib"
    return _scheme(prefix, f"{lib}/{name}/site-packages")


def this_environment() -> Environment:
    """The environment of the interpreter that runs abicheck, the user's own site-packages included."""
    libraries = tuple(path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages"))
    found = _of_prefix(sys.prefix)
    return found._replace(
        libraries=tuple(filter(os.path.isdir, libraries)), python=sys.executable or None, version=sys.version_info[:2]
    )


def find_environment(given: str) -> Environment:
    """The environment in a directory (a virtual environment, the prefix of a Python, a site-packages directory) or of a Python.

    No interpreter is run. Raises `TargetError` where there is none.
    """
    path = os.path.abspath(given)
    if not os.path.lexists(path):
        raise TargetError(f"no such file or directory; {_NEXT}", given)
    if not os.path.isdir(path):
        if not os.path.basename(path).startswith("python"):
            raise TargetError(f"no Python and no directory; {_NEXT}", given)
        found = _of_python(path)
    elif _site_packages(path):
        return _of_library(path)
    else:
        found = _of_prefix(path)
    if not found.libraries:
        raise TargetError(f"no environment: it has no site-packages; {_NEXT}", given)
    return found


def _of_python(path: str) -> Environment:
    """The environment of an interpreter: pyvenv.cfg stands beside it or above, else its real place tells."""
    above = os.path.dirname(os.path.dirname(path))
    for prefix in (above, os.path.dirname(path)):
        if os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
            return _of_prefix(prefix)._replace(python=path)
    real = os.path.realpath(path)
    return _of_prefix(os.path.dirname(os.path.dirname(real)), _version_in(os.path.basename(real)))._replace(python=path)


def _of_library(path: str) -> Environment:
    """A site-packages directory by itself: three levels above it lies its prefix, if it has one."""
    version = _version_in(os.path.basename(os.path.dirname(path)))
    if version is None:
        return Environment(path, (path,), Scheme(path, os.path.join(path, "bin"), path))
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(path)))
    scheme = Scheme(path, os.path.join(prefix, "bin"), prefix)
    return Environment(prefix, (path,), scheme, _python(prefix, version), version)


def _of_prefix(prefix: str, version: tuple[int, int] | None = None) -> Environment:
    settings = _venv_settings(prefix)
    version = version or _version_in(settings.get("version", "") or settings.get("version_info", "")) or _version_of(prefix)
    name = f"python{version[0]}.{version[1]}" if version else "python"
    if os.path.isdir(f"{prefix}/lib/{name}t") and not os.path.isdir(f"{prefix}/lib/{name}"):
        name += "t"
    candidates = [f"{prefix}/lib/{name}/site-packages", f"{prefix}/lib64/{name}/site-packages"]
    scheme = _scheme(prefix, f"lib/{name}/site-packages")
    if os.path.isdir(f"{prefix}/lib/python3/dist-packages"):
        scheme = _scheme(f"{prefix}/local", f"lib/{name}/dist-packages")
        candidates = [scheme.library, f"{prefix}/lib/python3/dist-packages", f"{prefix}/lib/{name}/dist-packages"]
    libraries = [path for path in candidates if os.path.isdir(path)]
    if settings.get("include-system-site-packages", "false").lower() != "false" and "home" in settings:
        libraries += _of_prefix(os.path.dirname(os.path.realpath(settings["home"])), version).libraries
    distinct = {os.path.realpath(path): path for path in reversed(libraries)}
    return Environment(
        prefix, tuple(path for path in libraries if path in distinct.values()), scheme, _python(prefix, version), version
    )


def _scheme(prefix: str, library: str) -> Scheme:
    return Scheme(posixpath.join(prefix, library), posixpath.join(prefix, "bin"), prefix)


def _site_packages(path: str) -> bool:
    """True for a directory that holds distributions itself."""
    if os.path.basename(path) in ("site-packages", "dist-packages"):
        return True
    return any(name.endswith((".dist-info", ".egg-info")) for name in os.listdir(path))


def _venv_settings(prefix: str) -> dict[str, str]:
    """pyvenv.cfg as Modules/getpath.py and Lib/site.py read it: `key = value` lines."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            pairs = [line.partition("=") for line in file]
    except OSError:
        return {}
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _version_in(text: str) -> tuple[int, int] | None:
    """X.Y in `python3.11` or in the version of pyvenv.cfg."""
    match = re.match(r"(?:python)?(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _version_of(prefix: str) -> tuple[int, int] | None:
    """The version of the Python in a prefix: what its `python3` leads to, else the newest library directory."""
    version = _version_in(os.path.basename(os.path.realpath(os.path.join(prefix, "bin", "python3"))))
    library = os.path.join(prefix, "lib")
    names = os.listdir(library) if version is None and os.path.isdir(library) else ()
    return version or max((found for name in names if name.startswith("python") and (found := _version_in(name))), default=None)


def _python(prefix: str, version: tuple[int, int] | None) -> str | None:
    names = ("python3", "python", *([f"python{version[0]}.{version[1]}"] if version else []))
    return next((path for name in names if os.path.lexists(path := os.path.join(prefix, "bin", name))), None)
