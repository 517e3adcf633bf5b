"""Names of projects and lines about them, as texts."""

from __future__ import annotations

import re

_LONG = re.compile("[0-9]{1000}")


def normalized(name: str) -> str:
    """A project's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def has_long_number(text: str) -> bool:
    """Whether a number in it is longer than any version has; Python converts none of thousands of digits, but raises ValueError.

    https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    """
    return _LONG.search(text) is not None
