"""Where the configuration of a project is, and its text."""

from __future__ import annotations

import os
import re
from typing import Any

from abicheck.errors import UsageError

_OWN, _SHARED = "abicheck.toml", "pyproject.toml"
#: In bytes; nobody writes more by hand.
_LIMIT = 4 << 20


def find_configuration(directory: str) -> str | None:
    """The configuration for a directory: its own, else that of the next one above, not beyond the root of a Git repository.

    In one directory abicheck.toml comes before pyproject.toml, which counts only with a table for abicheck. Raises `UsageError`
    for a pyproject.toml that may have one and cannot be read.
    """
    while True:
        own, shared = (os.path.join(directory, name) for name in (_OWN, _SHARED))
        if os.path.isfile(own):
            return own
        if os.path.isfile(shared) and own_table(shared, load(shared)) is not None:
            return shared
        above = os.path.dirname(directory)
        if above == directory or os.path.exists(os.path.join(directory, ".git")):
            return None
        directory = above


def load(path: str) -> str:
    """The text of a configuration. Raises `UsageError`."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise UsageError(f"larger than {_LIMIT >> 20} MiB, which no configuration is; name another file", path)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("no text in UTF-8; save it as UTF-8", path) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot be read ({reason}); name another file with --config, or none with --config ''", path) from None


def is_shared(path: str) -> bool:
    """Whether other tools have their configuration there, too."""
    return os.path.basename(path) == _SHARED


def own_table(path: str, text: str) -> Any:
    """What is for abicheck in a document, None where there is nothing. Raises `UsageError` where it is no TOML."""
    if is_shared(path) and "abicheck" not in text:  # as most are: to parse them takes longer than many checks
        return None
    from abicheck.read.toml import parse_toml  # noqa: PLC0415 -- as said

    try:
        values = parse_toml(text)
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else path
        raise UsageError(f"no TOML ({error}); mend it, or take no configuration with --config ''", where) from None
    if not is_shared(path):
        return values
    tools = values.get("tool")
    return tools.get("abicheck") if isinstance(tools, dict) else None
