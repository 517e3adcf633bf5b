"""Write docs/rules from the pages of the rules: `python tools/make_rule_docs.py` (with `--check`: only say what differs)."""

from __future__ import annotations

import sys
from pathlib import Path

from abicheck.api.rules import rules
from abicheck.report.rules import markdown_index, markdown_page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"


def made() -> dict[str, str]:
    """What docs/rules must hold, by file name."""
    pages = rules()
    return {"README.md": markdown_index(pages)} | {f"{page.name}.md": markdown_page(page) for page in pages}


def differing(folder: Path) -> list[str]:
    """The files of `folder` that are not as they would be made, those that should not be there among them."""
    wanted = made()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write what differs, or say it; the exit code is 1 where `--check` finds something."""
    different = differing(FOLDER)
    for name in different:
        print(name)
    if "--check" in arguments:
        return 1 if different else 0
    wanted = made()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in different:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
