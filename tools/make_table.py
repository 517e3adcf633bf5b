"""Write the compatibility table of a matrix: `python tools/make_table.py matrices/ctranslate2.toml docs/ctranslate2.md`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from abicheck import __version__
from abicheck.api import Options
from abicheck.api.grid import check_matrix
from abicheck.read.matrix import read_matrix
from abicheck.report import markdown

HEAD = """# Where {subject} loads

What abicheck {version} says of `matrices/{matrix}`: every release, each with the Pythons that it has a wheel for, on the
distributions that abicheck knows; then the cells that `abicheck confirm` really runs. Nothing was run to make this table, which
`nox -s table` makes anew. [How to read it](grid.md).

"""


def main() -> int:
    """Judge the matrix and write its table; 4 where something could not be judged."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("matrix", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    report = check_matrix(str(arguments.matrix), options=Options(jobs=os.cpu_count() or 1))
    if report.errors:
        sys.stderr.writelines(f"{failure.target}: {failure.message}\n" for failure in report.errors)
        return 4
    subject = read_matrix(str(arguments.matrix)).sweeps[0].subject
    # The last line has the figures of this very run.
    table = markdown.render(report).rstrip("\n").rpartition("\n\n")[0]
    head = HEAD.format(subject=subject, version=__version__, matrix=arguments.matrix.name)
    arguments.output.write_text(f"{head}{table}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
