"""What is asked of an engine and what it answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use: seconds of wall time, MiB of memory (no swap), processes and threads, open files."""

    seconds: float = 60.0
    memory: int = 2048
    processes: int = 256
    open_files: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    r"""How a program in a container ended.

    `returncode` is 128 + N where signal N killed it; one that met its limit of memory, or was stopped at its limit of time
    (`timed_out`), has 137. `stdout` and `stderr` hold their first 16 MiB each, bytes that are no UTF-8 as `\xNN`. `seconds` is
    wall time and includes what the engine needs to start and to end a container.
    """

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """Whether an image was pulled: true, or false with the reason in one line."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason
