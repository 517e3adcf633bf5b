"""The engine: images made and removed, programs run in containers that nobody can reach and that reach nobody."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from os.path import abspath
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from abicheck.act.engine.client import GRACE, Client
from abicheck.act.engine.dialect import DIALECTS, full_name, is_podman, registry_name
from abicheck.act.engine.options import confinement, mount, proxies, reason, unique
from abicheck.act.engine.owner import MARK, OWNER, is_gone, owner
from abicheck.act.engine.store import Store
from abicheck.act.engine.values import Completed, Limits, Pulled
from abicheck.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.act.engine.dialect import Dialect

#: How long it may take to load or unpack an image, and to build one, in seconds.
LOADING, BUILDING = 600.0, 1800.0
#: Debian's names; catatonit is the init program.
_PACKAGES = {"docker": "docker.io", "podman": "podman catatonit"}
#: What tini and catatonit, the init programs of containers, say where the program cannot be started.
_NOT_STARTED = re.compile(r"^(?:\[FATAL tini \(\d+\)\] exec .* failed|ERROR \(catatonit:\d+\): failed to exec pid1): (.*)")


class Engine:
    """Docker or Podman. What is made bears labels that name this process; images that were finished stay, all else goes."""

    #: The engines that there are, the one that is preferred first.
    NAMES = tuple(DIALECTS)

    def __init__(self, dialect: Dialect, program: str) -> None:
        self.name, self.program = dialect.name, program
        self._dialect, self._client = dialect, Client(dialect, program)
        self._store = Store(self._client)
        self._building = Lock()

    @classmethod
    def find(cls, name: str | None = None) -> Engine:
        """The engine called `name`; without a name Docker if its daemon answers, else Podman. Raises EngineError."""
        if name is not None and name not in DIALECTS:
            raise EngineError(f"no such engine: name one of {', '.join(DIALECTS)}", name)
        errors = []
        for dialect in [DIALECTS[name]] if name else DIALECTS.values():
            try:
                return cls._open(dialect)
            except EngineError as error:  # noqa: PERF203 # two rounds
                errors.append(error)
        if len(errors) > 1 and all("not installed" in error.message for error in errors):
            raise EngineError(f"there is no container engine: install {' or '.join(DIALECTS)}")
        raise EngineError("; ".join(map(str, errors)))

    @classmethod
    def _open(cls, dialect: Dialect) -> Engine:
        program = shutil.which(dialect.name)
        if program is None:
            raise EngineError(f"not installed: install it (apt-get install {_PACKAGES[dialect.name]})", dialect.name)
        engine = cls(dialect, program)
        answer = engine._client.call(dialect.probe, seconds=20)
        if is_podman(answer.stdout):
            raise EngineError(f"not installed, {program} is Podman: ask for podman", dialect.name)
        if answer.returncode or not dialect.answers(answer.stdout):
            raise engine._client.failure(answer.stderr)
        return engine

    def image_id(self, image: str) -> str | None:
        """The id (`sha256:…`) of an image that is here: one made here (`NAME` is `localhost/NAME`), one pulled, or an id."""
        found = self._store.image(image)
        return found[1] if found else None

    def load_base(self, tar_path: Path, tag: str) -> str:
        """Make an image of one layer out of a root file system's tar; returns its id. Raises EngineError."""
        if not tar_path.is_file():
            raise EngineError("no such file: make it first", str(tar_path))
        before = self.image_id(full_name(tag))
        self._client.must(
            ["import", *self._dialect.load, f"--change=LABEL {MARK}", abspath(tar_path), full_name(tag)], seconds=LOADING
        )
        return self._replaced(before, tag)

    def pull(self, reference: str, *, patience: float = 20.0, seconds: float = LOADING) -> Pulled:
        """Pull an image; false, with the reason, if the registry does not answer within `patience` s or lacks it."""
        heard = bytearray()

        def late() -> float:
            return seconds if self._dialect.registry_answered.encode() in heard else 0.0

        answer = self._client.call(["pull", registry_name(reference)], seconds=patience, late=late, hear=heard.extend)
        if answer.returncode == 0:
            return Pulled()
        if answer.late:
            return Pulled(f"no answer from the registry of {registry_name(reference)} in {answer.seconds:.0f} s")
        return Pulled(self._client.failure(answer.stderr).message)

    def build(
        self,
        context_dir: Path,
        dockerfile: Path,
        tag: str,
        args: Mapping[str, str],
        target: str | None = None,
        *,
        seconds: float = BUILDING,
    ) -> str:
        """Build an image by a Dockerfile, up to the stage `target`; returns its id.

        `BASE` in `args` is an image that is here. The Dockerfile puts the argument `ABICHECK_OWNER` into the label
        `org.abicheck.owner` of its first stage, so that what is half-made is known. Builds of one engine wait for each other.
        Raises EngineError with the last line that tells why; nothing is left then, nor after an interrupt.
        """
        values = {"ABICHECK_OWNER": owner(), **args}
        if "BASE" in args:
            values["BASE"] = self._store.need_image(args["BASE"])[0]
        # What is finished has no owner: no container of it must be taken for a leftover.
        command = ["build", "--force-rm", "--network=host", *self._dialect.build, f"--label={MARK}", f"--label={OWNER}="]
        command += [f"--file={abspath(dockerfile)}", f"--tag={full_name(tag)}", *proxies()]
        command += [f"--build-arg={name}={value}" for name, value in values.items()]
        command += [f"--target={target}"] if target else []
        output = bytearray()
        with self._building:
            before, done = self.image_id(full_name(tag)), False
            try:
                answer = self._client.call([*command, abspath(context_dir)], seconds=seconds, hear=output.extend)
                done = answer.returncode == 0
            finally:
                if not done:
                    with suppress(EngineError):
                        self._store.remove_images(_is_own)
            if not done:
                raise self._client.failure(reason(output.decode("utf-8", "backslashreplace")))
            return self._replaced(before, tag)

    def save(self, image: str, path: Path) -> None:
        """Write an image that is here into the file `path`, layer by layer; it is not run. Raises EngineError."""
        identity = self._store.need_image(image)[1]
        with path.open("wb") as file:
            answer = self._client.call(["save", identity], seconds=LOADING, stdout=file)
        if answer.returncode:
            raise self._client.failure(answer.stderr)

    def export(self, image: str, directory: Path) -> None:
        """Unpack an image's root file system into `directory`, which appears when it is complete.

        Links stay as they are; `/dev` stays empty, since only root may make device nodes; files belong to this user. Raises
        EngineError, also if `directory` exists.
        """
        if directory.exists():
            raise EngineError("exists: remove it first", str(directory))
        identity, name = self._store.need_image(image)[1], unique("export")
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as work:
            root, archive = Path(work, "root"), Path(work, "root.tar")
            root.mkdir()
            try:
                self._client.must(["create", "--name", name, *_labels(), "--network=none", identity, "/none"])
                with archive.open("wb") as file:
                    answer = self._client.call(["export", name], seconds=LOADING, stdout=file)
            finally:
                with suppress(EngineError):
                    self._store.remove_containers([name])
            if answer.returncode:
                raise self._client.failure(answer.stderr)
            _unpack(archive, root)
            root.rename(directory)

    def run(
        self,
        image: str,
        argv: Sequence[str],
        *,
        mounts: Sequence[tuple[str, str]] = (),
        environ: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        name: str = "run",
    ) -> Completed:
        """Run a program as user 1000 in a new container: no network, nothing but /tmp can be written to.

        `mounts` are (path of this machine, path inside), read only. `name` becomes a part of the container's. The container is
        gone when this returns, and when it is interrupted. Raises EngineError where the engine or the start of the program fails.
        """
        bounds, container = limits or Limits(), unique(name)
        missing = [source for source, _ in mounts if not Path(source).exists()]
        if missing:
            raise EngineError("no such file or directory to mount: name one that exists", missing[0])
        options = [*confinement(bounds), *self._dialect.create, *_labels(), f"--name={container}"]
        options += [mount(source, inside) for source, inside in mounts]
        options += [f"--env={key}={value}" for key, value in {"HOME": "/tmp", **(environ or {})}.items()]  # noqa: S108 # inside
        try:
            self._client.must(["create", *options, f"--entrypoint={argv[0]}", self._store.need_image(image)[1], *argv[1:]])
            answer = self._client.call(
                ["start", "--attach", container],
                seconds=bounds.seconds,
                late=lambda: self._kill(container),
            )
            found = self._store.inspect("container", container)
        finally:
            with suppress(EngineError):  # clear() gets it later; what was the matter must not be hidden
                self._store.remove_containers([container])
        self._client.check()
        if found is None:
            raise EngineError(f"{container} was removed while it ran: run it again", self.name)
        state = found["State"]
        if state.get("Status") not in ("exited", "stopped") or state.get("Error"):
            raise self._client.failure(answer.stderr or str(state.get("Error", "")))
        returncode = int(state["ExitCode"])
        unstarted = returncode and _NOT_STARTED.match(answer.stderr)
        if unstarted:
            raise EngineError(f"{argv[0]} cannot be started in {image} ({unstarted[1]}): choose a program that it has", self.name)
        return Completed(
            returncode=returncode, stdout=answer.stdout, stderr=answer.stderr, seconds=answer.seconds, timed_out=answer.late
        )

    def clear(self) -> list[str]:
        """Remove what processes left behind that are gone: containers and half-made images; returns their ids."""
        return self._store.remove(is_gone)

    def stop_own(self) -> None:
        """End all that this process runs in this engine and remove it; for Ctrl-C and SIGTERM. Nothing can be started after."""
        self._client.stop()
        # First the programs, for whose end most clients wait; then what was being made in the meantime.
        self._store.remove_containers(self._store.labelled("container", _is_own))
        self._client.end()
        self._store.remove(_is_own)

    def _kill(self, container: str) -> float:
        self._client.call(["kill", container], cleaning=True)
        return GRACE

    def _replaced(self, before: str | None, tag: str) -> str:
        """The id of the image that is `tag` now; the one that was is removed if it has no other name."""
        now = self._store.need_image(full_name(tag))[1]
        if before is not None and before != now:
            self._store.forget_image(before)
        return now


def _labels() -> tuple[str, str]:
    return f"--label={MARK}", f"--label={OWNER}={owner()}"


def _is_own(label: str) -> bool:
    return label == owner()


def _unpack(archive: Path, root: Path) -> None:
    """Unpack with tar: it creates no link before all else is there, so that no member is written through one."""
    command = ["tar", "-x", "-f", str(archive), "-C", str(root), "--no-same-owner", "--exclude=dev/*", "--exclude=.dockerenv"]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 # our own arguments
    if run.returncode:
        raise EngineError(f"the image cannot be unpacked: {(run.stderr.strip().splitlines() or ['tar failed'])[-1]}", str(root))
