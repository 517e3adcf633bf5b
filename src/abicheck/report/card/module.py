"""What the card of a WebAssembly module says, in words that the terminal and markdown share."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.report.card.words import Section, names
from abicheck.report.lines import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.wasm import Extern, ModuleCard, Need
    from abicheck.report.card.words import Code


def loads_on(card: ModuleCard) -> str:
    """The runtimes that load it, to follow `loads on`."""
    if card.module.unknown is not None:
        return f"no runtime that is certain: it uses {card.module.unknown}"
    return f"{since(card.floors)} or newer" if card.floors else "every runtime of WebAssembly"


def since(versions: Sequence[tuple[str, str | None]]) -> str:
    """As in `Node.js 16.4, Chrome 91, no Safari`."""
    return ", ".join(f"no {title}" if version is None else f"{title} {version}" for title, version in versions)


def sections(card: ModuleCard, code: Code) -> Iterator[Section]:
    """All parts that have something to say."""
    module = card.module
    told = (
        ("Features", [_need(each) for each in card.needs]),
        ("Memory", list(_memories(card))),
        (f"Imports ({len(module.imports):,})", list(_imports(module.imports, code))),
        (f"Exports ({len(module.exports):,})", list(_by_kind(module.exports, code))),
        ("Made with", [f"{code(field)}: {names(values, code)}" for field, values in module.producers]),
        ("Its build says", [names(module.target_features, code)] if module.target_features else []),
        ("Found in", [code(posixpath.basename(card.file))] if posixpath.basename(card.file) != card.name else []),
    )
    yield from (Section(title, tuple(lines)) for title, lines in told if lines)


def figures(card: ModuleCard) -> str:
    """Its size, in a line; features are of the table of that date."""
    module = card.module
    parts = (f"{module.size:,} bytes", count(len(module.imports), "import"), count(len(module.exports), "export"))
    return f"{' · '.join(parts)} · runtimes as of {card.table}"


def _need(need: Need) -> str:
    where = f"in function {need.function:,} " if need.function is not None else ""
    note = "" if need.loading else "; it loads without, and the calls that need it fail"
    return f"{need.title}, first {where}at byte {need.offset:,}: {since(need.since)}{note}"


def _memories(card: ModuleCard) -> Iterator[str]:
    for memory in card.module.memories:
        isolated = "; a browser gives that to cross-origin isolated pages only" if memory.shared else ""
        yield f"{memory.spelled}{isolated}"


def _imports(imports: Sequence[Extern], code: Code) -> Iterator[str]:
    for namespace in dict.fromkeys(each.module for each in imports):
        mine = [each for each in imports if each.module == namespace]
        yield from (f"{code(namespace or '')}: {line}" for line in _by_kind(mine, code))


def _by_kind(externs: Sequence[Extern], code: Code) -> Iterator[str]:
    for kind in dict.fromkeys(each.kind for each in externs):
        mine = [each.name for each in externs if each.kind == kind]
        yield f"{count(len(mine), kind) if kind != 'memory' else 'memory'} {names(mine, code)}"
