"""The map of the rooms: which may import which. A change here is a change of the design."""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "abicheck"

#: Each room and those that it may import. `abicheck` itself holds the version and names the library's functions.
ROOMS = {
    "model": set(),
    "errors": set(),
    "read": {"model", "errors"},
    "judge": {"model", "errors"},
    "report": {"model", "errors"},
    "lint": {"model", "errors"},
    "act": {"read", "model", "errors"},
    "api": {"read", "judge", "act", "lint", "model", "errors", "abicheck"},
    "cli": {"api", "report", "model", "errors", "abicheck"},
    "__main__": {"cli"},
    "abicheck": {"api"},  # lazily, so that `abicheck.check` is there
}

#: What is pure reads no file and asks no machine.
PURE = ("judge", "report")
IMPURE_MODULES = {"os", "subprocess", "socket", "tempfile", "urllib"}


class Import(NamedTuple):
    importer: str
    imported: str
    for_types: bool


def _module(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(path): ast.parse(path.read_bytes()) for path in sorted(SOURCE.rglob("*.py"))}


def _for_types(tree: ast.Module) -> set[ast.AST]:
    """Everything below an `if TYPE_CHECKING:`."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }


def _imports() -> list[Import]:
    found = []
    for importer, tree in MODULES.items():
        for_types = _for_types(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{importer}: imports are written in full"
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in MODULES else str(node.module) for name in full]
            else:
                continue
            found += [Import(importer, name, node in for_types) for name in names]
    return found


IMPORTS = _imports()


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def test_every_module_stands_in_a_room() -> None:
    assert {_room(module) for module in MODULES} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_map_allows(room: str) -> None:
    strangers = {
        f"{each.importer} imports {each.imported}"
        for each in IMPORTS
        if _room(each.importer) == room
        and each.imported.split(".")[0] == "abicheck"
        and _room(each.imported) not in ROOMS[room] | {room}
    }
    assert not strangers


@pytest.mark.parametrize("room", ROOMS)
def test_inside_a_room_imports_are_acyclic(room: str) -> None:
    graph: dict[str, set[str]] = {}
    for each in IMPORTS:
        inside = _room(each.importer) == room and each.imported in MODULES and _room(each.imported) == room
        if inside and not each.for_types and each.importer != each.imported:
            graph.setdefault(each.importer, set()).add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_touches_no_world(room: str) -> None:
    touching = {
        f"{each.importer} imports {each.imported}"
        for each in IMPORTS
        if _room(each.importer) == room and each.imported.split(".")[0] in IMPURE_MODULES
    }
    assert not touching


def test_the_model_imports_the_standard_library_only() -> None:
    foreign = {
        f"{each.importer} imports {each.imported}"
        for each in IMPORTS
        if _room(each.importer) in ("model", "errors")
        and each.imported.split(".")[0] not in {*sys.stdlib_module_names, "abicheck"}
    }
    assert not foreign


def test_every_module_opens_with_one_sentence() -> None:
    without = [module for module, tree in MODULES.items() if not (ast.get_docstring(tree) or "").split("\n")[0].endswith(".")]
    assert not without


def test_functions_and_files_stay_short() -> None:
    long = []
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                docstring = node.body[0] if ast.get_docstring(node) else None
                first = (docstring.end_lineno or 0) if docstring else node.lineno
                if (node.end_lineno or 0) - first >= 50:
                    long.append(f"{module}.{node.name}")
    long += [str(path) for path in SOURCE.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 330]
    assert not long
