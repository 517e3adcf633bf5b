"""Tells, before anything runs, whether native code will load on a host, why not, and what to do.

`abicheck.check`, `.show`, `.describe` and `.Options` are those of `abicheck.api`, where they are documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abicheck.api import Options, check, describe, show

__all__ = ["Options", "__version__", "check", "describe", "show"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the library when it is used: the command line starts without it."""
    if name in __all__:
        from abicheck import api  # noqa: PLC0415 -- as said

        return getattr(api, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
