"""The list of built-in distributions, for `abicheck host --list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.host import KnownHost

_HEADS = ("name", "libc", "Python", "arch", "CPU", "end of life", "not verified")


def render(hosts: Sequence[KnownHost]) -> str:
    """A line for each."""
    rows = [_HEADS, *(_row(each) for each in hosts)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADS))]
    return "".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def render_json(hosts: Sequence[KnownHost]) -> str:
    """All that is known of each, with the source of every fact."""
    return json.dumps({"schema_version": 1, "hosts": [each._asdict() for each in hosts]}, indent=2) + "\n"


def _row(host: KnownHost) -> tuple[str, ...]:
    ends = host.end_of_life if not host.extended else f"{host.end_of_life} ({host.extended})"
    level = f"x86-64-v{host.level}" if "x86_64" in host.arches else ""
    python = host.python or "any"
    unverified = ", ".join(name for name, source in host.sources if "(G)" in source)
    return host.name, host.libc, python, " ".join(host.arches), level, ends, unverified
