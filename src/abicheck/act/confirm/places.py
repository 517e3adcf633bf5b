"""Where the probe can run: this machine, a container, and a foreign processor that is emulated."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from abicheck.act.confirm.observe import PROBE, Ended, run_here
from abicheck.act.engine import Limits
from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.act.confirm.bytecode import Bytecode
    from abicheck.act.engine import Engine
    from abicheck.model.confirm import Speech

#: Where what is mounted lies in a container.
SITE = "/x/site"
_PROBE = "/x/probe.py"
_MODEL = "/x/model"
_AUDIO = "/x/audio"
_BYTECODE = "/x/bytecode"


class Here:
    """The machine that abicheck runs on, with the environment of its process."""

    launcher: tuple[str, ...] = ()

    def inside(self, path: str) -> str:
        """The path as it is."""
        return path

    def run(self, argv: Sequence[str], seconds: float) -> Ended:
        """Run a program as a child."""
        return run_here(argv, seconds)

    def by_hand(self, argv: Sequence[str], path: Sequence[str], settings: Mapping[str, str]) -> str:
        """The command itself."""
        where = {"PYTHONPATH": os.pathsep.join(path)} if path else {}
        return " ".join([*_assignments({**settings, **where}), shlex.join(argv)])


class Emulated:
    """The root file system of another architecture in a directory, its programs run by qemu's user emulation.

    Raises `AbicheckError` where that is not installed.
    """

    def __init__(self, root: str, arch: str, python: str) -> None:
        program = next(filter(None, map(shutil.which, (f"qemu-{arch}-static", f"qemu-{arch}"))), None)
        if program is None:
            raise AbicheckError(f"programs for {arch} cannot be run here; apt-get install qemu-user-static", arch)
        self.launcher: tuple[str, ...] = (program, "-L", root, root + python)

    def inside(self, path: str) -> str:
        """The path as it is: qemu looks below the root first, and then here."""
        return path

    def run(self, argv: Sequence[str], seconds: float) -> Ended:
        """Run the probe with this machine's Python, which starts the other one itself."""
        return run_here([sys.executable, *argv[1:]], seconds)

    def by_hand(self, argv: Sequence[str], path: Sequence[str], settings: Mapping[str, str]) -> str:
        """The command with the emulator in front."""
        where = {**settings, "PYTHONPATH": os.pathsep.join(path)}
        return " ".join([*_assignments(where), shlex.join([*self.launcher, *argv[1:]])])


class InContainer:
    """A fresh container of an image, without network, with a site-packages directory, its bytecode, and what is to be heard."""

    launcher: tuple[str, ...] = ()

    def __init__(
        self, engine: Engine, image: str, site: str, speech: Speech | None = None, bytecode: Bytecode | None = None
    ) -> None:
        self._engine = engine
        self._image = image
        self._paths = {site: SITE, PROBE: _PROBE}
        if bytecode is not None and bytecode.made:
            self._paths[bytecode.path] = _BYTECODE
        if speech is not None:
            self._paths[speech.model] = _MODEL
            for number, clip in enumerate(speech.clips):
                self._paths[clip.audio] = f"{_AUDIO}/{number}{os.path.splitext(clip.audio)[1]}"

    def inside(self, path: str) -> str:
        """The path at which a file or directory is mounted."""
        return self._paths[path]

    def run(self, argv: Sequence[str], seconds: float) -> Ended:
        """Run a program in a container of its own."""
        done = self._engine.run(self._image, argv, mounts=tuple(self._paths.items()), limits=Limits(seconds=seconds))
        return Ended(None if done.timed_out else done.returncode, done.stdout, done.stderr, done.seconds)

    def by_hand(self, argv: Sequence[str], path: Sequence[str], settings: Mapping[str, str]) -> str:
        """A container of the same image, without the limits."""
        where = {**settings, "PYTHONPATH": os.pathsep.join(map(self.inside, path))}
        options = [f"--volume={outer}:{inner}:ro" for outer, inner in self._paths.items() if inner == SITE]
        options += [f"--env={name}={value}" for name, value in where.items()]
        return shlex.join([self._engine.name, "run", "--rm", "--network=none", *options, self._image, *argv])


def _assignments(settings: Mapping[str, str]) -> list[str]:
    return [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
