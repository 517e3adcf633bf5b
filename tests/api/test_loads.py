"""Loads that are shared give the same results as loads of one's own, whatever was judged before, and where."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from abicheck.api.distributions import EnvironmentRun
from abicheck.api.loads import Loads
from abicheck.errors import HostError
from abicheck.judge import loader
from abicheck.model.artifact import Scheme
from abicheck.model.files import FileId
from abicheck.model.host import Interpreter
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.files import FactStore, Walked
from abicheck.read.hosts import Wanted, open_host
from tests.elfparts import Note, Relocation, Symbol
from tests.elfwriter import write_elf
from tests.judge.loader.machine import LDSO, LIBC, Shelf, defined, host, libc, library
from tests.wheelwriter import write_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from abicheck.model.artifact import Package
    from abicheck.model.host import Host
    from abicheck.model.report import Result

SITE = "/opt/venv/lib/site"
SCHEME = Scheme(SITE, "/opt/venv/bin", "/")
HOSTS = ("debian:12", "debian:13", "rhel:9", "rocky:9", "alpine:3.22")
SETTINGS: tuple[dict[str, str], ...] = ({}, {"LD_LIBRARY_PATH": "/opt/lib"})


def _extension(needed: Sequence[str] = (), version: str = "", **more: str) -> bytes:
    symbols = [Symbol("PyInit_ext", defined=True)]
    relocations = []
    if version:
        symbols.append(Symbol("malloc", version=version, file="libc.so.6"))
        relocations.append(Relocation("glob_dat", "malloc"))
    names = ["libc.so.6"] if version else []
    return write_elf(needed=[*names, *needed], symbols=symbols, relocations=relocations, **more)


OPENER = write_elf(
    symbols=[Symbol("PyInit_ext", defined=True), Symbol("dlopen")],
    relocations=[Relocation("glob_dat", "dlopen")],
    runpath="$ORIGIN/../nvidia",
    notes=[Note("text", 1, b"\0libcublas.so.12\0libcufft.so.11\0")],
)
#: What is in each package.
PACKAGES: dict[str, dict[str, bytes]] = {
    "plain": {"plain/ext.so": _extension(version="GLIBC_2.2.5")},
    "newer": {"newer/ext.so": _extension(version="GLIBC_2.38")},
    "lacking": {"lacking/ext.so": _extension(["libgone.so.1"])},
    "unsure": {"unsure/ext.so": _extension(["libssl.so.1.1"])},
    "unread": {"unread/ext.so": _extension(["libssl.so.3"])},
    "bundling": {
        "bundling/ext.so": _extension(["libown.so"], runpath="$ORIGIN/../bundling.libs"),
        "bundling.libs/libown.so": write_elf(soname="libown.so", needed=["libm.so.6"]),
    },
    "executable": {"executable/ext.so": write_elf(symbols=[Symbol("PyInit_ext", defined=True)], stack=7)},
    # What the start of Python looks for: it is found first, and is no such library.
    "shadow": {"shadow/ext.so": _extension(), "shadow-1.0.data/data/opt/lib/libm.so.6": write_elf(soname="libm.so.6")},
    "broken": {"broken/ext.so": _extension(), "broken-1.0.data/data/opt/lib/libc.so.6": write_elf(soname="libc.so.6")[:900]},
    "opener": {"opener/ext.so": OPENER},
    "nvidia": {"nvidia/libcublas.so.12": write_elf(soname="libcublas.so.12")},
    "cufft": {"nvidia/libcufft.so.11": write_elf(soname="libcufft.so.11", needed=["libcublas.so.12"], runpath="$ORIGIN")},
    "inner": {
        "inner/core.so": _extension(["libgone.so.1"], runpath="$ORIGIN"),
        "inner/libgone.so.1": write_elf(soname="libgone.so.1"),
    },
}
TOGETHER = [(name,) for name in PACKAGES] + [
    ("plain", "lacking"),
    ("lacking", "inner"),
    ("inner", "lacking"),
    ("opener", "nvidia"),
    ("opener", "nvidia", "cufft"),
    ("opener", "cufft"),
    ("plain", "shadow"),
    ("bundling", "broken"),
]


class Case(NamedTuple):
    """What is installed together, and where."""

    packages: tuple[str, ...]
    host: str
    python: str | None
    settings: int


CASES = [
    Case(packages, name, python, settings)
    for packages in TOGETHER
    for name in HOSTS
    for python in (None, "3.12")
    for settings in range(len(SETTINGS))
]


class World:
    """The hosts and packages, each read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._store = FactStore()
        self.package = lru_cache(self._package)
        self.host = lru_cache(self._host)

    def _package(self, name: str) -> Package:
        return make(self._directory, name, PACKAGES[name])

    def _host(self, name: str, python: str | None, settings: int) -> Host:
        found = open_host(name, python=Wanted(python, may_lack=True), settings=SETTINGS[settings], store=self._store)
        return found._replace(files=Walked(found.files))

    def judge(self, case: Case, loads: Loads | None = None) -> list[Result] | str:
        packages = [self.package(name) for name in case.packages]
        try:
            return EnvironmentRun(self.host(case.host, case.python, case.settings), packages, tuple, loads=loads).results()
        except HostError as error:
            return str(error)


def make(directory: Path, name: str, files: Mapping[str, bytes]) -> Package:
    info = f"{name}-1.0.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    record = "".join(f"{each},,\n" for each in (*files, *metadata, f"{info}/RECORD")).encode()
    path = write_wheel(directory / f"{name}-1.0-py3-none-any.whl", {**files, **metadata, f"{info}/RECORD": record})
    return open_wheel(path, SCHEME, name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def expected(world: World) -> dict[Case, list[Result] | str]:
    """The results of loads that nobody shares."""
    return {case: world.judge(case) for case in CASES}


def test_the_cases_differ(expected: dict[Case, list[Result] | str]) -> None:
    """Else sharing would be no feat: on each host something loads, fails and depends, and Python does not start everywhere."""
    told = {(case.host, result.verdict) for case, results in expected.items() if isinstance(results, list) for result in results}
    assert {(name, verdict) for name in HOSTS for verdict in ("loads", "fails")} <= told
    assert {("rhel:9", "depends"), ("rocky:9", "depends"), ("alpine:3.22", "depends")} <= told
    assert {case.packages for case, found in expected.items() if isinstance(found, str)} >= {("broken",), ("bundling", "broken")}
    gpu = {
        case.packages: dict(results[0].capabilities)["cuda"]
        for case, results in expected.items()
        if isinstance(results, list) and case.host == "debian:12" and case.packages[0] == "opener"
    }
    assert gpu == {
        ("opener",): "fails",
        ("opener", "nvidia"): "fails",
        ("opener", "cufft"): "fails",
        ("opener", "nvidia", "cufft"): "loads",
    }
    reasons = {
        (result.host.name, each.reason)
        for found in expected.values()
        if isinstance(found, list)
        for result in found
        for each in result.missing_facts
    }
    assert all(f"on {name}" in reason for name, reason in reasons if "is installed on" in reason)
    assert {name for name, reason in reasons if "is installed on" in reason} >= {"rhel:9", "rocky:9"}


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_shared_loads_are_as_ones_own(seed: int | None, world: World, expected: dict[Case, list[Result] | str]) -> None:
    cases = list(CASES)
    if seed is not None:
        random.Random(seed).shuffle(cases)
    shared = Loads()
    for case in cases:
        assert world.judge(case, shared) == expected[case], case


@pytest.mark.parametrize("first", ["lacking", "opener", "shadow", "broken"])
def test_right_after_one_another(first: str, world: World, expected: dict[Case, list[Result] | str]) -> None:
    """Each case but for two hosts right behind one that could mislead it."""
    for case in CASES:
        if case.host in ("rhel:9", "alpine:3.22") and case.packages != (first,):
            shared = Loads()
            world.judge(case._replace(packages=(first,), host="rocky:9" if case.host == "rhel:9" else case.host), shared)
            assert world.judge(case, shared) == expected[case], (first, case)


def test_what_is_alike_is_loaded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    real_start, real_open = loader.start, loader.dlopen

    def start(*given: Any) -> Any:
        counted.append("start")
        return real_start(*given)

    def dlopen(*given: Any, **how: Any) -> Any:
        counted.append(given[1])
        return real_open(*given, **how)

    monkeypatch.setattr(loader, "start", start)
    monkeypatch.setattr(loader, "dlopen", dlopen)
    shared = Loads()
    world.judge(Case(("plain",), "rhel:9", None, 0), shared)
    assert counted == ["start", f"{SITE}/plain/ext.so"]
    for name in ("rhel:9", "rocky:9"):
        world.judge(Case(("plain",), name, None, 0), shared)
        world.judge(Case(("plain", "executable"), name, None, 0), shared)
    assert counted[2:] == [f"{SITE}/executable/ext.so"]
    world.judge(Case(("plain",), "rocky:9", None, 1), shared)
    world.judge(Case(("plain",), "rocky:9", "3.12", 0), shared)
    assert counted[3:] == ["start", f"{SITE}/plain/ext.so"] * 2


class Tree(Shelf):
    """Files that no other tree has, but for equal objects at one path."""

    def stat(self, path: str) -> FileId | int:
        answer = super().stat(path)
        found = self.files.get(self.resolve(path))
        return answer if isinstance(answer, int) else FileId(2, hash((self.resolve(path), id(found))), 1, 1, 1)


def _opener(tmp_path: Path) -> Package:
    return make(tmp_path, "opener", {"opener/ext.so": write_elf(
        symbols=[Symbol("PyInit_ext", defined=True), Symbol("dlopen")],
        relocations=[Relocation("glob_dat", "dlopen")],
        notes=[Note("text", 1, b"\0libcublas.so.12\0")],
    )})  # fmt: skip


class TestHostsOfOneMachine:
    """Hosts that differ by their files alone."""

    LIBC = libc("GLIBC_2.2.5", dlopen=defined())
    LINKER = library(dynamic={"soname": "ld-linux-x86-64.so.2"})
    PYTHON = library(["libc.so.6"], interpreter=LDSO)
    CUBLAS = library(dynamic={"soname": "libcublas.so.12"})

    def _host(self, name: str, files: Mapping[str, object], python: str = "/usr/bin/a") -> Host:
        base = {LIBC: self.LIBC, LDSO: self.LINKER, "/usr/bin/a": self.PYTHON, **files}
        made = host({}, python=Interpreter(python, (3, 12)))
        return made._replace(name=name, files=Tree(base))  # type: ignore[arg-type]

    def _agree(self, hosts: Sequence[Host], *packages: Package) -> list[list[Result]]:
        alone = [EnvironmentRun(each, packages, tuple).results() for each in hosts]
        for order in (1, -1):
            shared = Loads()
            found = [EnvironmentRun(each, packages, tuple, loads=shared).results() for each in hosts[::order]]
            assert found == alone[::order]
        return alone

    def test_a_library_that_one_of_them_has(self, tmp_path: Path) -> None:
        hosts = [
            self._host("without", {}),
            self._host("with", {"/lib/libcublas.so.12": self.CUBLAS, "/lib/libgone.so.1": self.CUBLAS}),
            self._host("broken", {"/lib/libcublas.so.12": 13, "/lib/libgone.so.1": 13}),
        ]
        lacking = make(tmp_path, "lacking", PACKAGES["lacking"])
        found = self._agree(hosts, _opener(tmp_path), lacking)
        assert [[result.verdict for result in results] for results in found] == [
            ["loads", "fails"],
            ["loads", "loads"],
            ["loads", "fails"],
        ]
        assert [dict(results[0].capabilities)["cuda"] for results in found] == ["fails", "loads", "fails"]

    def test_a_library_of_the_start(self, tmp_path: Path) -> None:
        older = libc("GLIBC_2.2", dlopen=defined())
        hosts = [self._host("one", {}), self._host("two", {LIBC: older})]
        (one,), (two,) = self._agree(hosts, make(tmp_path, "plain", PACKAGES["plain"]))
        assert (one.verdict, two.verdict) == ("loads", "fails")

    def test_what_is_not_known_is_told_of_the_host_itself(self, tmp_path: Path) -> None:
        unsure = frozenset({"libgone.so.1", "libcublas.so.12"})
        hosts = [self._host(name, {})._replace(uncertain=unsure) for name in ("one", "two")]
        for (opener, lacking), name in zip(
            self._agree(hosts, _opener(tmp_path), make(tmp_path, "lacking", PACKAGES["lacking"])), ("one", "two"), strict=True
        ):
            assert [each.reason for each in lacking.missing_facts] == [f"whether libgone.so.1 is installed on {name}"]
            assert [each.reason for each in opener.missing_facts] == [f"whether libcublas.so.12 is installed on {name}"]

    def test_the_search_path_of_the_program(self, tmp_path: Path) -> None:
        """Its RPATH counts for whatever an extension opens, so two Pythons look in different places."""
        other = library(["libc.so.6"], interpreter=LDSO, dynamic={"rpath": "/opt/cuda"})
        files: dict[str, object] = {"/usr/bin/b": other, "/opt/cuda/libcublas.so.12": self.CUBLAS}
        hosts = [self._host("one", files, python) for python in ("/usr/bin/a", "/usr/bin/b")]
        found = self._agree(hosts, _opener(tmp_path))
        assert [dict(results[0].capabilities)["cuda"] for results in found] == ["fails", "loads"]

    @pytest.mark.parametrize("change", [{"isa_level": 1}, {"memory": 1 << 30}, {"environment": {"LD_LIBRARY_PATH": "/opt/cuda"}}])
    def test_machines_that_differ_share_nothing(self, change: dict[str, object], tmp_path: Path) -> None:
        one = self._host("one", {"/opt/cuda/libcublas.so.12": self.CUBLAS})
        self._agree([one, one._replace(**change)], _opener(tmp_path))  # type: ignore[arg-type]
        shared = Loads()
        assert shared.on(one).memo is shared.on(one._replace(name="two")).memo
        assert shared.on(one).memo is not shared.on(one._replace(**change)).memo  # type: ignore[arg-type]


def test_what_was_found_out_once() -> None:
    found: list[int] = []
    shared = Loads()
    for about in ("a", "b", "a"):
        shared.once(about, lambda: found.append(1))
    assert found == [1, 1]
