"""Names of projects, compared as installers compare them."""

from __future__ import annotations

import re


def normalized(name: str) -> str:
    """A project's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
