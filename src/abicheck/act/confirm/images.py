"""The images of a matrix's hosts, and their root file systems, which predictions are made for."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import EngineError

if TYPE_CHECKING:
    from abicheck.act.engine import Engine
    from abicheck.model.confirm import Matrix, MatrixHost


class Prepared(NamedTuple):
    """A host that is ready: its image in the engine (None where nothing is run in a container), its root on this machine."""

    image: str | None
    root: str


class Preparer:
    """Makes what the hosts of a matrix need and that is not there yet, below `directory`.

    A host's image is made by the matrix's Dockerfile from its official image; where no registry has that, from a base that the
    matrix's script makes of Debian packages. Raises `EngineError` for whatever fails.
    """

    def __init__(self, matrix: Matrix, engine: Engine | None, directory: str) -> None:
        self._matrix = matrix
        self._engine = engine
        self._directory = directory
        self._unreachable = ""

    def prepare(self, host: MatrixHost) -> Prepared:
        """The host's image and root, made now if they are not there."""
        if host.kind == "emulated":
            return Prepared(None, self._unpacked(host))
        engine = self._engine
        assert engine is not None
        image = f"abicheck-confirm/{host.name.lower()}:{self._key(host)}"
        identity = engine.image_id(image) or self._build(engine, host, image)
        root = os.path.join(self._directory, "roots", f"{host.name}-{identity.removeprefix('sha256:')[:12]}")
        if not os.path.isdir(root):
            os.makedirs(os.path.dirname(root), exist_ok=True)
            engine.export(image, Path(root))
        return Prepared(image, root)

    def _key(self, host: MatrixHost) -> str:
        """What an image is made of, in short."""
        digest = hashlib.blake2b(repr((host.image, host.base)).encode(), digest_size=6)
        for file in (self._matrix.dockerfile, self._matrix.base_script):
            if file is not None:
                digest.update(_content(file))
        return digest.hexdigest()

    def _build(self, engine: Engine, host: MatrixHost, image: str) -> str:
        dockerfile = self._matrix.dockerfile
        if dockerfile is None:
            raise EngineError("its matrix names no dockerfile; add one", host.name)
        with tempfile.TemporaryDirectory() as context:
            if host.image is not None and not self._unreachable:
                pulled = engine.pull(host.image)
                if pulled:
                    return engine.build(Path(context), Path(dockerfile), image, {"BASE": host.image}, "installed")
                if not host.base:
                    raise EngineError(f"its image {host.image} cannot be pulled ({pulled.reason}); give it a base", host.name)
                self._unreachable = pulled.reason
            if not host.base:
                raise EngineError(f"no registry can be reached ({self._unreachable}); give it a base", host.name)
            base = f"abicheck-confirm/base-{host.name.lower()}:{self._key(host)}"
            engine.load_base(self._base(host), base)
            return engine.build(Path(context), Path(dockerfile), image, {"BASE": base}, "made")

    def _base(self, host: MatrixHost) -> Path:
        """The tar of a root made of Debian packages."""
        script = self._matrix.base_script
        if script is None:
            raise EngineError("its matrix names no base_script; add one, or an image", host.name)
        tar = Path(self._directory, "bases", f"{host.name}-{self._key(host)}.tar")
        if not tar.exists():
            tar.parent.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, script, *host.base, str(tar)]
            done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603
            if done.returncode != 0:
                said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                raise EngineError(f"{os.path.basename(script)} cannot make its base: {said}", host.name)
        return tar

    def _unpacked(self, host: MatrixHost) -> str:
        """The root directory of a base that no engine runs."""
        root = os.path.join(self._directory, "roots", f"{host.name}-{self._key(host)}")
        if not os.path.isdir(root):
            tar = self._base(host)
            os.makedirs(os.path.dirname(root), exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=os.path.dirname(root)) as temporary:
                work = os.path.join(temporary, "root")
                os.mkdir(work)
                command = ["tar", "-x", "-f", str(tar), "-C", work, "--no-same-owner", "--exclude=./dev/*"]
                done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 -- tar, with our own file
                if done.returncode != 0:
                    said = (done.stderr.strip().splitlines() or ["tar failed"])[-1]
                    raise EngineError(f"its base cannot be unpacked: {said}", host.name)
                os.rename(work, root)
        return root


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise EngineError(f"{error.strerror}; correct the path in the matrix", file) from None
