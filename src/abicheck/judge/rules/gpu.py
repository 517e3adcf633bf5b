"""Rules about libraries that code opens by name while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.rules.context import Context
    from abicheck.model.report import Finding


def gpu_library_missing(context: Context) -> Iterator[Finding]:
    """A library that the distribution opens by name for the GPU does not load."""
    for opened in context.opened:
        if opened.link_map.errors:
            evidence = tuple(error.text for error in opened.link_map.errors)
            yield context.subject.finding(
                "gpu-library-missing",
                opened.opener,
                evidence=evidence,
                confidence="likely",
                name=opened.name,
                needed=opened.capability,
            )
