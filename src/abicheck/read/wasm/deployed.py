"""What is deployed: a module, or a script with the module that it brings along or names."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from abicheck.errors import AbicheckError, TargetError
from abicheck.model.wasm import Deployed, Glue
from abicheck.read.wasm import embedded, read_wasm
from abicheck.read.wasm.glue import read_glue

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPTS = (".js", ".mjs", ".cjs")


def read_deployed(path: str) -> Deployed:
    """What lies at `path`, a module or a script. Raises `TargetError`."""
    modules, glue, unread = _opened(path)
    found = tuple((at, hashlib.sha256(each).hexdigest(), read_wasm(each)) for at, each in modules)
    workers = _places(path, glue.workers) if glue is not None else []
    return Deployed(found, glue, unread, tuple(place for place in workers if not os.path.isfile(place)))


def open_modules(path: str) -> list[tuple[str, bytes]]:
    """The modules themselves, each with the path of the file that it is in. Raises `TargetError`."""
    return _opened(path)[0]


def _opened(path: str) -> tuple[list[tuple[str, bytes]], Glue | None, str]:
    """The modules, the script around them, and why that cannot be read."""
    data = _content(path)
    if not path.endswith(SCRIPTS):
        return [(path, data)], None, ""
    modules, glue, unread = [(path, each) for each in embedded(data)], None, ""
    try:
        glue = read_glue(data)
    except AbicheckError as error:
        unread = error.message
    return modules or _beside(path, glue, unread), glue, unread


def _beside(path: str, glue: Glue | None, unread: str) -> list[tuple[str, bytes]]:
    """The modules that a script names, which lie beside it."""
    if glue is None:
        raise TargetError(unread, path)
    if not glue.files:
        raise TargetError("no WebAssembly module in this script; give the .wasm file that it loads", path)
    there = [place for place in _places(path, glue.files) if os.path.isfile(place)]
    if not there:
        raise TargetError(f"it loads {glue.files[0]}, which is not beside it; put it there, or give the .wasm file", path)
    return [(place, _content(place)) for place in there]


def _places(path: str, names: Sequence[str]) -> list[str]:
    """Where the files lie that a script names, each once."""
    places = (os.path.join(os.path.dirname(os.path.abspath(path)), *name.split("/")) for name in names)
    return list(dict.fromkeys(map(os.path.normpath, places)))


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise TargetError(
            f"{(error.strerror or str(error)).lower()}; give a module that is there and may be read", path
        ) from None
    except ValueError as error:
        raise TargetError(f"{error}; give the path of a module", path) from None
