"""How much of what a profile tries is enough where an example takes long."""

from __future__ import annotations

from hypothesis import settings

#: Of these 10,000 would take a quarter of an hour; they are as many as `few` at least.
fewer = settings(max_examples=max(60, settings().max_examples // 5))
