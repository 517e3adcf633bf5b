"""How much of what a profile tries is enough where an example takes long."""

from __future__ import annotations

from hypothesis import settings

#: A fifth, and as many as `few` at least: of 10,000 each of these would take minutes.
fewer = settings(max_examples=max(60, settings().max_examples // 5))
