"""The options of a container and of a build that Docker and Podman understand alike."""

from __future__ import annotations

import os
import re
from os.path import abspath
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from abicheck.act.engine.values import Limits

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
#: Docker resets the colour before its own lines, wherever they go.
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
#: How apt and most others begin the line that says what is wrong.
_BLAME = re.compile(r"(E|error|fatal)\b: ?", re.IGNORECASE)
#: Lines of a build's output that tell the engine's steps, not why one failed.
_STEP = re.compile(
    r"""The\ command\ '.*'\ returned\ a\ non-zero\ code | Error:\ (building\ at\ STEP|error\ building) | \[Warning\]
    | (\[\d+/\d+\]\ )?STEP\ \d+ | Step\ \d+/\d+ | \s*---> | --> | Removing\ intermediate | time=\S+\ level=
    | (Error:\ )?exit\ status\ \d+ | subprocess\ exited | DEPRECATED: | \s+BuildKit\ is | \s+environment-variable""",
    re.VERBOSE,
)


def confinement(limits: Limits) -> list[str]:
    """A container that reaches nobody, writes to nothing but /tmp and has `limits`.

    An init program runs as process 1, whose default signal actions the kernel does not take (pid_namespaces(7)): an abort() would
    be seen as something else. It counts as one process. Without labels of SELinux the mounts can be read where that is on.
    """
    return [
        *("--init", "--network=none", "--hostname=abicheck", "--user=1000:1000", "--workdir=/tmp", "--pull=never"),
        *("--read-only", "--tmpfs=/tmp:rw,nosuid,nodev,exec,size=256m,mode=1777"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--security-opt=label=disable"),
        *(f"--memory={limits.memory}m", f"--memory-swap={limits.memory}m", f"--pids-limit={limits.processes + 1}"),
        # The kernel counts nproc for user 1000 of the whole machine, so it is no limit here, only a value that is allowed to all.
        *(f"--ulimit=nofile={limits.open_files}:{limits.open_files}", "--ulimit=nproc=4096:4096", "--ulimit=core=0:0"),
        *("--stop-timeout=0", "--log-driver=none", "--no-healthcheck"),
    ]


def mount(source: str, inside: str) -> str:
    """A read-only bind mount; the fields are those of CSV (RFC 4180), a path may hold anything."""
    fields = ("type=bind", f"source={abspath(source)}", f"target={inside}", "readonly")
    return "--mount=" + ",".join('"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field for field in fields)


def proxies() -> list[str]:
    """Hands this process's proxies to the commands of a build, as Podman does by itself."""
    return [f"--build-arg={name}" for name in _PROXIES if os.environ.get(name)]


def unique(name: str) -> str:
    """A container's name that has not been used, with `name` in it."""
    return f"abicheck-{re.sub('[^A-Za-z0-9_.-]', '-', name)}-{uuid4().hex[:12]}"


def reason(output: str) -> str:
    """The last line of a failed build's output that tells why it failed.

    A lack of space comes before all; then what calls itself an error, since two streams of one program come in any order.
    """
    lines = [line for line in _COLOUR.sub("", output).splitlines() if line.strip()]
    spaces = [line for line in lines if "no space left" in line.lower()]
    said = [line for line in lines if not _STEP.match(line)]
    blamed = [line for line in said if _BLAME.match(line)]
    return (spaces or blamed or said or lines or [""])[-1]
