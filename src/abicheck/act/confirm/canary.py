"""The canary: a binding of whisper.cpp is given a long language that is unknown, which must come back as it was.

A binding with the bug of whisper.wasm before v1.7.6 keeps a pointer to a text that is gone when its thread reads it. A text too
long to be kept inside a std::string lies on the heap, and what is read in its place is something else every time.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from abicheck.act.confirm.chromium import open_page, read_all
from abicheck.act.confirm.observe import kill
from abicheck.act.confirm.runtimes import Chromium, Node
from abicheck.errors import AbicheckError
from abicheck.model.confirm import Observed

if TYPE_CHECKING:
    from abicheck.act.confirm.chromium import Serve

LANGUAGE = "abicheck-canary-language-0123456789"
_SCRIPT = os.path.join(os.path.dirname(__file__), "canary.js")
#: What whisper.cpp says of a language that it does not know, and where it was given none. Where UTF-8 is broken, emscripten makes
#: what follows a part of the character, be it the quote. A console ends its lines with a quote of its own.
_NAMED = re.compile(rb"unknown language '(?P<language>.*?)(?:'|'?\"[^\n]*|)\r?\n|auto-detect(?:ed)? language")
_REASON = re.compile(rb"^canary: (.*)$", re.MULTILINE)
#: How long (in seconds) a script may take for each step, as long as it does not compute.
_PATIENCE = 20.0
_TICK, _TAIL = 0.05, 4000
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".cjs": "text/javascript", ".wasm": "application/wasm"}


def ask_canary(runtime: Node | Chromium, script: str, seconds: float) -> Observed:
    """Transcribe silence in `LANGUAGE` with the binding of that script, and see which language it names.

    Raises `AbicheckError` where it names none within `seconds`: it is no such binding, or does not run there.
    """
    started = time.monotonic()
    arguments = (script, LANGUAGE, f"{min(_PATIENCE, seconds / 4):g}")
    output = (_in_node if isinstance(runtime, Node) else _in_page)(runtime.program, arguments, seconds)
    named = _NAMED.search(output)
    taken = time.monotonic() - started
    if named is None:
        reason = _REASON.search(output)
        said = _decoded(reason[1]) if reason else f"it names no language within {seconds:g} s"
        raise AbicheckError(f"{said}; the canary needs a build of whisper.cpp with full_default that runs there")
    language = _decoded(named["language"] or b"")
    if language == LANGUAGE:
        return Observed("loads", None, seconds=taken)
    text = f"the language came back as {language!r}; its pointer may outlive its text (abicheck rule pointer-into-thread)"
    return Observed("fails", text, seconds=taken, output=_decoded(output[-_TAIL:]))


def by_hand(node: str, script: str) -> str:
    """The same in Node.js for a shell; the process is to be ended when the language was named."""
    return shlex.join([node, _SCRIPT, script, LANGUAGE])


def _decoded(said: bytes) -> str:
    return said.decode(errors="backslashreplace")


def _in_node(program: str, arguments: tuple[str, ...], seconds: float) -> bytes:
    """What a script has written when it names a language, when it ends, or after `seconds`; then it is over."""
    end = time.monotonic() + seconds
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(  # noqa: S603 -- running it is what this is for
            [program, _SCRIPT, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            while process.poll() is None and time.monotonic() < end and not _NAMED.search(read_all(log)):
                time.sleep(_TICK)
        finally:
            kill(process)
        process.wait()
        return read_all(log)


def _in_page(program: str, arguments: tuple[str, ...], seconds: float) -> bytes:
    """The same of the console of a page that is cross-origin isolated, and what the page posts."""
    script, *others = arguments
    query = "&".join(quote(each, safe="") for each in (os.path.basename(script), *others))
    ended = open_page(program, _files(script), seconds, isolated=True, until=_NAMED.search, query=query)
    console = [line for line in ended.stderr.split("\n") if ":CONSOLE" in line]
    return "\n".join([*console, ended.stdout]).encode(errors="backslashreplace")


def _files(script: str) -> Serve:
    """The page, and what lies beside the script: its workers and its module."""

    def serve(path: str) -> tuple[str, bytes] | None:
        name = unquote(path.partition("?")[0].removeprefix("/"))
        if not name:
            return "text/html", b"<!doctype html><script src=abicheck/canary.js></script>"
        own = name == "abicheck/canary.js"
        file = _SCRIPT if own else os.path.join(os.path.dirname(script), name)
        if not own and ("/" in name or not os.path.isfile(file)):
            return None
        with open(file, "rb") as opened:
            return _TYPES.get(os.path.splitext(name)[1], "application/octet-stream"), opened.read()

    return serve
