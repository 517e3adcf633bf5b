"""Runs pip's command line in a process of its own and notes each file that pip finds on the indexes and in the directories.

Started as `python links.py OUTPUT ARGUMENT...` by an interpreter that has pip; never imported by abicheck. pip has no command
that lists files; its `-vvv` log names them, but neither their hashes nor whether they are yanked. So this watches the one method
through which every link passes, whatever it came from, which has kept its name and place from pip 20.0 to 26.3.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this directory, whose names could hide others

import json
import logging
from importlib import import_module
from typing import Any


def run(output: str, arguments: list[str]) -> int:
    """Run pip with `arguments`, write what it found as JSON to `output`, and return its exit code."""
    finder = import_module("pip._internal.index.package_finder")
    evaluator = finder.LinkEvaluator
    evaluate = evaluator.evaluate_link
    found: dict[str, Any] = {}

    def watch(self: Any, link: Any) -> Any:
        found[link.url] = {
            "filename": link.filename,
            "requires_python": link.requires_python,
            "yanked": link.yanked_reason,
            # pip 22 keeps the hashes of a JSON page where no property shows them.
            "sha256": link.hash if link.hash_name == "sha256" else getattr(link, "_hashes", {}).get("sha256"),
        }
        return evaluate(self, link)

    evaluator.evaluate_link = watch
    logging.getLogger(finder.__name__).setLevel(logging.WARNING)  # else `-v` has a line for every link
    code: int = import_module("pip._internal.cli.main").main(arguments)
    with open(output, "w", encoding="utf-8") as file:
        json.dump(list(found.values()), file)
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
