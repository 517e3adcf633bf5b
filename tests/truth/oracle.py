"""The oracle: what the real loader of a root says about each object, asked by ctypes in a chroot of that root."""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DRIVER = Path(__file__).with_name("driver.py").read_text(encoding="utf-8")
MARK = "\0report\0"
#: Where the corpus lies inside a root.
MOUNT_POINT = "/x"
PYTHON = "/usr/bin/python3.9"
#: Everything happens in a mount namespace of its own: nothing is left mounted, and concurrent runs do not meet.
ENTER = """
mount --bind -o ro "$2" "$1{mount_point}" && mount -t proc proc "$1/proc" && ulimit -c 0 && exec "$3" -I -S -c "$4" "$@"
""".format(mount_point=MOUNT_POINT)
#: The variables of the loader must not reach any program of this machine, so the environment is made after the chroot.
LAUNCH = """
import os, sys
root, python, environment, arguments = sys.argv[1], sys.argv[5], sys.argv[6].split("\\n"), sys.argv[7:]
os.chroot(root)
os.chdir("/")
os.execve(python, [python, "-I", "-S", "-c", *arguments], dict(item.split("=", 1) for item in environment if item))
"""

Outcome: TypeAlias = Literal["loads", "fails", "crash", "exit", "hang"]
Phase: TypeAlias = Literal["loader", "constructor"]


class OracleError(Exception):
    """The oracle cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What really happened, with `text` spelled as abicheck's `predicted`.

    `phase` tells where a process died: before the loader called the first constructor, or after. A death in a constructor is
    outside the verdict: the object had loaded.
    """

    outcome: Outcome
    text: str | None = None
    phase: Phase | None = None

    @property
    def loads(self) -> bool:
        """True when the loader did its work to the end."""
        return self.outcome == "loads" or self.phase == "constructor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The loader of the root at `root`, with the corpus at `corpus` and the variables `environment`."""

    root: Path
    corpus: Path
    environment: tuple[tuple[str, str], ...] = ()

    def ask(self, paths: Sequence[str], jobs: int = 1) -> dict[str, Observation]:
        """Open each of `paths` in a process of its own and tell what happened."""
        chunks = [paths[start::jobs] for start in range(jobs) if paths[start::jobs]]
        with ThreadPoolExecutor(jobs) as pool:
            answered = {path: found for part in pool.map(self._ask_driver, chunks) for path, found in part}
            dead = [path for path, found in answered.items() if found.outcome in {"crash", "exit", "hang"}]
            for path, phase in zip(dead, pool.map(self._phase, dead), strict=True):
                found = answered[path]
                answered[path] = Observation(outcome=found.outcome, text=found.text, phase=phase)
        return answered

    def _ask_driver(self, paths: Sequence[str]) -> list[tuple[str, Observation]]:
        run = self._enter((), "".join(path + "\n" for path in paths))
        lines = run.stdout.splitlines()
        if len(lines) != len(paths):
            raise OracleError(f"the truth needs root, unshare and mount; {self.root} answered: {run.stderr.strip()[-500:]}")
        return [observe(ast.literal_eval(line)) for line in lines]

    def _phase(self, path: str) -> Phase:
        """Open `path` once more in a fresh process and see whether the loader came to call a constructor."""
        run = self._enter((path,), "", LD_DEBUG="files")
        return "constructor" if "calling init: " in run.stderr.partition(MARK)[2] else "loader"

    def _enter(self, arguments: Iterable[str], text: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = "\n".join(f"{name}={value}" for name, value in (*self.environment, *more.items()))
        script = ["sh", "-c", ENTER, "sh", str(self.root), str(self.corpus), sys.executable, LAUNCH]
        command = ["unshare", "-m", "--propagation", "private", *script, PYTHON, environment, DRIVER, *arguments]
        return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", errors="backslashreplace", check=False)


def require() -> None:
    """Refuse with one clear line where the oracle cannot work."""
    if os.geteuid() != 0:
        raise OracleError("the truth needs root (chroot and mount): run it as root or inside `unshare -r`")
    for program in ("unshare", "mount"):
        if shutil.which(program) is None:
            raise OracleError(f"the truth needs the program `{program}` (package util-linux)")


def observe(answer: tuple[str, str | None, str, int]) -> tuple[str, Observation]:
    """Read one line of the driver's."""
    path, report, output, status = answer
    if report == "ok":
        return path, Observation(outcome="loads")
    if report is not None:
        return path, Observation(outcome="fails", text=report[1:])
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        return path, Observation(outcome="hang" if number == signal.SIGALRM else "crash", text=f"signal: {number.name}")
    return path, Observation(outcome="exit", text=f"exit {os.WEXITSTATUS(status)}: {without_line_number(output.strip())}")


def without_line_number(text: str) -> str:
    """`text` with the line number of an assertion as `*`; it differs between builds of one version."""
    return re.sub(r"^(Inconsistency detected by ld\.so: [^:]+: )\d+:", r"\1*:", text)
