"""The public library: the only place where reading and judging meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.api.checking import check
from abicheck.api.options import Options

if TYPE_CHECKING:
    from abicheck.api.hosts import describe
    from abicheck.api.showing import show

__all__ = ["Options", "check", "describe", "show"]


def __getattr__(name: str) -> Any:
    """Import what `check` has no use for when it is asked for, so that `check` need not wait for it."""
    if name == "describe":
        from abicheck.api.hosts import describe  # noqa: PLC0415 -- as said

        return describe
    if name == "show":
        from abicheck.api.showing import show  # noqa: PLC0415 -- as said

        return show
    raise AttributeError(name)
