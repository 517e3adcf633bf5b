"""This machine, asked twice: what its loader really says, and what abicheck predicts, here or with another glibc."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from abicheck.judge.loader import Memo, dlopen, start
from abicheck.read.files import FactStore
from abicheck.read.hosts import open_host
from tests.truth.oracle import without_line_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.host import Host
    from abicheck.model.process import Process

MACHINE = platform.machine()
requires_glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.libc_ver()[0] == "glibc" and MACHINE in ("x86_64", "aarch64")),
    reason="the loader that is asked is that of glibc on Linux, on x86_64 or aarch64",
)
_CHILD = """
import ctypes, os, sys
for path in sys.argv[1:]:
    try:
        ctypes.CDLL(path, os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        print("E" + str(error), flush=True)
    else:
        print("ok", flush=True)
"""
#: Prints the extension modules that the child has loaded before it opens anything.
_IMPORTED = """
import ctypes, sys
for module in [*sys.modules.values()]:
    if str(getattr(module, "__file__", "")).endswith(".so"):
        print(module.__file__)
"""
_NOTHING: Mapping[str, str] = {}


def _run(program: str, arguments: Sequence[str], variables: Mapping[str, str], cwd: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", "env", "-i", "LC_ALL=C", *(f"{k}={v}" for k, v in variables.items())]
    command += [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def observed(paths: Sequence[str], variables: Mapping[str, str] = _NOTHING, cwd: str = "/") -> list[str | None]:
    """What dlopen says to each of `paths` in one fresh process; where that dies, its end is the last answer."""
    run = _run(_CHILD, paths, variables, cwd)
    answers = [line[1:] if line.startswith("E") else None for line in run.stdout.splitlines()]
    if run.returncode < 0:
        return [*answers, f"signal: {signal.Signals(-run.returncode).name}"]
    if run.returncode:
        return [*answers, f"exit {run.returncode}: {without_line_number(run.stderr.strip())}"]
    return answers


@lru_cache(maxsize=1)
def _imported() -> list[str]:
    return _run(_IMPORTED, [], {}, "/").stdout.splitlines()


class Beginning(NamedTuple):
    """A host, and the process of the child before it opens anything."""

    host: Host
    memo: Memo
    process: Process

    def predicted(self, paths: Sequence[str]) -> list[str | None]:
        """What abicheck says to each of `paths`, up to the first answer that ends the process."""
        process = self.process
        answers: list[str | None] = []
        for path in paths:
            link_map, process = dlopen(process, path, self.host, self.memo)
            answers.append(link_map.predicted)
            if (link_map.predicted or "").startswith(("signal: ", "exit ")):
                break
        return answers


class Here:
    """Begins processes on this machine; what was read and what is the same for many of them is kept."""

    def __init__(self) -> None:
        self._store = FactStore()
        self._begun: dict[object, Beginning] = {}

    def begin(
        self, variables: Mapping[str, str] = _NOTHING, cwd: str = "/", *, glibc: tuple[int, int] | None = None
    ) -> Beginning:
        """A process, as if this machine had the C library `glibc`; `cwd` is the working directory that it has in truth."""
        key = (glibc, cwd, *variables.items())
        if key not in self._begun:
            host = open_host("local", settings=variables, store=self._store)
            self._begun[key] = _begin(host if glibc is None else _with_glibc(host, glibc), host)
        return self._begun[key]


def _with_glibc(host: Host, glibc: tuple[int, int]) -> Host:
    """`host` with what is built into the loader of an upstream release."""
    subdirectories = ("glibc-hwcaps/x86-64-v2/",) if glibc >= (2, 33) else ()
    maximum = 2 if glibc >= (2, 41) else 0
    loader = host.loader._replace(hwcap_subdirs=subdirectories, execstack_tunable_max=maximum, tunables=None)
    return host._replace(libc=host.libc._replace(version=glibc), loader=loader)


def _begin(host: Host, own: Host) -> Beginning:
    # The interpreter and its C library are this machine's own, and need not be fit for an older loader.
    starting = host._replace(libc=max(host.libc, own.libc, key=lambda libc: libc.version))
    assert host.python is not None
    memo = Memo()
    begun, process = start(starting, host.python.path, memo)
    assert begun.errors == ()
    for module in _imported():
        _, process = dlopen(process, module, starting, memo)
    return Beginning(host, Memo(), process)
