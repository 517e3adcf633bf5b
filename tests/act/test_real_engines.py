"""The same programs in real containers of Docker and of Podman, on a root of make_base: the same results."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine import Engine, Limits
from abicheck.errors import EngineError
from containers.make_base import open_base
from containers.make_root import RootError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from abicheck.act.engine import Completed

pytestmark = pytest.mark.engine

#: Names the engine that must be there; otherwise each is asked that is.
WANTED = os.environ.get("ABICHECK_TEST_ENGINE")
BASE = "abicheck/test-base"
PYTHON = "/usr/bin/python3.9"
DOCKERFILE = Path("containers/Dockerfile").resolve()
SLEEP = """ARG BASE
FROM ${BASE}
ARG ABICHECK_OWNER=""
LABEL org.abicheck.confirm=1 org.abicheck.owner=${ABICHECK_OWNER}
RUN ["/usr/bin/python3.9", "-c", "import time; print('begun', flush=True); time.sleep(600.25)"]
"""


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if WANTED not in (None, request.param):
        pytest.skip(f"{WANTED} is asked for")
    try:
        found = Engine.find(request.param)
        found.load_base(open_base("glibc-2.36"), BASE)
        found.clear()  # what runs that were killed have left
    except (EngineError, RootError) as error:
        if WANTED:
            raise
        pytest.skip(str(error))
    return found


@pytest.fixture(autouse=True)
def nothing_left(engine: Engine) -> Iterator[None]:
    """No test leaves a container, a half-made image or a program behind."""
    before = _everything(engine)
    yield
    assert _everything(engine) == before


def _everything(engine: Engine) -> tuple[list[str], list[str]]:
    external = ["--external"] if engine.name == "podman" else []
    commands = (["ps", "--all", "--quiet", *external], ["image", "ls", "--quiet", "--filter=dangling=true"])
    found = [subprocess.run([engine.program, *each], capture_output=True, text=True, check=True).stdout for each in commands]
    return found[0].split(), found[1].split()


def python(engine: Engine, program: str, **more: object) -> Completed:
    return engine.run(BASE, [PYTHON, "-I", "-S", "-c", program], **more)  # type: ignore[arg-type]


def test_what_a_program_sees(engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in (tmp_path, tmp_path / "a,b:c"):
        name.mkdir(exist_ok=True)
        (name / "file").write_text("lent")
    program = (
        "import os, socket, sys\n"
        "print(os.getuid(), os.getgid(), os.getcwd(), socket.gethostname(), os.environ['A'], os.environ['HOME'])\n"
        "print(open('/x/file').read(), open('/y/file').read(), os.listdir('/sys/class/net'), sys.stdin.read())\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'NoNewPrivs'))])\n"
        "print('said', file=sys.stderr)"
    )
    mounts = [(str(tmp_path), "/x"), (f"{tmp_path}/a,b:c", "/y")]
    found = python(engine, program, mounts=mounts, environ={"A": "b c=d"})
    expected = "1000 1000 /tmp abicheck b c=d /tmp\nlent lent ['lo'] \n['0000000000000000', '1']\n"
    assert (found.returncode, found.stdout, found.stderr) == (0, expected, "said\n")


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("/file", "Read-only file system"),
        ("/run/file", "No such file or directory"),
        ("/var/file", "Read-only file system"),
        ("/x/file", "Read-only file system"),
    ],
)
def test_nothing_but_tmp_can_be_written_to(place: str, error: str, engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = python(engine, f"open('/tmp/file', 'w').close(); open({place!r}, 'w')", mounts=[(str(tmp_path), "/x")])
    assert found.returncode == 1
    assert error in found.stderr or "Read-only file system" in found.stderr


def test_no_network(engine: Engine) -> None:
    found = python(engine, "import socket; socket.create_connection(('192.0.2.1', 80), 5)")
    assert "OSError: [Errno 101] Network is unreachable" in found.stderr


@pytest.mark.parametrize("code", [0, 3, 125, 126, 127])
def test_exit_codes(code: int, engine: Engine) -> None:
    assert python(engine, f"raise SystemExit({code})").returncode == code


@pytest.mark.parametrize(
    ("name", "code"), [("SIGABRT", 134), ("SIGSEGV", 139), ("SIGBUS", 135), ("SIGTERM", 143), ("SIGKILL", 137)]
)
def test_signals(name: str, code: int, engine: Engine) -> None:
    # Process 1 would be spared.
    found = python(engine, f"import os, signal; os.kill(os.getpid(), signal.{name})")
    assert (found.returncode, found.timed_out) == (code, False)
    assert python(engine, "import os; os.abort()").returncode == 134


def test_too_much_memory(engine: Engine) -> None:
    assert python(engine, "bytearray(100 << 20)", limits=Limits(memory=256)).returncode == 0
    assert python(engine, "bytearray(1 << 30)", limits=Limits(memory=256)).returncode == 137


def test_too_many_processes(engine: Engine) -> None:
    program = (
        "import os, time\nfor number in range(1, 50):\n  print(number, flush=True)\n  os.fork() or (time.sleep(60), os._exit(0))"
    )
    found = python(engine, program, limits=Limits(processes=5, seconds=30))
    assert found.stdout == "1\n2\n3\n4\n5\n"
    assert "BlockingIOError: [Errno 11]" in found.stderr


def test_too_many_files(engine: Engine) -> None:
    found = python(
        engine, "files = [open('/') if 0 else open('/usr/bin/python3.9') for _ in range(64)]", limits=Limits(open_files=64)
    )
    assert "OSError: [Errno 24] Too many open files" in found.stderr


def test_too_much_time(engine: Engine) -> None:
    # A program that lets itself not be asked to end.
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('begun', flush=True); time.sleep(600)"
    began = time.monotonic()
    found = python(engine, program, limits=Limits(seconds=2))
    assert (found.returncode, found.stdout, found.timed_out) == (137, "begun\n", True)
    assert 2 <= found.seconds <= time.monotonic() - began < 15


def test_odd_output(engine: Engine) -> None:
    program = "import os; os.write(1, b'\\xff\\x00\\n'); os.write(2, b'x' * (20 << 20))"
    found = python(engine, program)
    assert (found.stdout, found.stderr) == ("\\xff\x00\n", "x" * (16 << 20))


@pytest.mark.parametrize(("program", "error"), [("/none", "No such file or directory"), ("/usr", "Permission denied")])
def test_no_such_program(program: str, error: str, engine: Engine) -> None:
    with pytest.raises(EngineError, match=rf"{program} cannot be started in {BASE} \({error}\)"):
        engine.run(BASE, [program])


def test_no_such_image(engine: Engine) -> None:
    assert engine.image_id("abicheck/none") is None
    with pytest.raises(EngineError, match="there is no image abicheck/none: load or pull it first"):
        engine.run("abicheck/none", ["/x"])


def test_an_impossible_limit(engine: Engine) -> None:
    with pytest.raises(EngineError):
        python(engine, "", limits=Limits(open_files=1 << 40))


def test_no_registry(engine: Engine) -> None:
    began = time.monotonic()
    pulled = engine.pull("registry.invalid/none:1")
    assert (bool(pulled), "\n" in pulled.reason) == (False, False)
    assert pulled.reason
    assert time.monotonic() - began < 30


def test_unpacking(engine: Engine, tmp_path: Path) -> None:
    engine.export(BASE, tmp_path / "root")
    root = tmp_path / "root"
    assert os.readlink(root / "lib") == "usr/lib"
    assert (root / "usr/lib/x86_64-linux-gnu/libc.so.6").exists()
    assert not list((root / "dev").iterdir())
    assert {path.name for path in root.iterdir()} == {
        "bin",
        "dev",
        "etc",
        "lib",
        "lib64",
        "proc",
        "sbin",
        "sys",
        "tmp",
        "usr",
        "var",
    }


def test_building(engine: Engine) -> None:
    for _ in range(2):  # the image of before loses its name and goes
        engine.build(DOCKERFILE.parent, DOCKERFILE, "abicheck/test-made", {"BASE": BASE}, "made")
    run = engine.run("abicheck/test-made", [PYTHON, "-c", "print(1)"])
    assert run.stdout == "1\n"
    assert engine.image_id("abicheck/test-made") != engine.image_id(BASE)


def test_a_build_that_fails(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(SLEEP.replace("time.sleep(600.25)", "raise SystemExit('E: no such package')"))
    with pytest.raises(EngineError, match=rf"^{engine.name}: E: no such package$"):
        engine.build(tmp_path, tmp_path / "Dockerfile", "abicheck/test-failed", {"BASE": BASE})
    assert engine.image_id("abicheck/test-failed") is None


BUILD = "engine.build(Path(sys.argv[2]), Path(sys.argv[2], 'Dockerfile'), 'abicheck/test-stopped', {'BASE': sys.argv[3]})"
RUN = "engine.run(sys.argv[3], ['/usr/bin/python3.9', '-c', 'import time; time.sleep(600.25)'], limits=Limits(seconds=600))"
STOP = "import signal; signal.signal(15, lambda *_: (engine.stop_own(), os._exit(9)))"


@pytest.mark.parametrize("work", [BUILD, RUN], ids=["build", "run"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_work_leaves_nothing(work: str, number: int, engine: Engine, tmp_path: Path) -> None:
    with _process(engine, tmp_path, work) as process:
        _wait_until(lambda: bool(_sleepers()))
        process.send_signal(number)
        assert process.wait(30) != 0
    _wait_until(lambda: not _sleepers())


def test_a_killed_run_is_cleared_by_the_next(engine: Engine, tmp_path: Path) -> None:
    with _process(engine, tmp_path, RUN) as living, _process(engine, tmp_path, RUN) as killed:
        _wait_until(lambda: len(_sleepers()) == 2)
        killed.kill()
        killed.wait()
        assert len(Engine.find(engine.name).clear()) == 1
        _wait_until(lambda: len(_sleepers()) == 1)
        assert Engine.find(engine.name).clear() == []
        assert len(_sleepers()) == 1
        living.terminate()
        living.wait(30)


@contextlib.contextmanager
def _process(engine: Engine, folder: Path, work: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that works with the engine, for as long as the test goes on."""
    (folder / "Dockerfile").write_text(SLEEP)
    program = "import os, sys\nfrom pathlib import Path\nfrom abicheck.act.engine import Engine, Limits\n"
    program += f"engine = Engine.find(sys.argv[1])\n{STOP}\n{work}"
    command = [sys.executable, "-c", program, engine.name, str(folder), BASE]
    with subprocess.Popen(command, text=True, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def _sleepers() -> list[str]:
    """The programs that sleep in containers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[0] == b"/usr/bin/python3.9" and b"600.25" in arguments[2]:
            found.append(path.parent.name)
    return found


def _wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)
