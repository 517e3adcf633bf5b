from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError, UsageError
from abicheck.model.wasm import Served
from abicheck.read.runtimes import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENER, EMBEDDER = "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy"
HTML = ("Content-Type", "text/html; charset=utf-8")
ANSWERS: dict[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "/": (
        200,
        (("Content-Type", "text/html; charset=utf-8"), (OPENER, "same-origin"), (EMBEDDER, 'require-corp; report-to="x"')),
    ),
    "/bare": (200, (("Content-Type", "text/html"),)),
    "/twice": (200, (("Content-Type", "text/html"), (OPENER, "same-origin"), (OPENER, "same-origin"), (EMBEDDER, ""))),
    "/worker.js": (200, (("Content-Type", "text/javascript"), (EMBEDDER, "credentialless"))),
    "/moved": (302, (("Location", "/"),)),
    "/round": (302, (("Location", "/round"),)),
    "/elsewhere": (302, (("Location", "file:///etc/passwd"),)),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers = ANSWERS.get(self.path, (404, ()))
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name in the base class
        pass


@contextmanager
def serving_here() -> Iterator[str]:
    """The address of a server that gives `ANSWERS`."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(name="here", scope="module")
def _here() -> Iterator[str]:
    with serving_here() as address:
        yield address


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/", Served("", is_page=True, opener="same-origin", embedder="require-corp")),
        ("/moved", Served("", is_page=True, opener="same-origin", embedder="require-corp")),
        ("/bare", Served("", is_page=True)),
        ("/twice", Served("", is_page=True, opener="same-origin, same-origin", embedder="")),
        ("/worker.js", Served("", is_page=False, embedder="credentialless")),
    ],
)
def test_what_is_sent(here: str, path: str, served: Served) -> None:
    assert serving.ask(here + path) == served._replace(url=here + path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/gone", "the server answers 404 Not Found; "),
        ("/round", "the server answers 302 "),
        ("/elsewhere", "the server answers 302 "),
        ("/a b", "no answer "),
    ],
)
def test_no_good_answer(here: str, path: str, message: str) -> None:
    with pytest.raises(TargetError) as error:
        serving.ask(here + path)
    assert str(error.value).startswith(f"{here}{path}: {message}")
    assert "\n" not in str(error.value)


def test_no_server() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(TargetError, match=r"no answer \(Connection refused\); see that the server runs"):
            serving.ask(url)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.2)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        pytest.raises(TargetError, match=r"no answer \(nothing in 0.2 s\)"),
    ):
        serving.ask(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_a_server_that_talks_otherwise() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:

        def greet() -> None:
            with closing(other.accept()[0]) as caller:
                caller.recv(1000)
                caller.sendall(b"220 mail\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(TargetError, match="no answer"):
            serving.ask(f"http://127.0.0.1:{other.getsockname()[1]}/")
        thread.join()


@pytest.mark.parametrize(
    "url", ["", "example.org", "file:///etc/passwd", "ftp://x/", "http:x", "http://", "http://[", "http://\0"]
)
def test_no_address(url: str) -> None:
    with pytest.raises((UsageError, TargetError)):
        serving.ask(url)


@pytest.mark.parametrize(
    ("final", "secure"),
    [
        ("https://x.org/", True),
        ("http://x.org/", False),
        ("http://localhost:8/", True),
        ("http://a.localhost/", True),
        ("http://[::1]/", True),
    ],
)
def test_origins_that_browsers_trust(final: str, secure: bool) -> None:  # noqa: FBT001 -- a parameter of the table
    assert serving._served("", final, HTTPMessage()).is_secure is secure
