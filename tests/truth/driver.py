"""Opens objects with the real loader, one forked child each; runs inside a root, on any Python 3.6 or later.

It reads one path a line and writes, for each, one line `repr((path, report, output, status))`: `report` is "ok", "E" with the
loader's text, or None where the child did not live to tell; `output` is what the child wrote to stdout and stderr; `status` is as
from waitpid. Of several paths with tabs between them, all are opened and the last one counts.

In the mode "plain" nothing is done before that. In the mode "zeros" or "garbage" unreadable pages lie where the object would have
had neighbours in memory, and the heap was used for such bytes before. In the mode "trace", with LD_DEBUG=files, the lines are
`repr((path, initialised, file))`: whether the loader called a constructor, and in whose code the child was when a signal came.

ctypes is imported before the fork, so every child starts with `_ctypes` and its libffi loaded. Only modules that are compiled
into Debian's python3.9 are imported beside it, so nothing else is loaded.
"""

import ctypes
import fcntl
import os
import signal
import sys

RTLD_NOW = 2
RTLD_LOCAL = 0
MARK = b"\0report\0"
SECONDS = 60
PAGE = 4096
BIG = 100000
FILLINGS = {"zeros": 0x00, "garbage": 0x5A}
MAP_PRIVATE, MAP_ANONYMOUS = 2, 32
PTRACE_TRACEME, PTRACE_CONT, PTRACE_GETREGS = 0, 7, 12
F_SETPIPE_SZ = 1031
#: Of the registers of x86-64, as PTRACE_GETREGS gives them, this one is the instruction pointer.
RIP = 16


def prepare(path: str) -> str:
    """Opens all paths but the last, which is returned."""
    *before, last = path.split("\t")
    for each in before:
        open_and_report(each)
    return last


def open_and_report(path: str) -> bytes:
    """What ctypes says about opening `path`; a crash in it is the parent's to see."""
    try:
        ctypes.CDLL(path, RTLD_NOW | RTLD_LOCAL)
    except OSError as error:
        return b"E" + (os.fsencode(str(error)) or text_of_failure(path))
    return b"ok"


def text_of_failure(path: str) -> bytes:
    """The text itself: ctypes drops one that is no UTF-8."""
    libc = ctypes.CDLL(None)
    libc.dlerror.restype = ctypes.c_char_p
    libc.dlopen(os.fsencode(path), RTLD_NOW | RTLD_LOCAL)
    return libc.dlerror() or b""


def guard() -> None:
    """Fills the gaps between the mappings, the small ones page by page, and puts a wide guard below all of them."""
    mmap = ctypes.CDLL(None).mmap
    mmap.restype = ctypes.c_void_p
    mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    for size in [PAGE * 256] * 64 + [PAGE * 16] * 128 + [PAGE] * 512 + [PAGE * 4096]:
        mmap(None, size, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)


def use_heap(filling: int) -> None:
    """Uses up what is free in the heap, fills blocks of many sizes behind it with `filling` and frees those.

    What is allocated next then lies among such bytes.
    """
    malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
    malloc.restype = ctypes.c_void_p
    malloc.argtypes, free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
    end = malloc(BIG)
    blocks = [(malloc(size), size) for size in range(16, 4096, 16) for _ in range(20)]
    blocks = [(block, size) for block, size in blocks if block > end] + [(malloc(BIG), BIG) for _ in range(40)]
    for block, size in blocks:
        ctypes.memset(block, filling, size)
    for block, _ in blocks[:-1]:  # the last one stays, or the heap would shrink
        free(block)


def redirect(pipe: int) -> None:
    """Puts stdin, stdout and stderr on `pipe`, and sets a time limit."""
    for stream in (0, 1, 2):
        os.dup2(pipe, stream)
    signal.alarm(SECONDS)


def read_all(pipe: int) -> bytes:
    """Everything that is written to `pipe` until its last writer closes it."""
    parts = [b""]
    while True:
        part = os.read(pipe, 65536)
        if not part:
            os.close(pipe)
            return b"".join(parts)
        parts.append(part)


def answer(path: str) -> str:
    """The line for `path`."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        redirect(writer)
        os.write(2, MARK + open_and_report(prepare(path)))
        os._exit(0)
    os.close(writer)
    output, mark, report = read_all(reader).partition(MARK)
    status = os.waitpid(pid, 0)[1]
    told = report.decode("utf-8", "backslashreplace") if mark else None
    return repr((path, told, output.decode("utf-8", "backslashreplace"), status))


def trace(path: str) -> str:
    """The line for `path` in the mode "trace": opened in a child under ptrace."""
    libc = ctypes.CDLL(None)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 1 << 20)  # nobody reads while the child runs
    pid = os.fork()
    if pid == 0:
        redirect(writer)
        last = prepare(path)
        libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.write(2, MARK)
        open_and_report(last)
        os._exit(0)
    os.close(writer)
    registers = (ctypes.c_ulong * 27)()
    file = None
    status = os.waitpid(pid, 0)[1]
    while os.WIFSTOPPED(status):
        libc.ptrace(PTRACE_GETREGS, pid, None, ctypes.addressof(registers))
        file = file_at(pid, registers[RIP])
        libc.ptrace(PTRACE_CONT, pid, None, os.WSTOPSIG(status))
        status = os.waitpid(pid, 0)[1]
    return repr((path, b"calling init: " in read_all(reader).partition(MARK)[2], file))


def file_at(pid: int, address: int) -> str:
    """The file that the process has mapped at `address`, "" where there is none."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            start, _, end = line.split()[0].partition("-")
            if int(start, 16) <= address < int(end, 16):
                return line[73:].rstrip("\n")
    return ""


def main() -> None:
    """Answers until stdin ends."""
    mode = sys.argv[1]
    if mode in FILLINGS:
        guard()
        use_heap(FILLINGS[mode])
    for line in sys.stdin:
        path = line.rstrip("\n")
        sys.stdout.write((trace(path) if mode == "trace" else answer(path)) + "\n")
        sys.stdout.flush()


main()
