"""TOML, with the parser that this Python has."""

from __future__ import annotations

import sys
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """The document in a text. Raises `ValueError`, whose message names line and column, also where it is too deep."""
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 -- only who reads a document pays for it
    else:
        import tomli as tomllib  # noqa: PLC0415 -- as above

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
