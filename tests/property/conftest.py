"""How many examples a property is tried on: few by default, 10,000 under the profile `ci` (see `effort`)."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("few", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))
