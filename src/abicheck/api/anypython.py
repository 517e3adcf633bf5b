"""Which Python a target takes on a host to which people bring their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.api.wheelhouse import pythons_of
from abicheck.errors import AbicheckError
from abicheck.judge.rules.context import NoWheel
from abicheck.read.specifiers import read_requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from abicheck.api.kinds import Kind
    from abicheck.api.locked import Locked
    from abicheck.api.work import Task
    from abicheck.model.host import Host
    from abicheck.model.index import NotInstallable, Target
    from abicheck.model.lock import Lock
    from abicheck.read.files import FactStore
    from abicheck.read.index.store import Store


def choose_python(
    task: Task, kind: Kind, given: str, store: FactStore, index: Store | None = None
) -> tuple[str | None, NoWheel | None]:
    """The newest Python that the requirement has a wheel for, or the one that the wheel's tags fit; None for the host's own.

    A lock or a directory of wheels takes the host's own where that has a wheel of everything, else the newest one that has.

    With it comes, where the own one has no wheel, what to say of that.
    """
    from abicheck.read.hosts.catalogue import find  # noqa: PLC0415 -- for wheels only

    if task.python or kind not in ("requirement", "wheel", "wheelhouse", "lock") or find(task.place.spec) is None:
        return None, None
    host = task.place.open(store=store)
    if not host.any_python or host.python is None or host.python.version is None:
        return None, None
    own = host.python.version
    if kind == "lock":
        return _of_lock(task, given, host, own)
    if kind == "wheelhouse":
        return _of_wheelhouse(given, host, own)
    found = _of_wheel(given, host) if kind == "wheel" else _of_requirement(task, given, host, index)
    if not found:
        return None, None
    chosen = found[0] if kind == "requirement" or own not in found else own
    text = ".".join(map(str, chosen))
    return text, None if own in found else NoWheel(".".join(map(str, own)), text)


def _of_wheel(given: str, host: Host) -> tuple[tuple[int, int], ...]:
    """The Pythons that a wheel's name fits, newest first."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 -- as above

    from abicheck.model.index import Target  # noqa: PLC0415 -- as above
    from abicheck.read.index.tags import PYTHONS, tags  # noqa: PLC0415 -- as above

    try:
        wanted = {str(tag) for tag in parse_wheel_filename(os.path.basename(given))[3]}
    except InvalidWheelFilename:
        return ()
    return tuple(python for python in PYTHONS if not wanted.isdisjoint(tags(Target(python, host.arch, host.libc))))


def _of_wheelhouse(given: str, host: Host, own: tuple[int, ...]) -> tuple[str | None, NoWheel | None]:
    """The Python for a directory of wheels, and which distribution lacks the host's own."""
    found = pythons_of(given, host)
    common = sorted(set.intersection(*map(set, found.values())), reverse=True) if found else []
    if not common or own in common:
        return (".".join(map(str, own)) if common else None), None
    text = ".".join(map(str, common[0]))
    name, newest = next((name, each[0]) for name, each in found.items() if own not in each)
    return text, NoWheel(".".join(map(str, own)), ".".join(map(str, newest)), name, text)


def _of_requirement(task: Task, given: str, host: Host, index: Store | None) -> tuple[tuple[int, int], ...]:
    """The Pythons with a wheel; what is wrong with a requirement is said where it is judged."""
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- as above

    from abicheck.read.index.simple import wheel_pythons  # noqa: PLC0415 -- as above
    from abicheck.read.index.store import open_store  # noqa: PLC0415 -- as above

    try:
        requirement = read_requirement(given)
        index = index or open_store(offline=task.options.offline)
        return () if requirement.url else wheel_pythons(requirement, host.arch, host.libc, index)
    except (InvalidRequirement, AbicheckError):
        return ()


def _of_lock(task: Task, given: str, host: Host, own: tuple[int, ...]) -> tuple[str | None, NoWheel | None]:
    """The Python for a lock, and what the host's own lacks; what is wrong with the lock is said where it is judged."""
    from abicheck.api.locked import fetch_locked  # noqa: PLC0415 -- as above
    from abicheck.read.index.store import open_store  # noqa: PLC0415 -- as above
    from abicheck.read.locks import read_lock  # noqa: PLC0415 -- as above

    try:
        lock = read_lock(given, task.options.extras, task.options.groups)
        store = open_store(offline=task.options.offline)
    except AbicheckError:
        return None, None
    return python_for_lock(lock, host, own, lambda to: fetch_locked(lock, to, store, dependencies=task.options.dependencies))


def python_for_lock(
    lock: Lock, host: Host, own: tuple[int, ...], fetch: Callable[[Target], Locked]
) -> tuple[str | None, NoWheel | None]:
    """The host's `own` Python where `fetch` gets a wheel of everything for it, else the newest for which it does.

    With it comes, where the own one has no wheel, what to say of that. None where there is no such Python, and for a lock with
    which something is wrong, which is said where it is judged.
    """
    from abicheck.model.index import Target  # noqa: PLC0415 -- as above
    from abicheck.read.index.tags import PYTHONS, full_version  # noqa: PLC0415 -- as above
    from abicheck.read.locks.selection import admits  # noqa: PLC0415 -- as above

    def refused(python: tuple[int, ...]) -> list[tuple[str, NotInstallable]]:
        """What has wheels, and none for this Python."""
        return [each for each in fetch(Target(python, host.arch, host.libc)).refused if each[1].pythons]

    try:
        admitted = [each for each in (own, *PYTHONS) if admits(lock, full_version(Target(each, host.arch, host.libc)))]
        lacking = refused(admitted[0]) if admitted else []
        usable = [each for each in admitted if all(each[:2] in absent.pythons for _, absent in lacking)]
        chosen = next((each for each in usable if not lacking or not refused(each)), None)
    except AbicheckError:
        return None, None
    if chosen is None:
        return None, None
    text = ".".join(map(str, chosen))
    if not lacking or admitted[0] != own:
        return text, None
    name, absent = lacking[0]
    return text, NoWheel(".".join(map(str, own)), ".".join(map(str, absent.pythons[0])), name, text)
