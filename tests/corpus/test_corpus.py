"""Every case of the corpus: what is predicted, what the case states, and what this machine's loader really says."""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from abicheck.judge.loader import Memo, dlopen, start
from abicheck.read.files import FactStore
from abicheck.read.hosts import open_host
from abicheck.read.hosts.machine import LOADER_VARIABLES
from tests.corpus.make import cases
from tests.truth.oracle import without_line_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from abicheck.model.host import Host
    from abicheck.model.process import Process
    from tests.corpus.make import Case

#: What the truth tests have roots of; `says` is stated for all of them.
VERSIONS = ((2, 31), (2, 36), (2, 41), (2, 43))
MACHINE = platform.machine()
GLIBC = platform.libc_ver()[0] == "glibc"
pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and GLIBC and MACHINE in ("x86_64", "aarch64")),
    reason="the corpus is asked the loader of glibc on Linux, on x86_64 or aarch64",
)
CASES = [case for case in cases() if case.arch in (None, MACHINE)]
CHILD = """
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
IMPORTED = """
import ctypes, sys
for module in [*sys.modules.values()]:
    if str(getattr(module, "__file__", "")).endswith(".so"):
        print(module.__file__)
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOADER_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module", autouse=True)
def _no_core_dumps() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, limits)


def _run(program: str, arguments: list[str], environment: Mapping[str, str], cwd: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C", **environment}, cwd=cwd)


def _observed(case: Case, folder: str) -> list[str | None]:
    """What really happens; where the process dies, that is the last answer."""
    run = _run(CHILD, case.opened(folder), case.variables(folder), _at_work(case, folder))
    answers = [line[1:] if line.startswith("E") else None for line in run.stdout.splitlines()]
    if run.returncode < 0:
        return [*answers, f"signal: {signal.Signals(-run.returncode).name}"]
    if run.returncode:
        return [*answers, f"exit {run.returncode}: {without_line_number(run.stderr.strip())}"]
    return answers


@lru_cache(maxsize=1)
def _imported() -> list[str]:
    return _run(IMPORTED, [], {}, "/").stdout.splitlines()


def _at_work(case: Case, folder: str) -> str:
    return case.directory.replace("{folder}", folder)


class Beginning(NamedTuple):
    """A host, and the process of the child before it opens anything."""

    host: Host
    memo: Memo
    process: Process


class Machine:
    """This machine, also with another glibc; what was read and what is the same for many cases is kept."""

    def __init__(self) -> None:
        self._store = FactStore()
        self._begun: dict[object, Beginning] = {}

    def begin(self, case: Case, folder: str, glibc: tuple[int, int] | None = None) -> Beginning:
        """Where the process of `case` begins."""
        variables = case.variables(folder)
        key = (glibc, _at_work(case, folder), *variables.items())
        if key not in self._begun:
            self._begun[key] = self._begin(open_host("local", settings=variables, store=self._store), glibc)
        return self._begun[key]

    @staticmethod
    def _begin(host: Host, glibc: tuple[int, int] | None) -> Beginning:
        own, memo = host.libc, Memo()
        if glibc is not None:
            subdirectories = ("glibc-hwcaps/x86-64-v2/",) if glibc >= (2, 33) else ()
            maximum = 2 if glibc >= (2, 41) else 0
            loader = replace(host.loader, hwcap_subdirs=subdirectories, execstack_tunable_max=maximum, tunables=None)
            host = replace(host, libc=replace(own, version=glibc), loader=loader)
        # The interpreter is this machine's: its C library need not be fit for an older loader.
        starting = replace(host, libc=own) if host.libc.version < own.version else host
        assert host.python is not None
        begun, process = start(starting, host.python.path, memo)
        assert begun.errors == ()
        for module in _imported():
            _, process = dlopen(process, module, starting, memo)
        return Beginning(host, Memo(), process)


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


def _predicted(case: Case, folder: str, beginning: Beginning) -> list[str | None]:
    """What abicheck says, up to the first answer that ends the process."""
    process = beginning.process
    answers: list[str | None] = []
    for path in case.opened(folder):
        link_map, process = dlopen(process, path, beginning.host, beginning.memo)
        answers.append(link_map.predicted)
        if (link_map.predicted or "").startswith(("signal: ", "exit ")):
            break
    return answers


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_loader_says_what_is_predicted(case: Case, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path)
    case.build(tmp_path, MACHINE)
    monkeypatch.chdir(_at_work(case, folder))
    beginning = machine.begin(case, folder)
    predicted = _predicted(case, folder, beginning)
    assert predicted == _observed(case, folder)
    assert case.expected(folder, beginning.host.libc.version) in (predicted, None)


@pytest.mark.parametrize("case", [case for case in CASES if not case.system], ids=str)
def test_what_a_case_states_is_predicted_for_every_version(
    case: Case, tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path)
    case.build(tmp_path, MACHINE)
    monkeypatch.chdir(_at_work(case, folder))
    for glibc in VERSIONS:
        stated = case.expected(folder, glibc)
        if stated is not None:
            assert (glibc, _predicted(case, folder, machine.begin(case, folder, glibc))) == (glibc, stated)


def test_every_case_opens_with_its_rule_and_the_source() -> None:
    assert not [case.name for case in cases() if not re.search(r"(elf|sysdeps)/.*\.$", case.rule)]


def test_every_case_has_a_number_of_its_own() -> None:
    numbers = [case.name.partition("-")[0] for case in cases()]
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdigit() and len(number) == 3 for number in numbers)
