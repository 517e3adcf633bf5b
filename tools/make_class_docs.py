"""Write docs/classes.md: `python tools/make_class_docs.py` (with `--check`: only say whether it differs)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from abicheck.api.rules import rules
from abicheck.judge.triage.signatures import signatures
from abicheck.read.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "classes.md"
_FIELD = re.compile(r"\{(\w+)\}")
_HEAD = """\
# Classes

Made by `tools/make_class_docs.py` from `tools/inputs/failure-classes.toml`, the rules and the signatures of `abicheck triage`.

A class says what is wrong. Where a rule of `abicheck check` finds the same in the files, the class bears the rule's name, so that
a prediction and a report are about one thing. Codes and names of the first table are those by which the failures were collected.
"""


def failures() -> list[dict[str, list[str] | str]]:
    """The failures by their codes, each with the classes that stand for it."""
    found: list[dict[str, list[str] | str]] = parse_toml(
        (ROOT / "tools/inputs/failure-classes.toml").read_text(encoding="utf-8")
    )["failure"]
    return found


def made() -> str:
    """What docs/classes.md must hold."""
    pages = {page.name for page in rules()}
    coded = {name for failure in failures() for name in failure["classes"]}

    def named(classes: Iterable[str]) -> str:
        return ", ".join(f"[{name}](rules/{name}.md)" if name in pages else f"`{name}`" for name in classes)

    rows = [f"| {failure['code']} | {failure['name']} | {named(failure['classes'])} |" for failure in failures()]
    first = "\n".join(["| code | failure | class |", "|---|---|---|", *rows])
    blocks = [_HEAD.rstrip(), first]
    for title, environment in (("Other classes of the environment", True), ("No problem of the environment", False)):
        blocks += [f"## {title}", "\n".join(["| class | what it means |", "|---|---|", *_others(coded, environment=environment)])]
    return "\n\n".join(blocks) + "\n"


def _others(coded: set[str], *, environment: bool) -> Iterator[str]:
    """A row for each class of the signatures without a code, with the words of the signature that comes first."""
    words: dict[str, tuple[int, str]] = {}
    for signature in signatures():
        if signature.environment is environment and signature.class_ not in coded:
            words[signature.class_] = max(words.get(signature.class_, (-1, "")), (signature.rank, signature.cause))
    for name, (_, cause) in sorted(words.items()):
        yield f"| `{name}` | {_FIELD.sub(lambda match: match[1].upper(), cause).replace('|', chr(92) + '|')} |"


def main(arguments: list[str]) -> int:
    """Write the page, or say that it differs; the exit code is 1 where `--check` finds that."""
    wanted = made()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(PAGE.name)
    if "--check" in arguments:
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
