"""How many examples a property is tried on: few by default, under the profile `ci` 10,000 of ELF files and 2,000 of all else."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("few", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))
