"""Options that several commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def pairs(values: Iterable[str]) -> dict[str, str]:
    """What `--set NAME=VALUE` sets. Raises `UsageError`."""
    settings = {}
    for value in values:
        name, equals, setting = value.partition("=")
        if not equals:
            raise UsageError(f"--set {value}: write it as --set NAME=VALUE")
        settings[name] = setting
    return settings
