"""`save`: a host as a profile, one JSON file that is a host itself wherever it is read."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck import __version__
from abicheck.api.absent import with_python
from abicheck.api.hosts import ANY_PYTHON, Discretion
from abicheck.api.places import place
from abicheck.errors import HostError, UsageError
from abicheck.judge import loader
from abicheck.model.elf import SharedObject
from abicheck.read.files import Disk, FactStore, Root, Trace, Traced
from abicheck.read.hosts.interpreter import ROOT_PATH
from abicheck.read.hosts.machine import ELSEWHERE
from abicheck.read.hosts.profile.document import document
from abicheck.read.hosts.profile.snapshot import BUDGET, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.api.places import Place
    from abicheck.model.host import Host

_PYTHON = re.compile(r"python\d+\.\d+t?")


class Profile(NamedTuple):
    """A host as the text of a profile; how many files it knows, and those for which it had no room."""

    text: str
    files: int
    left_out: tuple[str, ...]


def save(spec: str = "local", *, python: str | None = None, budget: int = BUDGET) -> Profile:
    """The host `spec` as a profile of about `budget` bytes at most; `python` is its Python, `X.Y` or a path on the host.

    A host without Python is saved all the same. Home directories are written as `~`, and of the environment there is only what
    the loader reads. Raises `UsageError` for an unknown kind of host or a built-in one, and `HostError` for one that cannot be
    read.
    """
    with place(spec) as found:
        return _save(found, python, budget)


def _save(place: Place, python: str | None, budget: int) -> Profile:
    store = FactStore()
    has_python = True
    try:
        host = place.open(python=python, store=store)
    except HostError:
        if python is not None:
            raise
        host, has_python = place.open(python=ANY_PYTHON, store=store), False
    if host.kind == "distribution":  # of which a profile cannot say what is not known
        raise UsageError(
            f"{place.name} is built in and known everywhere: name it with --host; save a machine, a root or an image"
        )
    files = host.files
    assert isinstance(files, Disk | Root)
    paths = list(dict.fromkeys(_loaded(host, files)))
    discretion = Discretion(os.path.expanduser("~"))
    # A profile is a machine, not the directory in which it was saved; what none can hold is said where one is read.
    assumptions = tuple(each for each in host.assumptions if each != ELSEWHERE)
    host = host._replace(python=host.python if has_python else None, cwd="/", assumptions=assumptions)
    snapshot = take(host, files, paths, store, budget)
    text = document(host, snapshot, {"name": "abicheck", "version": __version__}, discretion.text)
    return Profile(text, len(snapshot.files), tuple(snapshot.left_out))


def _loaded(host: Host, files: Disk | Root) -> Iterator[str]:
    """What is asked for when one of the host's Pythons starts, by its own modules, and by libraries with search paths."""
    trace = Trace()
    assert host.python is not None
    traced = host._replace(files=Traced(with_python(host).files, trace))
    memo = loader.Memo()
    _, process = loader.start(traced, host.python.path, memo)
    for directory in ROOT_PATH:
        for name in filter(_PYTHON.fullmatch, sorted(files.names(directory))):
            loader.start(traced, f"{directory}/{name}", memo)
    yield from list(trace.opened)
    own = _own_modules(host)
    for name in sorted(files.names(own)):
        loader.dlopen(process, f"{own}/{name}", traced, memo)
    yield from (path for path in trace.opened if not path.startswith(own + "/"))
    for directory in host.loader.system_dirs:
        for name in sorted(files.names(directory.rstrip("/"))):
            if ".so" in name and _has_search_path(files, directory + name):
                loader.dlopen(process, directory + name, traced, memo)
    yield from (path for path in trace.opened if not path.startswith(own + "/"))


def _own_modules(host: Host) -> str:
    """The directory of the extension modules that come with the host's Python."""
    assert host.python is not None
    prefix = os.path.dirname(os.path.dirname(host.files.resolve(host.python.path))).rstrip("/")
    return f"{prefix}/lib/python{'.'.join(map(str, host.python.version or ()))}/lib-dynload"


def _has_search_path(files: Disk | Root, path: str) -> bool:
    file = files.stat(path)
    facts = None if isinstance(file, int) else files.facts(file)
    if not isinstance(facts, SharedObject) or facts.dynamic is None:
        return False
    dynamic = facts.dynamic
    return bool(dynamic.rpath or dynamic.runpath or dynamic.filters or dynamic.auxiliaries)
