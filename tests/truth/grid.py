"""`python -m tests.truth.grid MATRIX REPORT.json`: what `check MATRIX` says of each cell beside what `confirm` observed there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abicheck.api.grid import check_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.report import Result


def observed(cell: Mapping[str, Any]) -> tuple[str, str | None]:
    """Verdict and text of a cell of confirm's report; what was predicted where nothing could be installed."""
    seen = cell["observed"]
    return (cell["verdict"], cell["predicted"]) if seen is None else (seen["verdict"], seen["text"])


def differences(cells: list[dict[str, Any]], results: Mapping[str | None, Result]) -> Iterator[str]:
    """A line for each cell that is not judged as it came out."""
    for cell in cells:
        found = results.get(cell["cell"])
        judged = None if found is None else (found.verdict, found.predicted)
        if judged != observed(cell):
            yield f"{cell['cell']}: judged {judged}, observed {observed(cell)}"


def main(arguments: list[str]) -> int:
    """Print every difference, and how many cells are equal; 1 where one differs, or nothing was compared."""
    matrix, report = arguments
    cells = json.loads(Path(report).read_text(encoding="utf-8"))["results"]
    judged = check_matrix(matrix, list(dict.fromkeys(cell["cell"].partition("/")[0] for cell in cells)))
    found = [*differences(cells, {result.cell: result for result in judged.results}), *(str(each) for each in judged.errors)]
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(cells)} cells, {len(cells) - len(found)} judged as they came out\n")
    return 1 if found or not cells else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
