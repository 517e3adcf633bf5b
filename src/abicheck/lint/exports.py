"""Functions of a module that a script calls, and that no build beside it exports."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.lint.files import SCRIPTS, content
from abicheck.lint.sighting import Sighting
from abicheck.lint.syntax import arguments, field, parse_script, text, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_CALLS = re.compile(rb"\bModule\b")
#: What writes down which functions are exported: a build for emscripten, or the script that it made.
_BUILDS = ("CMakeLists.txt", ".cmake", "Makefile", "makefile", ".mk", ".sh", ".json", ".py")
_EXPORTING = re.compile(rb"EXPORTED_FUNCTIONS")
_GLUE = re.compile(rb"WebAssembly\.(?:instantiate|Instance)")
_KEPT = re.compile(rb"EMSCRIPTEN_KEEPALIVE[^;{(]*?(\w+)\s*\(")
_KEEPING = (".c", ".cc", ".cpp", ".cxx")
#: Those that older emscripten exports unasked.
_ALWAYS = {"_malloc", "_free", "_main"}
_MEMBERS = {"member_expression": "property", "subscript_expression": "index"}
#: Calls whose first argument is the name of a function.
_BY_NAME = ("ccall", "cwrap")


def unexported(source: bytes, path: str) -> Iterator[Sighting]:
    """The functions that the script at `path` calls as `Module._f(…)`, or by their names, and that nothing beside it exports.

    Every word of a build's file, or of the module's script, may be an export: none is missed, and some that are none may pass.
    Raises `AbicheckError` where the parser is not installed.
    """
    if not _CALLS.search(source):
        return
    builds = _builds(os.path.dirname(path) or ".")
    if not builds:
        return
    exported = _ALWAYS.union(*builds.values())
    root = parse_script(source)
    given = {_member(target) for each in walk(root, into_functions=True) if (target := _assigned(each)) is not None}
    for call in walk(root, into_functions=True):
        name = _called(call)
        if name is not None and name not in exported | given:
            row, column = call.start_point
            yield Sighting("function-not-exported", row + 1, column + 1, {"name": name, "owner": " and ".join(sorted(builds))})


def _called(call: Node) -> str | None:
    """The function of the module that a call calls."""
    callee = field(call, "function") if call.type == "call_expression" else None
    if callee is None or field(call, "optional_chain") is not None:
        return None
    name = _member(callee)
    if name in _BY_NAME and (given := arguments(call)) and given[0].type == "string":
        return f"_{_plain(given[0])}"
    return name if name and name.startswith("_") else None


def _assigned(node: Node) -> Node | None:
    return field(node, "left") if node.type == "assignment_expression" else None


def _member(node: Node) -> str | None:
    """The name of the member that `Module.f`, `this.Module.f` or `Module["f"]` is."""
    name = field(node, _MEMBERS[node.type]) if node.type in _MEMBERS else None
    holder = text(field(node, "object")).rpartition(".")[2]
    return _plain(name) if name is not None and name.type in ("property_identifier", "string") and holder == "Module" else None


def _plain(name: Node) -> str:
    return text(name).strip("\"'")


def _builds(folder: str) -> dict[str, set[str]]:
    """The files in a directory that write down what is exported, with all names that this may be."""
    found = {}
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # a script may be read by its path where its directory may not
        return {}
    for name in names:
        if not name.endswith((*_BUILDS, *_KEEPING, *SCRIPTS)):
            continue
        try:
            source = content(os.path.join(folder, name))
        except TargetError:  # a directory of such a name
            continue
        if name.endswith(_KEEPING):
            words = {b"_" + each for each in _KEPT.findall(source)}
        elif (_GLUE if name.endswith(SCRIPTS) else _EXPORTING).search(source):
            plain = set(re.findall(rb"\w+", source))
            words = plain | {b"_" + each for each in plain}
        else:
            words = set()
        if words:
            found[name] = {each.decode("utf-8", "replace") for each in words}
    return found
