"""The one place where the truth meets abicheck: what it predicts for a path on one of the truth's hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader import Memo, dlopen, start
from abicheck.read.files import Root, View
from abicheck.read.hosts import open_host
from tests.truth.roots import MOUNT_POINT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.truth.roots import Host

#: What every child of the driver has loaded before it opens anything.
CTYPES = "usr/lib/python3.9/lib-dynload/_ctypes.cpython-39-*.so"


class Predictor:
    """abicheck's view of one host, in the state in which the oracle's children are."""

    def __init__(self, host: Host, corpus: Path) -> None:
        found = open_host(f"rootfs:{host.root}", python="3.9", settings=host.environment)
        assert isinstance(found.files, Root)
        assert found.python is not None
        view = View(directory="/", local="/", only="", places=((MOUNT_POINT, str(corpus)),))
        self._host = found._replace(files=found.files.showing(view))
        self._memo = Memo()
        _, process = start(self._host, found.python.path, self._memo)
        (ctypes,) = host.root.glob(CTYPES)
        _, self._process = dlopen(process, f"/{ctypes.relative_to(host.root)}", self._host, self._memo)

    def predict(self, path: str) -> tuple[str | None, bool, bool]:
        """What abicheck says `dlopen` of `path` will say, None when it loads; and whether it says that it cannot know.

        The third is whether the process is to die late, of relative relocations that the loader does not know.

        Of several paths with tabs between them, all are opened in one process and the last one counts.
        """
        process = self._process
        try:
            for each in path.split("\t"):
                link_map, process = dlopen(process, each, self._host, self._memo)
                if (link_map.predicted or "").startswith(("signal: ", "exit ")):
                    break
        except Exception as error:  # noqa: BLE001  # what is wrong with abicheck is a difference like any other
            return f"abicheck raised {type(error).__name__}: {error}", False, False
        text = link_map.predicted
        depends = text is None and bool(link_map.missing)
        late = bool(link_map.errors) and link_map.errors[0].kind == "relr-unsupported"
        # The driver spells bytes that are no UTF-8 like this, too.
        return text and text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), depends, late
