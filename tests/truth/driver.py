"""Opens objects with the real loader, one forked child each; runs inside a root, on any Python 3.6 or later.

It reads one path a line and writes, for each, one line `repr((path, report, output, status))`: `report` is "ok", "E" with the
loader's text, or None where the child did not live to tell; `output` is what the child wrote to stdout and stderr; `status` is as
from waitpid. Of several paths with tabs between them, all are opened and the last one counts.

In the mode "plain" nothing is done before that. In the modes "fresh" and "garbage" every object lies alone, with unreadable
pages around it. What is then allocated comes from the end of the heap, from memory that nobody has used, or it has garbage
within and around it. In the mode "trace", with LD_DEBUG=files, the lines are `repr((path, initialised, file, status))`: whether
the loader called a constructor, and in whose code the child was when a signal came.

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
GARBAGE = 0x5A
MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_FAILED = 2, 32, 0x4000, (1 << 64) - 1
#: In pages. No guard is a multiple of 2 MiB: Linux aligns such a one and leaves a new gap above it (since 6.7).
FILLERS = [255] * 64 + [16] * 128 + [1] * 512
GUARD = 16383
HOLES = [*range(1, 1024), *range(1024, 4097, 64)]
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
    """Fills the gaps between the mappings; below all of them lets holes of all sizes, each among wide guards.

    A mapping goes into the highest hole that is large enough, so each finds one of its own size.
    """
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    for pages in [*FILLERS, sum(HOLES) + GUARD * (len(HOLES) + 1)]:
        start = libc.mmap(None, pages * PAGE, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        if start == MAP_FAILED:
            sys.exit(f"no room for guards of {pages} pages")
    end = start + pages * PAGE
    for hole in HOLES:
        end -= (GUARD + hole) * PAGE
        libc.munmap(end, hole * PAGE)


def use_up_heap() -> None:
    """Takes all that is free in the heap but for its end, which malloc keeps in store."""
    malloc, sbrk = ctypes.CDLL(None).malloc, ctypes.CDLL(None).sbrk
    malloc.restype = sbrk.restype = ctypes.c_void_p
    malloc.argtypes, sbrk.argtypes = [ctypes.c_size_t], [ctypes.c_long]
    before = sbrk(0)
    while sbrk(0) == before:
        end = malloc(BIG)
    for size in range(4088, 8, -16):  # no list: it would lie in the heap itself, and leave a hole there
        while malloc(size) < end:
            pass


def litter_heap() -> None:
    """Fills blocks of many sizes with garbage and frees every second one."""
    malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
    malloc.restype, malloc.argtypes, free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    sizes = [size for size in range(16, 4096, 16) for _ in range(20)] + [BIG] * 40
    blocks = [(malloc(size), size) for size in sizes]
    for block, size in blocks:
        ctypes.memset(block, GARBAGE, size)
    for block, _ in blocks[::2]:
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


def answer(path: str, mode: str) -> str:
    """The line for `path`."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        redirect(writer)
        last = prepare(path)
        if mode == "fresh":
            use_up_heap()
        os.write(2, MARK + open_and_report(last))
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
    return repr((path, b"calling init: " in read_all(reader).partition(MARK)[2], file, status))


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
    if mode != "plain":
        guard()
    if mode == "garbage":
        use_up_heap()
        litter_heap()
    for line in sys.stdin:
        path = line.rstrip("\n")
        sys.stdout.write((trace(path) if mode == "trace" else answer(path, mode)) + "\n")
        sys.stdout.flush()


main()
