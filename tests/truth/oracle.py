"""The oracle: what the real loader of a root says about each object, asked by ctypes in a chroot of that root."""

from __future__ import annotations

import ast
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from containers.make_root import cache_dir
from tests.truth.roots import MOUNT_POINT, Host, identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DRIVER = Path(__file__).with_name("driver.py").read_text(encoding="utf-8")
PYTHON = ("/usr/bin/python3.9", "-I", "-S", "-c")
#: So many objects are opened by children of one process.
CHUNK = 500
#: Everything happens in a mount namespace of its own: nothing is left mounted, and concurrent runs do not meet.
ENTER = f"""
mount --bind -o ro "$2" "$1{MOUNT_POINT}" && mount -t proc proc "$1/proc" && ulimit -c 0 && exec "$3" -I -S -c "$4" "$@"
"""
NAMESPACE = ("unshare", "-m", "--propagation", "private", "sh", "-c", ENTER, "sh")
#: The variables of the loader must not reach any program of this machine, so the environment is made after the chroot.
LAUNCH = """
import os, sys
root, environment, command = sys.argv[1], sys.argv[5].split("\\n"), sys.argv[6:]
os.chroot(root)
os.chdir("/")
os.execve(command[0], command, dict(item.split("=", 1) for item in environment if item))
"""

Outcome: TypeAlias = Literal["loads", "fails", "crash", "exit", "hang"]
Phase: TypeAlias = Literal["loader", "resolver", "constructor"]


class OracleError(Exception):
    """The oracle cannot run here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What really happened, with `text` spelled as abicheck's `predicted`.

    `phase` tells where a process died: before the loader called the first constructor, or after. A death in a constructor is
    outside the verdict: the object had loaded. One in the resolver of an IFUNC is, too, but the loader had not come to its end.
    Not `stable` is what came out otherwise in a process with other neighbours in memory, or when it was traced: the loader read
    or wrote beyond the object or a table of its own, and nothing about the object says what it met there.
    """

    outcome: Outcome
    text: str | None = None
    phase: Phase | None = None
    stable: bool = True

    @property
    def loads(self) -> bool:
        """True when the loader did its work to the end."""
        return self.outcome == "loads" or self.phase == "constructor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """The loader of `host`, with the corpus at `corpus`."""

    host: Host
    corpus: Path

    def ask(self, paths: Sequence[str], jobs: int) -> dict[str, Observation]:
        """What happens to each of `paths`, from the cache as far as it was asked before."""
        key = "\n".join([identity(self.host.root), DRIVER, ENTER, LAUNCH, *map(str, sorted(self.host.environment.items()))])
        file = cache_dir() / "truth" / "observed" / f"{blake2b(key.encode(), digest_size=12).hexdigest()}.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        asked = [path for path in paths if path not in known]
        if asked:
            known |= {path: asdict(found) for path, found in self._observe(asked, jobs).items()}
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(known, indent=0), encoding="utf-8")
            fresh.replace(file)
        return {path: Observation(**known[path]) for path in paths}

    def _observe(self, paths: Sequence[str], jobs: int) -> dict[str, Observation]:
        with ThreadPoolExecutor(jobs) as pool:
            plain, *others = (dict(map(observe, self._drive(pool, mode, paths))) for mode in ("plain", "fresh", "garbage"))
            dead = [path for path, found in plain.items() if found.outcome not in {"loads", "fails"}]
            traced = dict(map(phase, self._drive(pool, "trace", dead, LD_DEBUG="files")))
        return {
            path: replace(
                found,
                phase=traced[path][0] if path in traced else None,
                stable=all(found == other[path] for other in others) and (path not in traced or traced[path][1]),
            )
            for path, found in plain.items()
        }

    def _drive(self, pool: ThreadPoolExecutor, mode: str, paths: Sequence[str], **more: str) -> Iterator[Any]:
        """Open each of `paths` in a child of a driver, and read what the driver writes."""
        chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
        for chunk, run in zip(chunks, pool.map(lambda chunk: self._enter(mode, chunk, more), chunks), strict=True):
            lines = run.stdout.splitlines()
            if len(lines) != len(chunk):
                said = run.stderr.strip().splitlines() or ["nothing"]
                raise OracleError(f"the loader of {self.host.name} cannot be asked in a chroot; the attempt said: {said[-1]}")
            yield from map(ast.literal_eval, lines)

    def _enter(self, mode: str, paths: Sequence[str], more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        host = replace(self.host, environment={**self.host.environment, **more})
        return enter(host, self.corpus, [*self._runner(), *PYTHON, DRIVER, mode], paths)

    def _runner(self) -> list[str]:
        """The program that runs the root's Python, where this machine cannot."""
        if self.host.arch == platform.machine():
            return []
        qemu = shutil.which(f"qemu-{self.host.arch}-static")
        if qemu is None:
            raise OracleError(f"the loaders of {self.host.arch} need qemu here: apt-get install qemu-user-static")
        inside = self.corpus / Path(qemu).name
        if not inside.exists():
            shutil.copy(qemu, inside)
        return [f"{MOUNT_POINT}/{inside.name}"]


def enter(host: Host, directory: Path, command: Sequence[str], lines: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `command` in the root of `host`, with `directory` at the mount point and `lines` on its stdin."""
    environment = "\n".join(f"{name}={value}" for name, value in host.environment.items())
    start = [*NAMESPACE, str(host.root), str(directory), sys.executable, LAUNCH, environment, *command]
    text = "".join(line + "\n" for line in lines)
    return subprocess.run(start, input=text, capture_output=True, encoding="utf-8", errors="backslashreplace", check=False)


def require() -> None:
    """Refuse with one clear line where the oracle cannot work."""
    if os.geteuid() != 0:
        raise OracleError("the truth needs root (chroot and mount): run it as root")
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


def phase(answer: tuple[str, bool, str | None, int]) -> tuple[str, tuple[Phase, bool]]:
    """Read one line of the driver's in the mode "trace": the phase, and whether the process died at all.

    `file` is "" where no file is mapped, None where it cannot be told.
    """
    path, initialised, file, status = answer
    died = status != 0
    if initialised:
        return path, ("constructor", died)
    if file is None or file.rpartition("/")[2].startswith(("ld-", "libc.so.6", "libc-")):
        return path, ("loader", died)
    return path, ("resolver", died)


def without_line_number(text: str) -> str:
    """`text` with the line number of an assertion as `*`; it differs between builds of one version."""
    return re.sub(r"^(Inconsistency detected by ld\.so: [^:]+: )\d+:", r"\1*:", text)
