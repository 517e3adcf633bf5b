"""Memory that a function allocates and, on some path or on all, does not free."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from abicheck.lint.sighting import Sighting


def allocations(function: Node) -> Iterator[Sighting]:
    return iter(())
