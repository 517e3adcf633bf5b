"""Asks Node.js and Chromium to compile and instantiate a module, and reads what they say."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from abicheck.act.confirm.chromium import open_page
from abicheck.act.confirm.observe import end_of, run_here
from abicheck.errors import AbicheckError
from abicheck.model.confirm import Observed
from abicheck.model.wasm import Module

if TYPE_CHECKING:
    from abicheck.act.confirm.observe import Ended
    from abicheck.model.wasm import WasmFile

SCRIPT = os.path.join(os.path.dirname(__file__), "instantiate.js")
_TAIL = 4000


class Node(NamedTuple):
    """The Node.js of that path."""

    program: str

    def attempt(self, module: bytes, request: str, seconds: float) -> Ended:
        """Run `instantiate.js` in a process of its own; what it tells is `stdout`."""
        with tempfile.TemporaryDirectory(prefix="abicheck-") as directory:
            paths = [os.path.join(directory, name) for name in ("module", "request")]
            for path, content in zip(paths, (module, request.encode()), strict=True):
                with open(path, "wb") as file:
                    file.write(content)
            return run_here([self.program, SCRIPT, *paths], seconds)


class Chromium(NamedTuple):
    """The Chromium of that path, and whether its page is cross-origin isolated."""

    program: str
    isolated: bool

    def attempt(self, module: bytes, request: str, seconds: float) -> Ended:
        """Run `instantiate.js` in a page of its own; what it tells is `stdout`. Raises `HostError` where none opens."""
        with open(SCRIPT, "rb") as file:
            script = file.read()
        files = {
            "/": ("text/html", b"<!doctype html><script src=instantiate.js></script>"),
            "/instantiate.js": ("text/javascript", script),
            "/module": ("application/wasm", module),
            "/request": ("application/json", request.encode()),
        }
        return open_page(self.program, files.get, seconds, isolated=self.isolated)


def instantiate(runtime: Node | Chromium, data: bytes, facts: WasmFile, seconds: float) -> Observed:
    """Compile the module of these `data`, instantiate it with stand-ins for its imports, and give its shared memory to a thread.

    Whatever the runtime says, its crash and no end within `seconds` too, is an observation. What the start function says, which
    stand-ins may not serve well, is `output`. Raises `AbicheckError` where an import cannot be made, or the runtime does not run.
    """
    imports = facts.imports if isinstance(facts, Module) else ()
    shared = isinstance(facts, Module) and any(memory.shared for memory in facts.memories)
    listed = [each._asdict() | {"limits": each.limits._asdict() if each.limits else None} for each in imports]
    ended = runtime.attempt(data, json.dumps({"imports": listed, "shared": shared}), seconds)
    try:
        told = json.loads(ended.stdout)
        stage, text = told["stage"], told["text"]
    except (ValueError, LookupError, TypeError):
        status = ended.status if ended.status is None or ended.status <= 128 else 128 - ended.status
        return Observed("fails", end_of(status, seconds), seconds=ended.seconds, output=ended.stderr[-_TAIL:])
    if stage == "imports" and text.startswith("TypeError: "):
        raise AbicheckError(f"an import that only its own script can make ({text}); run it with that")
    if stage in (None, "start"):
        return Observed("loads", None, seconds=ended.seconds, output=f"its start function: {text}" if text else "")
    return Observed("fails", text, seconds=ended.seconds, output=ended.stderr[-_TAIL:])
