"""Opens objects with the real loader, one forked child each; runs inside a root, on any Python 3.6 or later.

It reads one path a line and writes, for each, one line `repr((path, report, output, status))`: `report` is "ok", "E" with the
loader's text, or None where the child did not live to tell; `output` is what the child wrote to stdout and stderr; `status` is as
from waitpid. ctypes is imported before the fork, so every child starts with `_ctypes` and its libffi loaded. Only modules that
are compiled into Debian's python3.9 are imported beside it, so nothing else is loaded.
"""

import ctypes
import os
import signal
import sys

RTLD_NOW = 2
RTLD_LOCAL = 0
MARK = b"\0report\0"
SECONDS = 60


def open_and_report(path: str) -> bytes:
    """What ctypes says about opening `path`; a crash in it is the parent's to see."""
    try:
        ctypes.CDLL(path, RTLD_NOW | RTLD_LOCAL)
    except OSError as error:
        return b"E" + os.fsencode(str(error))
    return b"ok"


def child(path: str, pipe: int) -> None:
    """Opens `path` with stdin, stdout and stderr on `pipe` and writes the report there."""
    for stream in (0, 1, 2):
        os.dup2(pipe, stream)
    signal.alarm(SECONDS)
    os.write(2, MARK + open_and_report(path))
    os._exit(0)


def read_all(pipe: int) -> bytes:
    """Everything that is written to `pipe` until its last writer closes it."""
    parts = []
    while True:
        part = os.read(pipe, 65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def answer(path: str) -> str:
    """The line for `path`."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(path, writer)
    os.close(writer)
    written = read_all(reader)
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    output, mark, report = written.partition(MARK)
    told = report.decode("utf-8", "backslashreplace") if mark else None
    return repr((path, told, output.decode("utf-8", "backslashreplace"), status))


def main() -> None:
    """Answers until stdin ends; with an argument, opens that path in this very process (for LD_DEBUG)."""
    if len(sys.argv) > 1:
        os.write(2, MARK)
        os.write(1, open_and_report(sys.argv[1]))
        return
    for line in sys.stdin:
        sys.stdout.write(answer(line.rstrip("\n")) + "\n")
        sys.stdout.flush()


main()
