"""Runs a command with a container engine that works: `python containers/with_engine.py docker|podman -- COMMAND…`.

Docker: where no daemon answers, one of this run's own is started, which leaves the network of the machine alone, and stopped
afterwards. Podman: where the machine forbids what it asks for, files of settings are written for this run. The images stay in
the cache, nothing else stays. The exit code is the command's.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from containers.make_root import cache_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

#: How long the daemon may take to come up, and to go, in seconds.
UP, DOWN = 30.0, 20.0
#: The capability to raise limits above those of this process (capabilities(7)).
CAP_SYS_RESOURCE = 24
#: Nothing of the host's network is touched: containers have none, and builds use the host's.
NO_NETWORK = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none")
INITS = ("/usr/libexec/podman/catatonit", "/usr/bin/catatonit", "/usr/bin/tini-static", "/usr/bin/docker-init")


class StartError(Exception):
    """The engine cannot be made to work; the message says why and what to do."""


@contextmanager
def docker() -> Iterator[dict[str, str]]:
    """The variables with which the client `docker` works."""
    if shutil.which("docker") is None:
        raise StartError("docker is not installed: apt-get install docker.io")
    if _answers({}):
        yield {}
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        raise StartError("no Docker daemon answers and none can be started: start it, or install dockerd and run this as root")
    with _locked("docker") as folder, tempfile.TemporaryDirectory(prefix="abicheck-docker-") as work:
        variables = {"DOCKER_HOST": f"unix://{work}/socket"}
        with Path(work, "log").open("w+b") as log:
            daemon = subprocess.Popen(
                [
                    # One that outlived this run would hold the images.
                    *(("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()),
                    *("dockerd", f"--host={variables['DOCKER_HOST']}", f"--data-root={folder}", *NO_NETWORK),
                    *(f"--exec-root={work}/exec", f"--pidfile={work}/pid"),
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the command; the daemon is needed until that has cleaned up
            )
            try:
                _wait_for(daemon, variables, Path(work, "log"))
                yield variables
            finally:
                _stop(daemon)
                _unmount(Path(work))


def _answers(variables: Mapping[str, str]) -> bool:
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        run = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, timeout=10, check=False)
        return run.returncode == 0
    return False


def _wait_for(daemon: subprocess.Popen[bytes], variables: Mapping[str, str], log: Path) -> None:
    until = time.monotonic() + UP
    while not _answers(variables):
        if daemon.poll() is not None or time.monotonic() > until:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"]
            raise StartError(f"dockerd did not come up; it said: {lines[-1]}")
        time.sleep(0.1)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        daemon.wait(DOWN)
        return
    os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()


def _unmount(folder: Path) -> None:
    """What a daemon that was killed leaves mounted would keep its folder from being removed."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    for place in reversed([each for each in mounts if each.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)


@contextmanager
def podman() -> Iterator[dict[str, str]]:
    """The variables with which the program `podman` works."""
    if shutil.which("podman") is None:
        raise StartError("podman is not installed: apt-get install podman catatonit")
    settings = needed_settings()
    if not settings:
        yield {}
        return
    with _locked("podman") as folder, tempfile.TemporaryDirectory(prefix="abicheck-podman-") as work:
        running = _runtime_folder(folder)
        settings["engine"] = [*settings.get("engine", []), f'tmp_dir = "{running}/libpod"']
        tables = "\n".join(f"[{table}]\n" + "".join(f"{line}\n" for line in lines) for table, lines in settings.items())
        Path(work, "containers.conf").write_text(tables, encoding="utf-8")
        storage = f'[storage]\ndriver = "overlay"\nrunroot = "{running}"\ngraphroot = "{folder}"\n'
        Path(work, "storage.conf").write_text(storage, encoding="utf-8")
        variables = {"CONTAINERS_CONF": f"{work}/containers.conf", "CONTAINERS_STORAGE_CONF": f"{work}/storage.conf"}
        try:
            yield variables
        finally:
            remove = ["podman", "rm", "--all", "--force"]
            subprocess.run(remove, env={**os.environ, **variables}, capture_output=True, check=False)
            _unmount(running)
            shutil.rmtree(running, ignore_errors=True)


def _runtime_folder(folder: Path) -> Path:
    """Where Podman notes what runs: always the same, for the images' database holds its name, and gone after a restart."""
    base = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base, f"abicheck-podman-{blake2b(bytes(folder), digest_size=4).hexdigest()}")


def needed_settings() -> dict[str, list[str]]:
    """The tables of containers.conf(5) that this machine needs; none where Podman works as it is installed."""
    containers, engine = [], []
    effective = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    if os.geteuid() == 0 and not int(effective.split()[1], 16) >> CAP_SYS_RESOURCE & 1:
        # Podman asks for 1048576 of each.
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        values = {name: _below(resource.getrlimit(number)[1]) for name, number in limits.items()}
        containers.append(f"default_ulimits = [{', '.join(f'{chr(34)}{name}={n}:{n}{chr(34)}' for name, n in values.items())}]")
    if Path("/sys/fs/cgroup/unified/cgroup.controllers").exists() and shutil.which("runc"):
        engine.append('runtime = "runc"  # crun refuses cgroups of both versions side by side')
    if not Path("/run/systemd/system").exists():
        engine += ['events_logger = "file"', 'cgroup_manager = "cgroupfs"']
    if not any(map(os.path.exists, INITS[:2])):
        found = [f'init_path = "{path}"' for path in INITS[2:] if os.path.exists(path)][:1]
        containers += found  # its place until 4.x
        engine += found
    return {name: lines for name, lines in (("containers", containers), ("engine", engine)) if lines}


def _below(hard: int) -> int:
    """A limit that is allowed: at the hard limit itself some kernels' count of processes is over it already."""
    return 4096 if hard == resource.RLIM_INFINITY else min(4096, hard // 2)


@contextmanager
def _locked(name: str) -> Iterator[Path]:
    """The folder where an engine keeps its images, which only one run uses at a time."""
    folder = cache_dir() / "engines" / name
    folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"with_engine: waits for another run that uses {folder}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def run(command: list[str], variables: Mapping[str, str]) -> int:
    """Run the command to its end, hand it the signals that come here, and return its exit code, 128 + N for signal N."""
    try:
        process = subprocess.Popen(command, env={**os.environ, **variables})
    except OSError as error:
        raise StartError(f"{command[0]} cannot be run: {error.strerror}") from error

    def hand_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches the command by itself
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, hand_on)
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
        code = process.wait()
        _leave_in_order()
    return code if code >= 0 else 128 - code


def _leave_in_order() -> None:
    """Let every signal leave the blocks of this program one by one; a second Ctrl-C must not keep the engine from stopping."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise_exit)


def _raise_exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def main(arguments: list[str] | None = None) -> int:
    """Run the command of the command line with the engine that it names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    engines = {"docker": docker, "podman": podman}
    parser.add_argument("engine", choices=engines)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND…")
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("name a command to run")
    _leave_in_order()
    try:
        with engines[options.engine]() as variables:
            return run(command, variables)
    except (StartError, OSError) as error:
        print(f"with_engine: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
