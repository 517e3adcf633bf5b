"""Wheels for a target, chosen and downloaded by pip, and kept."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from abicheck.errors import PackageIndexError
from abicheck.model.index import NotInstallable, Wheel
from abicheck.model.names import normalized
from abicheck.read.index.client import ask
from abicheck.read.index.simple import explain, is_pinned, offers
from abicheck.read.index.tags import abi, full_version, platforms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.requirements import Requirement

    from abicheck.model.index import Offer, Outcome, Target
    from abicheck.read.index.client import Answer
    from abicheck.read.index.store import Store

#: What pip says of a file that it takes although it is yanked (pip/_internal/resolution/resolvelib/resolver.py).
_YANKED = re.compile(r"a yanked version: '([^']+)' candidate \(version \S+ at .*\n *Reason for being yanked: (.*)")
_NO_REASON = "<none given>"
#: In bytes; the largest that are known have less than a tenth of it.
_MAX_METADATA = 1 << 24


def fetch(requirement: Requirement, target: Target, store: Store) -> Outcome:
    """The wheel that pip would install on the target, without its dependencies. A marker is not looked at.

    Raises:
        TargetError: there is no such project or release.
        PackageIndexError: no network, no access, no pip; or offline and not stored.

    """
    return fetch_all([requirement], target, store)[0]


def fetch_all(requirements: Sequence[Requirement], target: Target, store: Store) -> list[Outcome]:
    """`fetch` for many distributions, each named once, in as few runs of pip as possible."""
    outcomes: dict[str, Outcome] = {}
    for requirement in requirements:
        outcome = store.recall(question(requirement), repr(target), _outcome)
        if outcome is not None:
            outcomes[question(requirement)] = outcome
    missing = [requirement for requirement in requirements if question(requirement) not in outcomes]
    if missing:
        outcomes.update(zip(map(question, missing), _download(missing, target, store), strict=True))
    return [outcomes[question(requirement)] for requirement in requirements]


def fetched_before(offer: Offer, store: Store) -> Wheel | None:
    """The wheel that an index offers, if some target took it before: known by its hash."""
    path = store.path(offer.sha256, offer.filename) if offer.sha256 else ""
    if not offer.sha256 or not os.path.isfile(path):
        return None
    try:
        outcome = store.recall(offer.filename, offer.sha256, _outcome)
    except PackageIndexError:  # offline; but it is there
        outcome = None
    if not isinstance(outcome, Wheel):
        outcome = _wheel(path, offer.sha256)
        store.remember(offer.filename, offer.sha256, ["Wheel", outcome], lasting=True)
    return outcome


def _download(requirements: Sequence[Requirement], target: Target, store: Store) -> list[Outcome]:
    """Have pip download; when it cannot have all, find out by halves which are to blame."""
    with store.workspace() as directory:
        answer = ask(["download", *options(target), "-d", directory, "--", *map(question, requirements)])
        if answer.code == 0:
            wheels = [_wheel(*store.keep(os.path.join(directory, name))) for name in os.listdir(directory)]
            yanked = _yanked(answer.text)
            by_name = {wheel.name: wheel._replace(yanked=yanked.get(wheel.name)) for wheel in wheels}
            outcomes: list[Outcome] = [by_name[name_of(requirement)] for requirement in requirements]
        else:
            if "WARNING: Retrying" in answer.text:
                offers(requirements[0].name, store)  # where there is no network this says so, before every half waits for it
            if len(requirements) > 1:
                middle = len(requirements) // 2
                return [*_download(requirements[:middle], target, store), *_download(requirements[middle:], target, store)]
            outcomes = [_refused(requirements[0], target, answer, store)]
    for requirement, outcome in zip(requirements, outcomes, strict=True):
        lasting = isinstance(outcome, Wheel) and is_pinned(requirement.specifier)
        store.remember(question(requirement), repr(target), [type(outcome).__name__, outcome], lasting=lasting)
    return outcomes


def _yanked(said: str) -> dict[str, str]:
    """Why each distribution that pip warned of is yanked, by normalized name."""
    return {normalized(name): "" if why == _NO_REASON else why.strip() for name, why in _YANKED.findall(said)}


def _refused(requirement: Requirement, target: Target, answer: Answer, store: Store) -> NotInstallable:
    """What it means that pip did not download one wheel."""
    errors = answer.errors or [answer.last_line]
    if "No matching distribution found" in errors[-1]:
        return explain(requirement, target, errors[-1], store)
    message = f"pip could not download it ({errors[0].removeprefix('ERROR: ')}); try `pip download` to see more"
    raise PackageIndexError(message, question(requirement))


def options(target: Target) -> list[str]:
    """The options with which pip chooses as it would on the target; never an sdist, since building one runs its code."""
    named = ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    named += [f"--python-version={full_version(target)}", f"--abi={abi(target)}"]
    return named + [f"--platform={platform}" for platform in platforms(target.arch, target.libc)]


def question(requirement: Requirement) -> str:
    """The requirement as pip is asked: without extras and marker, which make no difference to the wheel."""
    return f"{name_of(requirement)} @ {requirement.url}" if requirement.url else f"{name_of(requirement)}{requirement.specifier}"


def name_of(requirement: Requirement) -> str:
    """The normalized name (PEP 503)."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 -- costs 15 ms

    return canonicalize_name(requirement.name)


def _outcome(document: Any) -> Outcome | None:
    """What `remember` was given, unless the wheel is gone."""
    kind, fields = document
    if kind == "Wheel":
        wheel = Wheel(*fields)
        return wheel._replace(requires=tuple(wheel.requires)) if os.path.isfile(wheel.path) else None
    absent = NotInstallable(*fields)
    pythons = tuple((int(major), int(minor)) for major, minor in absent.pythons)
    return absent._replace(pythons=pythons, tags=tuple(absent.tags))


def _wheel(path: str, sha256: str) -> Wheel:
    """A wheel with what its METADATA says."""
    import zipfile  # noqa: PLC0415 -- costs 10 ms
    from email.parser import HeaderParser  # noqa: PLC0415 -- as above

    from packaging.utils import canonicalize_name  # noqa: PLC0415

    try:
        with zipfile.ZipFile(path) as archive:
            member = next(each for each in archive.namelist() if each.count("/") == 1 and each.endswith(".dist-info/METADATA"))
            text = archive.open(member).read(_MAX_METADATA)
            headers = HeaderParser().parsestr(text.decode("utf-8", "replace"))
    except (OSError, StopIteration, ValueError, zipfile.BadZipFile) as error:
        message = f"it is no wheel ({str(error) or 'no METADATA in it'}); its index serves a damaged file"
        raise PackageIndexError(message, os.path.basename(path)) from error
    requires = tuple(str(line) for line in headers.get_all("Requires-Dist", ()))
    return Wheel(canonicalize_name(str(headers["Name"])), str(headers["Version"]), path, sha256, requires)
