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

from abicheck.act.confirm.observe import kill
from abicheck.errors import AbicheckError
from abicheck.model.confirm import Observed

LANGUAGE = "abicheck-canary-language-0123456789"
_SCRIPT = os.path.join(os.path.dirname(__file__), "canary.js")
#: What whisper.cpp says of a language that it does not know, and where it was given none. Where UTF-8 is broken, emscripten makes
#: what follows a part of the character, be it the quote.
_NAMED = re.compile(rb"unknown language '(?P<language>.*?)'?\r?\n|auto-detect(?:ed)? language")
_REASON = re.compile(r"^canary: (.*)$", re.MULTILINE)
#: How long (in seconds) a script may take for each step, as long as it does not compute.
_PATIENCE = 20.0
_TICK, _TAIL = 0.05, 4000


def ask_canary(node: str, script: str, seconds: float) -> Observed:
    """Transcribe silence in `LANGUAGE` with the binding of that script, in Node.js, and see which language it names.

    Raises `AbicheckError` where it names none within `seconds`: it is no such binding, or does not run in Node.js.
    """
    started = time.monotonic()
    output = _watched([node, _SCRIPT, script, LANGUAGE, str(min(_PATIENCE, seconds / 4))], seconds)
    named = _NAMED.search(output)
    taken = time.monotonic() - started
    if named is None:
        reason = _REASON.search(output.decode(errors="backslashreplace"))
        said = reason[1] if reason else f"it names no language within {seconds:g} s"
        raise AbicheckError(f"{said}; the canary needs a build of whisper.cpp with full_default that runs in Node.js")
    language = (named["language"] or b"").decode(errors="backslashreplace")
    if language == LANGUAGE:
        return Observed("loads", None, seconds=taken)
    text = f"the language came back as {language!r}: its pointer outlives the text that it points into"
    return Observed("fails", text, seconds=taken, output=output[-_TAIL:].decode(errors="backslashreplace"))


def by_hand(node: str, script: str) -> str:
    """The same for a shell; the process is to be ended when the language was named."""
    return shlex.join([node, _SCRIPT, script, LANGUAGE])


def _watched(argv: list[str], seconds: float) -> bytes:
    """What a program has written when it names a language, when it ends, or after `seconds`; then it is over."""
    end = time.monotonic() + seconds
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(  # noqa: S603 -- running it is what this is for
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            while process.poll() is None and time.monotonic() < end and not _NAMED.search(_read(log.fileno())):
                time.sleep(_TICK)
        finally:
            kill(process)
        process.wait()
        return _read(log.fileno())


def _read(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)
