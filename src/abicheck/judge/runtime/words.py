"""Versions, sizes and floors of runtimes in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.wasm import Family, Module, Runtime, Use


def has(runtime: Runtime, feature: str) -> bool:
    """Whether the runtime has the feature; `16` stands for its newest release."""
    since = runtime.family.since.get(feature)
    return since is not None and since[: len(runtime.version)] <= runtime.version


def spelled(version: tuple[int, ...]) -> str:
    """As in `16.4`, and `91` for a major version."""
    return ".".join(map(str, version[:-1] if len(version) > 1 and not version[-1] else version))


def floors(uses: Sequence[Use], runtime: Runtime, without: Family | None = None) -> str:
    """From which version on each runtime has all of it: `Node.js 16.4, Chrome 91, no Safari`; "" where nothing is asked."""
    told = []
    for family in runtime.families if uses else ():
        versions = [family.since[use.feature] for use in uses if use.feature in family.since]
        if family != without:
            told.append(f"{family.title} {spelled(max(versions))}" if len(versions) == len(uses) else f"no {family.title}")
    return ", ".join(told)


def megabytes(module: Module) -> str:
    """Its memory: `512 MiB, at most 2,048 MiB, shared`."""
    return "; ".join(memory.spelled for memory in module.memories) or "none"


def some(names: Sequence[str], most: int) -> str:
    """So many of the names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
