"""The data that ships with abicheck about hosts that are not here."""

from __future__ import annotations

from typing import Any

from abicheck.errors import DataError


def unpacked(name: str) -> dict[str, Any]:
    """The JSON file `name` of the data directory, packed where it ends in `.z`. Raises `DataError` where it is damaged."""
    import json  # noqa: PLC0415 -- few runs need any of it
    import zlib  # noqa: PLC0415 -- as above

    try:
        # As in judge/rules/pages.py; importlib.resources costs more.
        data: bytes = globals()["__loader__"].get_data(__file__.removesuffix("packed.py") + f"data/{name}")
        found: dict[str, Any] = json.loads(zlib.decompress(data) if name.endswith(".z") else data)
    except (OSError, ValueError, zlib.error) as error:
        raise DataError(f"{error}; install abicheck anew", name) from None
    return found
