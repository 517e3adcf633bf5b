"""How lock files are named."""

from __future__ import annotations

import os
import re

#: PEP 751, "File Name".
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")


def is_lock(path: str) -> bool:
    """Whether a path is named as a lock file is: `*.txt` (requirements), `*.lock`, `pylock.toml`, `pylock.NAME.toml`."""
    name = os.path.basename(path)
    return name.endswith((".txt", ".lock")) or _PYLOCK.fullmatch(name) is not None
