"""Imports modules with a real Python, each list of them in a forked child; runs inside a root, on any Python 3.7 or later.

It reads lines with tabs in them: a directory that comes first on `sys.path`, then modules. For each it writes one line
`repr((events, output, status))`. An event is the `repr` of `("extension", path, text)` for an extension that Python opened, with
what the loader said, or None where it loaded; or of `("import", module, text)`, with the exceptions behind one another, or None.
The first module that cannot be imported ends the list. `output` is what else the child wrote, `status` is as from waitpid.

Nothing is imported here that is not built into Python or loaded at its start, so each child is as a fresh Python.
"""

from __future__ import annotations

import _imp
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MARK = b"\0event\0"
SECONDS = 120


def tell(pipe: int, *event: object) -> None:
    """Writes one event between two marks."""
    os.write(pipe, MARK + repr(event).encode("utf-8", "backslashreplace") + MARK)


def watch(pipe: int) -> None:
    """Tells of every extension that is opened from now on."""
    create = _imp.create_dynamic

    def create_and_tell(spec: Any, *more: Any) -> Any:
        text = None
        try:
            return create(spec, *more)
        except ImportError as error:
            if error.path == spec.origin:  # else the module was loaded, and what it imports itself failed
                text = str(error)
            raise
        finally:
            tell(pipe, "extension", spec.origin, text)

    _imp.create_dynamic = create_and_tell


def chain(error: Any) -> str:
    """The exception, then those that led to it."""
    seen: list[Any] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return " <- ".join(f"{type(each).__name__}: {each}" for each in seen)


def import_all(directory: str, modules: list[str], pipe: int) -> None:
    """Imports one module after the other until one fails."""
    sys.path.insert(0, directory)
    watch(pipe)
    for module in modules:
        try:
            __import__(module)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, a user would see it
            tell(pipe, "import", module, chain(error))
            break
        tell(pipe, "import", module, None)


def answer(line: str) -> str:
    """The line for `line`."""
    directory, *modules = line.split("\t")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        for stream in (0, 1, 2):
            os.dup2(writer, stream)
        signal.alarm(SECONDS)
        import_all(directory, modules, writer)
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        parts = pipe.read().split(MARK)
    status = os.waitpid(pid, 0)[1]
    return repr(
        ([part.decode("utf-8") for part in parts[1::2]], b"".join(parts[::2]).decode("utf-8", "backslashreplace"), status)
    )


def main() -> None:
    """Answers until stdin ends."""
    for line in sys.stdin:
        sys.stdout.write(answer(line.rstrip("\n")) + "\n")
        sys.stdout.flush()


main()
