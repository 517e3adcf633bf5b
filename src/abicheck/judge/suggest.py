"""The constraint that leaves only the releases which load."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.suggest import Release


def constrain(name: str, releases: Sequence[Release], specifier: str = "") -> str | None:
    """A constraint for `name` that admits the newest of `releases` (newest first) that loads, and none that is known not to.

    The releases are those that meet `specifier`, which becomes a part of it: it admits what was not judged only where that is
    newer than all that there is now. None where each of them loads, or none does.
    """
    marks = [release.loads for release in releases]
    if not any(marks) or all(marks):
        return None
    first = marks.index(True)
    bounds = [f"<={releases[first].version}"] if first else []
    if False in marks[first:]:
        last = first + marks[first:].index(False) - 1
        bounds.insert(0, f">={releases[last].version}")
    return f"{name}{','.join(filter(None, (*bounds, specifier)))}"
