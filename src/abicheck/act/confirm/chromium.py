"""A page in a headless Chromium: served from here, with what it is to fetch, until it has posted what came of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from abicheck.act.confirm.observe import Ended, kill
from abicheck.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO, TypeAlias

    #: By its path the type and the content of what a page may fetch.
    Serve: TypeAlias = Callable[[str], "tuple[str, bytes] | None"]

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",  # what pages and their workers write to the console
)
#: What makes a page cross-origin isolated (https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated).
_ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
#: How long (in seconds) it may take to tell its version, to come up, and to go.
_VERSION, _START, _STOP = 30.0, 60.0, 5.0
_TICK = 0.05


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome that is installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def version_of(program: str) -> str:
    """The version of a Chromium. Raises `HostError`."""
    try:
        told = subprocess.run(  # noqa: S603 -- the user's own
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=_VERSION, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"it does not tell its version ({error}); see whether it starts", program) from None
    found = re.search(r"\b(\d+)\.\d+\.\d+\.\d+\b", told)
    if found is None:
        raise HostError("it does not tell its version; see whether it starts", program)
    return found[1]


class _Server(ThreadingHTTPServer):
    """Serves the files of a page on this machine alone, and keeps what the page posts."""

    daemon_threads = True

    def __init__(self, serve: Serve, *, isolated: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.serve = serve
        self.extra: Mapping[str, str] = _ISOLATION if isolated else {}
        self.opened = threading.Event()
        self.told: str | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.opened.set()
        found = self.server.serve(self.path)
        self._answer(404) if found is None else self._answer(200, *found)

    def do_POST(self) -> None:
        self.server.told = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(204)

    def _answer(self, status: int, kind: str = "", content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**self.server.extra, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody asked for a log."""


def open_page(
    program: str,
    serve: Serve,
    seconds: float,
    *,
    isolated: bool,
    until: Callable[[bytes], object] = lambda _: False,
    query: str = "",
) -> Ended:
    """Open the page at `/?query`, and wait at most `seconds` for what it posts, or `until` what was written to `stderr` is such.

    `stdout` is what it posts, and `status` None where it does not; its console, and its workers', is in `stderr`. Raises
    `HostError` when the browser does not come up.
    """
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="abicheck-", ignore_cleanup_errors=True) as profile,
        _Server(serve, isolated=isolated) as server,
    ):
        threading.Thread(target=server.serve_forever, args=(_TICK,), daemon=True).start()
        # Chromium refuses to run as root within its sandbox, which keeps pages of strangers in; this page is ours.
        options = [*_OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={profile}"]
        with (
            open(os.path.join(profile, "stderr"), "w+b") as log,
            subprocess.Popen(  # noqa: S603 -- running it is what this is for
                [program, *options, f"http://127.0.0.1:{server.server_port}/{query and '?'}{query}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as process,
        ):
            try:
                _wait(process, server, seconds, lambda: until(read_all(log)))
            finally:
                _end(process)
                server.shutdown()
            said = read_all(log).decode(errors="backslashreplace")
        if not server.opened.is_set():
            last = (said.strip().splitlines() or ["it said nothing"])[-1]
            raise HostError(f"it does not open a page: {last}; see whether `{program} --headless` starts", program)
        return Ended(None if server.told is None else 0, server.told or "", said, time.monotonic() - started)


def read_all(file: IO[bytes]) -> bytes:
    """What another process has written to a file so far."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


def _wait(process: subprocess.Popen[bytes], server: _Server, seconds: float, over: Callable[[], object]) -> None:
    """Until the page has told, it is over, the browser is gone, or the time is up, which counts from when the page was opened."""
    end = time.monotonic() + _START
    while process.poll() is None and not server.opened.is_set() and time.monotonic() < end:
        time.sleep(_TICK)
    end = time.monotonic() + seconds if server.opened.is_set() else 0.0
    while process.poll() is None and server.told is None and time.monotonic() < end and not over():
        time.sleep(_TICK)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it go with all its processes, else end them."""
    process.terminate()
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        kill(process)
