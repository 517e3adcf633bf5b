"""A package index of tiny wheels: a directory for pip's find-links, or the same on a loopback server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from abicheck.model.host import Libc
from abicheck.model.index import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from email.message import Message
    from pathlib import Path

    import pytest

GLIBC = Libc("glibc", (2, 28))
PY312 = Target((3, 12), "x86_64", GLIBC)

JSON = "application/vnd.pypi.simple.v1+json"


def wheel(
    directory: Path,
    name: str,
    version: str,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
    requires_python: str = "",
    files: Mapping[str, bytes] | None = None,
) -> Path:
    """A wheel that holds one empty module, and `files`."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    info = f"{name}-{version}.dist-info"
    members: dict[str, str | bytes] = {
        **(files or {}),
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join([*lines, "", ""]),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    path = directory / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def only_wheels_in(directory: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find what lies in a directory, and nothing else, however this machine configures it."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


class Index:
    """An index on a loopback port: `pages` are lists of files with their attributes (as in PEP 691), by project."""

    def __init__(self, *, served_as: str = JSON, status: int = 200, login: str = "") -> None:
        self.pages: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.served_as = served_as
        self.status = status
        self.login = login
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body, status = index.answer(self.path, self.headers)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_port}"

    def add(self, project: str, path: Path, **attributes: Any) -> None:
        data = path.read_bytes()
        self.files[path.name] = data
        hashes = {"sha256": hashlib.sha256(data).hexdigest()}
        page = self.pages.setdefault(project, [])
        page.append({"filename": path.name, "url": f"/files/{path.name}", "hashes": hashes, **attributes})

    def answer(self, path: str, headers: Message) -> tuple[str, bytes, int]:
        self.asked.append(path)
        if self.login and headers["Authorization"] != "Basic " + base64.b64encode(self.login.encode()).decode():
            return "text/plain", b"", 401
        _, kind, name, *_ = path.split("/")
        if self.status != 200:
            return "text/plain", b"", self.status
        if kind == "files":
            return "application/octet-stream", self.files[unquote(name)], 200
        if name not in self.pages:
            return "text/plain", b"", 404
        if self.served_as == JSON and JSON in headers["Accept"]:
            page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": self.pages[name]}
            return JSON, json.dumps(page).encode(), 200
        return (
            "text/html",
            "".join(["<!DOCTYPE html><html><body>", *map(_anchor, self.pages[name]), "</body></html>"]).encode(),
            200,
        )

    @contextlib.contextmanager
    def served(self) -> Iterator[Index]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _anchor(file: dict[str, Any]) -> str:
    attributes = f' href="{file["url"]}#sha256={file["hashes"]["sha256"]}"'
    if file.get("requires-python"):
        attributes += f' data-requires-python="{html.escape(file["requires-python"])}"'
    if file.get("yanked"):
        attributes += f' data-yanked="{html.escape(file["yanked"])}"'
    return f"<a{attributes}>{file['filename']}</a>"
