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
    from abicheck.model.index import Target
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


def _texts(document: Any) -> tuple[str, ...]:
    return tuple(map(str, document))


def _reported(question: str, target: Target) -> tuple[str, ...] | None:
    """What pip reports of an installation that it only plans, for which it downloads no wheel from 23.3 on; None if it cannot."""
    with tempfile.TemporaryDirectory(prefix="abicheck-") as directory:
        report = os.path.join(directory, "report.json")
        command = ["install", "--dry-run", "--ignore-installed", "--target", directory, "--report", report]
        ask([*command, *options(target), "--", question])
        with suppress(OSError, ValueError, LookupError), open(report, encoding="utf-8") as file:
            return _texts(json.load(file)["install"][0]["metadata"].get("requires_dist", ()))
    return None


def _of_wheel(question: str, target: Target, store: Store) -> tuple[str, ...]:
    """What the wheel itself says, for a pip before 22.2, which has no report; or why it cannot be had."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

    outcome = fetch(Requirement(question), target, store)
    if not isinstance(outcome, Wheel):
        raise PackageIndexError(f"what it requires is not known ({outcome.text})", question)
    return outcome.requires
