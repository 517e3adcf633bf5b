"""What a module asks of runtimes, whichever it is to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.runtime.words import spelled
from abicheck.model.wasm import Need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.wasm import Family, Feature, Module

__all__ = ["first", "needs_of"]


def needs_of(module: Module, features: Mapping[str, Feature], families: Sequence[Family]) -> tuple[Need, ...]:
    """The features that the module uses, each with its first place and the first version of each runtime that has it."""
    found = ((use, features[use.feature]) for use in module.uses)
    return tuple(
        Need(use.feature, feature.title, feature.loading, use.offset, use.function, first([use.feature], families))
        for use, feature in found
    )


def first(features: Sequence[str], families: Sequence[Family]) -> tuple[tuple[str, str | None], ...]:
    """The first version of each runtime that has all of these features; nothing where there are none of them."""
    told = []
    for family in families:
        versions = [family.since.get(feature) for feature in features]
        known = [version for version in versions if version is not None]
        told.append((family.title, spelled(max(known)) if len(known) == len(versions) and known else None))
    return tuple(told) if features else ()
