"""Runs the client program of an engine: bounded in time and output, ended in order, its failures told in one line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING

from abicheck.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abicheck.act.engine.dialect import Dialect

#: An answer of the engine that takes longer, in seconds, never comes.
SECONDS = 120.0
#: How long a client may take to end once it was told to, in seconds.
GRACE = 10.0
#: What is kept of each output, in bytes.
KEPT = 16 << 20
_STOPPED = "stopped before all was done: start again"
_NO_SPACE = re.compile("no space left on device", re.IGNORECASE)
_PREFIX = re.compile(r"^(Error response from daemon: |Error: |error: |docker: |time=\S+ level=\w+ msg=)+")
#: What engines say, and what to do about it. The daemon's absence comes in many words: docker/cli's and Go's net package's.
_NEXT_STEPS = (
    (
        re.compile("permission denied while trying to connect|dial unix .* permission denied", re.IGNORECASE),
        "you have no right to use the daemon's socket: run as root, or join the group that owns it (usermod -aG docker)",
    ),
    (
        re.compile(
            r"cannot connect to (the docker daemon|podman)|error during connect|dial unix|unexpected EOF$|(: |^)EOF$",
            re.IGNORECASE,
        ),
        "its daemon does not answer: start it (systemctl start docker, podman machine start) or set DOCKER_HOST",
    ),
    (
        re.compile("container-init binary not found|stat .*/catatonit", re.IGNORECASE),
        "it has no init program for containers: install catatonit, or set init_path in containers.conf",
    ),
    (
        re.compile("setrlimit|setting rlimit", re.IGNORECASE),
        "this machine does not let it set a container's limits: allow that (cap_sys_resource) or lower them in containers.conf",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client said; `late` if it was ended because its time was over. `seconds` is wall time."""

    returncode: int
    stdout: str
    stderr: str
    seconds: float
    late: bool = False


class Client:
    """The command line of one engine. Once stopped it starts nothing more but what cleans up."""

    def __init__(self, dialect: Dialect, program: str) -> None:
        self.name, self.program = dialect.name, program
        self._daemonless = dialect.daemonless
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self._stopped = False

    def call(
        self,
        arguments: Sequence[str],
        *,
        seconds: float = SECONDS,
        stdout: IO[bytes] | None = None,
        late: Callable[[], float] | None = None,
        hear: Callable[[bytes], object] | None = None,
        cleaning: bool = False,
    ) -> Answer:
        """Run the client and wait for it.

        After `seconds`, `late` is called, which says how many more it gets; then it is ended. An interrupt calls `late`, too.
        `stdout` takes its output instead of the answer; `hear` gets both outputs piece by piece, as they come. Raises
        EngineError where the client cannot be started, and where it does not answer in time and there is no `late`.
        """
        began = time.monotonic()
        with self._started(arguments, stdout, cleaning=cleaning) as process:
            pipes = [_Pipe(pipe, hear) for pipe in (process.stdout, process.stderr) if pipe is not None]
            overdue = self._is_late(process, seconds, late)
            if overdue and late is None:
                raise EngineError(f"no answer to `{arguments[0]}` in {seconds:g} s: restart it", self.name)
            self._end(process)
            texts = [pipe.text() for pipe in pipes]
        return Answer(
            returncode=process.returncode,
            stdout=texts[0] if stdout is None else "",
            stderr=texts[-1],
            seconds=time.monotonic() - began,
            late=overdue,
        )

    @staticmethod
    def _is_late(process: subprocess.Popen[bytes], seconds: float, late: Callable[[], float] | None) -> bool:
        """Wait for a client; true if it took longer than `seconds`."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            if late:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(late())
            return True
        except BaseException:
            if late:
                with suppress(EngineError):
                    late()
            raise
        return False

    def must(self, arguments: Sequence[str], *, seconds: float = SECONDS, cleaning: bool = False) -> Answer:
        """Run the client; raises EngineError where it fails."""
        answer = self.call(arguments, seconds=seconds, cleaning=cleaning)
        if answer.returncode:
            raise self.failure(answer.stderr or answer.stdout)
        return answer

    def failure(self, text: str) -> EngineError:
        """The error for what a failing client said, with the next step where one is known."""
        if self._stopped:
            return EngineError(_STOPPED, self.name)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if any(_NO_SPACE.search(line) for line in lines):
            message = f"no space left on the device where {self.name} keeps its data: free some ({self.name} system prune)"
            return EngineError(message, self.name)
        for pattern, step in _NEXT_STEPS:
            if any(pattern.search(line) for line in lines):
                return EngineError(step, self.name)
        last = _PREFIX.sub("", lines[-1]) if lines else "it failed and said nothing"
        return EngineError(last, self.name)

    def stop(self) -> None:
        """Start no more clients."""
        with self._lock:
            self._stopped = True

    def check(self) -> None:
        """Raises EngineError once stopped: what a program did then is no observation."""
        if self._stopped:
            raise EngineError(_STOPPED, self.name)

    def end(self) -> None:
        """End every client that runs."""
        with self._lock:
            running = list(self._running)
        for process in running:
            self._end(process)

    @contextmanager
    def _started(
        self, arguments: Sequence[str], stdout: IO[bytes] | None, *, cleaning: bool
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A running client in a session of its own, where no Ctrl-C reaches it; it ends with the block."""
        environ = {**os.environ, "LC_ALL": "C", "DOCKER_BUILDKIT": "0", "DOCKER_CLI_HINTS": "false"}
        with self._lock:
            if not cleaning:
                self.check()
            try:
                process = subprocess.Popen(  # noqa: S603 # the engine's client, no shell
                    [self.program, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=stdout or subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environ,
                    start_new_session=True,
                )
            except OSError as error:
                raise EngineError(f"{self.program} cannot be run ({error.strerror}): install it anew", self.name) from error
            self._running.add(process)
        try:
            yield process
        finally:
            self._end(process)
            with self._lock:
                self._running.discard(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a client to end, and make it.

        Podman's builds leave everything behind on any signal, also a running program; they clean up where that program fails.
        """
        if process.poll() is not None:
            return
        if self._daemonless:
            until = time.monotonic() + GRACE
            while process.poll() is None and time.monotonic() < until and _kill_leaves(process.pid):
                time.sleep(0.1)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
                return


class _Pipe:
    """Reads a pipe to its end and keeps the beginning, so that no program waits or fills the memory."""

    def __init__(self, pipe: IO[bytes], hear: Callable[[bytes], object] | None) -> None:
        self._pipe, self._hear, self._kept = pipe, hear, bytearray()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while piece := self._pipe.read1(1 << 16):  # type: ignore[attr-defined] # a BufferedReader
                self._kept += piece[: KEPT - len(self._kept)]
                if self._hear:
                    self._hear(piece)

    def text(self) -> str:
        # What a client has left behind may hold the pipe.
        self._thread.join(GRACE)
        return self._kept.decode("utf-8", "backslashreplace")


def _kill_leaves(pid: int) -> bool:
    """Kill the processes below `pid` that have no children; false if nothing runs below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_bytes().rpartition(b")")[2].split()[1])
    below, wave = set[int](), {pid}
    while wave:
        wave = {child for child, parent in parents.items() if parent in wave}
        below |= wave
    for leaf in below - set(parents.values()):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(leaf, signal.SIGKILL)
    return bool(below)
