"""What a release requires, without its wheel where the index tells that by itself (PEP 658)."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from abicheck.errors import PackageIndexError
from abicheck.model.index import Wheel
from abicheck.read.index.client import ask
from abicheck.read.index.fetch import fetch, fetched_before, options
from abicheck.read.index.simple import fits, offers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.index import Target
    from abicheck.read.index.client import Answer
    from abicheck.read.index.store import Store


def requires_dist(name: str, version: str, target: Target, store: Store) -> tuple[str, ...]:
    """The Requires-Dist lines of the wheel that pip would install of a release on the target, as they stand.

    Raises:
        TargetError: there is no such project or release.
        PackageIndexError: no network, no access, no pip, no wheel for the target; or offline and not stored.

    """
    for offer in offers(name, store):
        wheel = fetched_before(offer, store) if offer.version == version and fits(offer, target) else None
        if wheel is not None:
            return wheel.requires
    question = f"{name}=={version}"
    known = store.recall(question, f"Requires-Dist for {target!r}", _texts)
    if known is None:
        known = _reported(question, target)
        if known is None:
            known = _of_wheel(question, target, store)
        store.remember(question, f"Requires-Dist for {target!r}", known, lasting=True)
    return known


def requires_of(pinned: Mapping[str, str], target: Target, store: Store) -> dict[str, tuple[str, ...]]:
    """`requires_dist` of many releases, a version by each normalized name, in as few runs of pip as possible.

    What cannot be had is left out; nothing is what one requires that has no wheel for the target.
    """
    found: dict[str, tuple[str, ...]] = {}
    missing: list[str] = []
    for name, version in pinned.items():
        with suppress(PackageIndexError):  # offline
            known = store.recall(f"{name}=={version}", f"Requires-Dist for {target!r}", _texts)
            found.update({name: known} if known is not None else {})
            missing += [] if known is not None else [name]
    pending = [missing] if missing else []
    while pending:
        names = pending.pop()
        answer, reported = _planned([f"{name}=={pinned[name]}" for name in names], target)
        absent = "No matching distribution found" in answer.text
        if absent and len(names) > 1:
            pending += [names[: len(names) // 2], names[len(names) // 2 :]]
        elif absent or reported:
            for name in names:
                found[name] = reported.get(name, ())
                store.remember(f"{name}=={pinned[name]}", f"Requires-Dist for {target!r}", found[name], lasting=True)
    return found


def _texts(document: Any) -> tuple[str, ...]:
    return tuple(map(str, document))


def _reported(question: str, target: Target) -> tuple[str, ...] | None:
    """What pip reports of an installation that it only plans, for which it downloads no wheel from 23.3 on; None if it cannot."""
    _, found = _planned([question], target)
    return next(iter(found.values()), None)


def _planned(questions: Sequence[str], target: Target) -> tuple[Answer, dict[str, tuple[str, ...]]]:
    """The same of several: what pip said, and what each requires by its normalized name."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 -- costs 15 ms

    with tempfile.TemporaryDirectory(prefix="abicheck-") as directory:
        report = os.path.join(directory, "report.json")
        command = ["install", "--dry-run", "--ignore-installed", "--target", directory, "--report", report]
        answer = ask([*command, *options(target), "--", *questions])
        found: dict[str, tuple[str, ...]] = {}
        with suppress(OSError, ValueError, LookupError), open(report, encoding="utf-8") as file:
            for each in json.load(file)["install"]:
                told = each["metadata"]
                found[canonicalize_name(told["name"])] = _texts(told.get("requires_dist", ()))
        return answer, found


def _of_wheel(question: str, target: Target, store: Store) -> tuple[str, ...]:
    """What the wheel itself says, for a pip before 22.2, which has no report; or why it cannot be had."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

    outcome = fetch(Requirement(question), target, store)
    if not isinstance(outcome, Wheel):
        raise PackageIndexError(f"what it requires is not known ({outcome.text})", question)
    return outcome.requires
