"""How much of what a profile tries is enough where the readers of ELF files and of modules are not at stake."""

from __future__ import annotations

from hypothesis import settings

#: A fifth, and as many as `few` at least: with 10,000 of each, CI spends half an hour of a slow machine on them.
fewer = settings(max_examples=max(60, settings().max_examples // 5))
