"""What maintainers ask about this machine and no loader does: its distribution, container, environment and GPU driver."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from abicheck.model.description import SystemFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Files that container engines put into what they run.
_MARKS = {"/.dockerenv": "docker", "/run/.containerenv": "podman", "/.singularity.d": "singularity"}
_PRETTY = re.compile(r"^PRETTY_NAME=(['\"]?)(.*)\1$", re.MULTILINE)
#: As in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  ...`; with the open module, `... for x86_64  550.54.14`.
_DRIVER = re.compile(r"^NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s", re.MULTILINE)
#: In bytes: what is longer is no such file.
_LIMIT = 1 << 16


def read_about(environ: Mapping[str, str], python: str, root: str = "/") -> SystemFacts:
    """These facts of the machine whose root is `root`, for the environment of the interpreter `python`."""
    release = _text(root, "/etc/os-release") or _text(root, "/usr/lib/os-release")
    pretty, driver = _PRETTY.search(release), _DRIVER.search(_text(root, "/proc/driver/nvidia/version"))
    return SystemFacts(
        distribution=pretty[2] if pretty else None,
        container=_container(environ, root),
        environment=_environment(python),
        driver=driver[1] if driver else None,
    )


def _container(environ: Mapping[str, str], root: str) -> str | None:
    """The kind of container, by what each leaves there (systemd's "Container Interface" names the variable)."""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    marked = (kind for mark, kind in _MARKS.items() if os.path.exists(root.rstrip("/") + mark))
    return environ.get("container") or next(marked, None)


def _environment(python: str) -> str | None:
    prefix = os.path.dirname(os.path.dirname(python))
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "conda environment"
    if os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        return "virtual environment"
    return "snap" if "/snap/" in python else None


def _text(root: str, path: str) -> str:
    with contextlib.suppress(OSError), open(root.rstrip("/") + path, encoding="utf-8", errors="replace") as file:
        return file.read(_LIMIT)
    return ""
