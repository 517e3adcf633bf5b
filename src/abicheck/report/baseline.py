"""The known errors of a project as a file, an entry a line; `schema/baseline.json` beside this file describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.configuration import Known

_SCHEMA_VERSION = 1


def render(known: Iterable[Known]) -> str:
    """A baseline, sorted, in ASCII."""
    rows = ",\n".join(f"  {json.dumps(each._asdict())}" for each in sorted(known))
    return f'{{\n "schema_version": {_SCHEMA_VERSION},\n "known": [\n{rows}\n ]\n}}\n'
