"""The labels on all that is made in an engine, and whether the process that made it is still alive."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

#: On everything that is made in an engine.
MARK = "org.abicheck.confirm=1"
#: Names the process that made it.
OWNER = "org.abicheck.owner"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def _boot_id() -> str:
    """One id for each time that this machine started; "" where the system has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process of this machine began, in clock ticks since the start (field 22 of proc(5)'s stat); None if it is gone."""
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except OSError:
            pass
        return ""
    try:
        # The program's name, in parentheses, may hold anything. A zombie has ended, though its parent does not know yet.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] == b"Z" else fields[19].decode("ascii")


def owner() -> str:
    """The owner that this process is, as in the owner's label: `HOST:BOOT-ID:PID:START`."""
    return f"{platform.node()}:{_boot_id()}:{os.getpid()}:{_started(os.getpid()) or ''}"


def is_gone(label: str) -> bool:
    """Whether the process of an owner's label has certainly ended; of another machine's this cannot be known."""
    parts = label.rsplit(":", 3)
    if len(parts) != 4 or not parts[2].isdigit():
        return False
    host, boot, pid, start = parts
    if host != platform.node():
        return False
    return boot != _boot_id() or _started(int(pid)) != start
