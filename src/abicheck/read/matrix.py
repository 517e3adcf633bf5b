"""Matrices of what is to be judged and confirmed: a TOML file to cells, checked key by key."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, get_args

from abicheck.errors import TargetError
from abicheck.model.confirm import Cell, Deed, HostKind, Matrix, MatrixHost, Remedy, Sweep
from abicheck.read.index.simple import names_releases
from abicheck.read.specifiers import read_requirement
from abicheck.read.table import Table
from abicheck.read.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA_VERSION = 1
_SECONDS = 120.0
_PYTHON = re.compile(r"[0-9]+\.[0-9]+")
#: PEP 508's names.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: Of a group that is not confirmed.
_CHECK = "check"
#: What is done in its cells; modules for WebAssembly are in none.
_DEEDS: tuple[Deed, ...] = ("load", "import", "transcribe")


def read_matrix(path: str) -> Matrix:
    """The matrix in a TOML file. Raises `TargetError`, whose message names the key that is wrong."""
    table = Table(path, "", _load(path))
    version = table.number("schema_version", 0.5)
    if version != SCHEMA_VERSION:
        raise table.error("schema_version", f"must be {SCHEMA_VERSION}")
    name = table.text("name") or os.path.splitext(os.path.basename(path))[0]
    seconds = table.number("seconds", _SECONDS)
    directory = os.path.dirname(os.path.abspath(path))
    files = [_beside(directory, table.text(key)) for key in ("dockerfile", "base_script")]
    hosts = tuple(_host(path, key, values) for key, values in table.raw("hosts", dict).items())
    groups = table.raw("cells", list)
    table.done()
    known = {host.name for host in hosts}
    cells: dict[str, Cell] = {}
    sweeps = []
    for number, values in enumerate(groups):
        group = Table(path, f"cells[{number}]", values)
        if isinstance(values, dict) and values.get("do") == _CHECK:
            sweeps.append(_sweep(group))
            continue
        for cell in _cells(group, known, seconds):
            if cell.name in cells:
                raise group.error("versions", f"{cell.name} is there twice")
            cells[cell.name] = cell
    if not cells and not sweeps:
        raise TargetError("cells: is missing or empty; a matrix needs [[cells]]", path)
    return Matrix(name, hosts, tuple(cells.values()), files[0], files[1], tuple(sweeps))


def _load(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            return parse_toml(file.read())
    except OSError as error:
        raise TargetError(f"{error.strerror}; give the path of a matrix", path) from None
    except ValueError as error:
        raise TargetError(f"no TOML: {error}", path) from None


def _beside(directory: str, name: str | None) -> str | None:
    return None if name is None else os.path.normpath(os.path.join(directory, name))


def _host(file: str, name: str, values: Any) -> MatrixHost:
    table = Table(file, f"hosts.{name}", values)
    host = MatrixHost(
        name=name,
        kind=table.word("kind", get_args(HostKind), "container"),
        arch=table.word("arch", ("x86_64", "aarch64"), "x86_64"),
        image=table.text("image"),
        base=table.texts("base"),
        pythons=table.pairs("pythons"),
        predict=table.text("predict"),
        check=table.text("check"),
        rolling=table.flag("rolling"),
    )
    if host.image is None and not host.base:
        raise table.error("base", "is missing; a host needs an image, or what its base is made of")
    table.done()
    return host


def _sweep(table: Table) -> Sweep:
    """A group that is only judged: its hosts are any that there are."""
    table.text("do")
    subject = _subject(table)
    versions = table.texts("versions", required=True)
    for version in versions:
        if not names_releases(version):
            raise table.error("versions", f"{version!r} is no version and no specifier such as >=4.0")
    sweep = Sweep(subject, versions, table.texts("hosts", required=True), _pythons(table, "*"))
    table.done()
    return sweep


def _subject(table: Table) -> str:
    subject = table.text("subject")
    if not subject:
        raise table.error("subject", "is missing; name the distribution that it is about")
    if not _NAME.fullmatch(subject):
        raise table.error("subject", f"{subject!r} is no name of a distribution")
    return subject


def _check_requirements(table: Table, key: str, requirements: Iterable[str]) -> None:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- costs 20 ms

    for each in requirements:
        try:
            read_requirement(each)
        except InvalidRequirement:  # noqa: PERF203 -- few
            raise table.error(key, f"{each!r} is no requirement that pip takes") from None


def _pythons(table: Table, *others: str, required: bool = False) -> tuple[str, ...]:
    pythons = table.texts("pythons", required=required)
    for python in pythons:
        if python not in others and not _PYTHON.fullmatch(python):
            raise table.error("pythons", f"{python!r} is no version of Python such as 3.12")
    return pythons


def _cells(table: Table, hosts: set[str], seconds: float) -> Iterator[Cell]:
    """The cells of one group: each of its hosts with each Python, version and set of companions."""
    names = table.texts("hosts", required=True)
    for name in names:
        if name not in hosts:
            raise table.error("hosts", f"{name!r} is none of the hosts of this matrix")
    pythons = _pythons(table, required=True)
    subject = _subject(table)
    versions = table.texts("versions", required=True)
    companions = table.lists("beside")
    imports = table.texts("imports") or (subject.replace("-", "_"),)
    deed = table.word("do", _DEEDS, "transcribe")
    remedy = table.word("remedy", get_args(Remedy))
    settings = table.pairs("settings")
    limit = table.number("seconds", seconds)
    override = table.flag("override")
    clips = table.count("clips")
    table.done()
    _check_requirements(table, "versions", (f"{subject}=={version}" for version in versions))
    _check_requirements(table, "beside", (each for group in companions for each in group))
    for host in names:
        for python in pythons:
            for version in versions:
                for beside in companions:
                    requirements = (f"{subject}=={version}", *beside)
                    name = "/".join(filter(None, (host, f"python{python}", _short(requirements[:2]), remedy)))
                    yield Cell(name, host, python, requirements, imports, deed, remedy, settings, limit, override, clips)


def _short(requirements: tuple[str, ...]) -> str:
    """As in `ctranslate2-4.4.0+faster-whisper-1.2.1`."""
    return "+".join(each.replace("==", "-") for each in requirements)
