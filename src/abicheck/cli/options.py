"""Options that several commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def pairs(values: Iterable[str]) -> dict[str, str]:
    """What `--set NAME=VALUE` sets. Raises `UsageError`."""
    settings = {}
    for value in values:
        name, equals, setting = value.partition("=")
        if not equals:
            raise UsageError(f"--set {value}: write it as --set NAME=VALUE")
        settings[name] = setting
    return settings


def format_files(values: Iterable[str], formats: Sequence[str]) -> list[tuple[str, str]]:
    """What `--write FORMAT=FILE` names. Raises `UsageError`."""
    found = []
    for value in values:
        style, _, file = value.partition("=")
        if style not in formats or not file:
            raise UsageError(f"--write {value}: write it as --write FORMAT=FILE, with one of {', '.join(formats)}")
        found.append((style, file))
    return found
